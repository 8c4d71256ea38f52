"""How the values of a cube become numbers in a file: float32, float16, or uint16 with a scale.

uint16 spreads a span of values evenly over the levels 0 to 65534: value = level * scale + offset. The default span is
-1 to 3, for estimates of saturated colours leave 0 to 1 by a good deal, in steps of 2**-14, so that 0 and 1 and every
level are exact in float32. Level 65535 is kept for pixels without a value, which read as 0. Nothing is clipped: a value
outside is an error.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError, UsageError
from specrec.spectra import Cube

DTYPES = ("float32", "float16", "uint16")
NO_VALUE = 65535
"""The uint16 level that no value gets."""

_LEVELS = 65534
_AT_ONCE = 1 << 20  # values coded in float64 at a time
SPAN = (-1.0, -1.0 + _LEVELS * 2.0**-14)
"""The lowest and the highest value that uint16 holds unless another span is given."""


@dataclass(frozen=True)
class Coding:
    """A type of numbers and what they stand for: value = stored * scale + offset.

    Parameters
    ----------
    dtype
        One of `DTYPES`.
    scale, offset
        1 and 0 for floating-point numbers.
    """

    dtype: str = "float32"
    scale: float = 1.0
    offset: float = 0.0

    @property
    def is_scaled(self) -> bool:
        """Whether the file must say a scale."""
        return self.dtype == "uint16"

    @property
    def itemsize(self) -> int:
        """Bytes of one number."""
        return np.dtype(self.dtype).itemsize

    def encode(self, values: Cube, where: str) -> NDArray[np.generic]:
        """Return finite `values` as they are stored.

        Raises
        ------
        DataError
            For a value that the type does not hold; the message names it and the way out.
        """
        if self.dtype == "float32":
            return values.astype(np.float32, copy=False)
        if self.dtype == "float16":
            with np.errstate(over="ignore"):
                halves = values.astype(np.float16)
            if np.isinf(halves).any():
                worst = values.flat[np.abs(values).argmax()]
                raise DataError(f"{where}: float16 holds values up to 65504, not {worst:g}; write float32")
            return halves
        stored = np.empty(values.shape, dtype=np.uint16)
        step = max(1, _AT_ONCE // max(1, values[:1].size))
        for top in range(0, len(values), step):
            part = values[top : top + step]
            levels = np.rint((part.astype(np.float64) - self.offset) / self.scale)
            if levels.min() < 0 or levels.max() > _LEVELS:
                worst = part.flat[levels.argmin() if levels.min() < 0 else levels.argmax()]
                high = self.offset + _LEVELS * self.scale
                raise DataError(
                    f"{where}: the value {worst:g} lies outside {self.offset:g} to {high:g}, the span of uint16 here;"
                    " write float32, and from that `specrec convert A B --dtype uint16`, which measures the span"
                )
            stored[top : top + step] = levels
        return stored


def choose_coding(dtype: str, span: tuple[float, float] | None = None) -> Coding:
    """Make the coding of a type of numbers.

    Parameters
    ----------
    dtype
        One of `DTYPES`.
    span
        The lowest and the highest value that uint16 shall hold; None: `SPAN`. Other types need none.

    Raises
    ------
    UsageError
        For another type, or a span that is none.
    """
    if dtype not in DTYPES:
        raise UsageError(f"cubes are stored as {', '.join(DTYPES)}, not as {dtype!r}")
    if dtype != "uint16":
        return Coding(dtype)
    low, high = SPAN if span is None else map(float, span)
    if not -np.inf < low < high < np.inf:
        raise UsageError(f"a span of values runs from a lower to a higher number, not from {low:g} to {high:g}")
    return Coding(dtype, (high - low) / _LEVELS, low)


def decode_own(stored: NDArray[Any], scale: float, offset: float) -> NDArray[np.float32]:
    """Return the values of a file that specrec wrote: as `decode` does, and 0 where uint16 has the level `NO_VALUE`."""
    values = decode(stored, scale, offset)
    if stored.dtype.kind == "u" and stored.dtype.itemsize == 2:
        values[stored == NO_VALUE] = 0.0
    return values


def decode(
    stored: NDArray[Any], scale: float | NDArray[np.float64] = 1.0, offset: float | NDArray[np.float64] = 0.0
) -> NDArray[np.float32]:
    """Return the values that stored numbers stand for; floating-point numbers without a scale are not copied.

    The sum is made in float64 and rounded once to float32. A value that float32 does not hold becomes infinite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.all(np.equal(scale, 1.0)) and np.all(np.equal(offset, 0.0)):
            return stored.astype(np.float32, copy=False)
        values = np.empty(stored.shape, dtype=np.float32)
        step = max(1, _AT_ONCE // max(1, stored[:1].size))
        for top in range(0, len(stored), step):
            values[top : top + step] = stored[top : top + step].astype(np.float64) * scale + offset
        return values
