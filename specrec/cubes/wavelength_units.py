"""Wavelengths as other people's files say them, in nm."""

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.spectra import check_wavelengths

_UNITS = {
    1.0: ("nm", "nanometer", "nanometers", "nanometre", "nanometres"),
    1e3: ("um", "µm", "μm", "micrometer", "micrometers", "micrometre", "micrometres", "micron", "microns"),
    1e9: ("m", "meter", "meters", "metre", "metres"),
}
_NANOMETRES = {name: factor for factor, names in _UNITS.items() for name in names}


_UNSTATED = ("", "unknown")


def is_known(unit: str) -> bool:
    """Tell whether the name of a unit is one that is read."""
    return unit.strip().lower() in _NANOMETRES


def in_nanometres(wavelengths: NDArray[np.float64], unit: str, where: str) -> tuple[NDArray[np.float64], str | None]:
    """Return wavelengths in nm, rounded to a millionth where they were in another unit, and a remark on a guess.

    Parameters
    ----------
    wavelengths
        One per band.
    unit
        Its name in any case. Where it is empty or "unknown", 100 and more are taken for nm, and 0.1 to 30 for
        micrometres with a remark, unless all are whole numbers, as those of bands are.
    where
        The file, for the messages.

    Raises
    ------
    DataError
        For another unit, or wavelengths that do not increase.

    Examples
    --------
    >>> grid, remark = in_nanometres([0.4, 0.41], "Micrometers", "a file")
    >>> grid.tolist(), remark
    ([400.0, 410.0], None)
    """
    given = np.asarray(wavelengths, dtype=np.float64)
    factor, remark = _NANOMETRES.get(unit.strip().lower()), None
    if unit.strip().lower() in _UNSTATED and given.size:
        if given.min() >= 100.0:  # light of 100 micrometres is no camera's
            factor = 1.0
        elif given.min() >= 0.1 and given.max() <= 30.0 and (given % 1.0).any():
            factor = 1e3
            remark = f"{where}: its wavelengths have no unit and were taken for micrometres"
    if factor is None:
        raise DataError(
            f"{where}: the wavelength units are {unit.strip()[:40]!r}; nanometers were expected (or give the"
            " wavelengths with --wavelengths)"
        )
    with np.errstate(over="ignore", invalid="ignore"):  # what is no wavelength is told next
        converted = given if factor == 1.0 else np.round(given * factor, 6)
    grid = check_wavelengths(converted, where)
    return grid, remark
