"""Wavelengths as a user writes them: START:STEP:STOP, numbers with commas, or a text file of numbers."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError, UsageError
from specrec.spectra import check_wavelengths
from specrec.untrusted import is_there

_MOST = 100_000  # bands; more is a slip of the pen
_LONGEST = 1 << 20  # bytes of a file of wavelengths
NEAREST, FARTHEST = 100.0, 30_000.0
"""nm, from ultraviolet to thermal infrared; what lies outside is in another unit, or no wavelength."""


def read_grid(text: str, option: str, *, increasing: bool = True) -> NDArray[np.float64]:
    """Read wavelengths in nm.

    Parameters
    ----------
    text
        ``"400:10:700"`` (both ends count), ``"450,457.5,466"``, or the name of a text file that holds numbers, apart by
        commas, blanks or lines; what follows a # in a line is left out.
    option
        Such as ``"--grid"``, for messages.
    increasing
        Whether another order is refused.

    Raises
    ------
    UsageError
        For what is none of these; the message says the three ways.

    Examples
    --------
    >>> read_grid("400:10:430", "--grid").tolist()
    [400.0, 410.0, 420.0, 430.0]
    """
    path = Path(text)
    is_file = is_there(path) and path.is_file()
    if re.fullmatch(r"[^:]+:[^:]+:[^:]+", text) and not is_file:
        grid = _steps(text, option)
    elif "," in text and not is_file:
        grid = _numbers(text, f"{option} {text}")
    elif is_file:
        if path.stat().st_size > _LONGEST:
            raise UsageError(f"{option} {text}: this is no list of wavelengths, it has {path.stat().st_size} bytes")
        lines = path.read_text("utf-8", errors="replace").lstrip("\ufeff").splitlines()
        grid = _numbers(" ".join(line.partition("#")[0] for line in lines), f"{option} {text}")
    else:
        grid = _numbers(text, f"{option} {text}")
    try:
        check_nanometres(grid, f"{option} {text}")
        check_wavelengths(grid if increasing else np.sort(grid), f"{option} {text}")
    except DataError as error:
        raise UsageError(str(error)) from None
    return grid


def check_nanometres(grid: NDArray[np.float64], where: str) -> None:
    """Refuse numbers that cannot be wavelengths in nm.

    Raises
    ------
    DataError
        If one lies outside 100 to 30,000.
    """
    if grid.min() < NEAREST or grid.max() > FARTHEST:
        raise DataError(
            f"{where}: {grid.min():g} to {grid.max():g} are no wavelengths in nm, which lie in"
            f" {NEAREST:g}-{FARTHEST:g}; give them in nm (--wavelengths)"
        )


def _steps(text: str, option: str) -> NDArray[np.float64]:
    start, step, stop = _numbers(text.replace(":", " "), f"{option} {text}")
    if step <= 0 or stop < start:
        raise UsageError(f"{option} {text}: START:STEP:STOP needs a positive step and a stop behind the start")
    count = (stop - start) / step
    if count > _MOST or abs(count - round(count)) > 1e-6:
        raise UsageError(f"{option} {text}: {step:g} nm do not lead from {start:g} to {stop:g} nm")
    return np.asarray(start + step * np.arange(round(count) + 1))


def _numbers(text: str, where: str) -> NDArray[np.float64]:
    try:
        values = np.array([float(word) for word in re.split(r"[\s,;]+", text.strip(" \t\r\n,;"))])
    except ValueError:
        raise UsageError(
            f"{where}: wavelengths are START:STEP:STOP, numbers in nm with commas, or a text file of such numbers"
        ) from None
    if not np.isfinite(values).all():
        raise UsageError(f"{where}: wavelengths are finite numbers in nm")
    return values
