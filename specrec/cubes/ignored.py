"""Numbers that stand for no value in other makers' files, such as -9999, and the pixels that hold nothing else.

A pixel is missing where every band holds such a number, or NaN. One that holds it in some bands only may as well be
dark there, so it is kept as it is, and counted in a remark.
"""

import math

import numpy as np
from numpy.typing import NDArray


def is_ignored(numbers: NDArray[np.generic], ignored: tuple[float, ...]) -> NDArray[np.bool_]:
    """Tell which stored numbers, of any shape, stand for no value; nothing does where `ignored` is empty."""
    found: NDArray[np.bool_] = np.zeros(numbers.shape, dtype=np.bool_)
    if ignored and numbers.dtype.kind == "f":
        found |= np.isnan(numbers)
    for number in ignored:
        if not math.isnan(number):
            found |= numbers == _as_stored(number, numbers.dtype)
    return found


def clear_missing(
    values: NDArray[np.float32], numbers: NDArray[np.generic], ignored: tuple[float, ...]
) -> NDArray[np.float32]:
    """Return the values (height, width, bands) of stored numbers with 0 in every band of the missing pixels."""
    missing = np.asarray(is_ignored(numbers, ignored).all(axis=-1))
    return np.where(missing[..., np.newaxis], np.float32(0.0), values) if missing.any() else values


def say_some(count: int, ignored: tuple[float, ...], where: str) -> tuple[str, ...]:
    """Make the remark on pixels that hold an ignored number in some bands; none where there are no such pixels."""
    if not count:
        return ()
    words = " or ".join(f"{number:g}" for number in ignored)
    pixels = "1 pixel holds" if count == 1 else f"{count} pixels hold"
    return (f"{where}: {pixels} {words}, which stands for no value, in some bands only; kept as it is",)


def _as_stored(number: float, dtype: np.dtype[np.generic]) -> float:
    """Round as the file's numbers are: a header may say -3.4028e38 or 0.1 of a float32."""
    with np.errstate(over="ignore"):
        return float(np.float32(number)) if dtype.kind == "f" and dtype.itemsize == 4 else number
