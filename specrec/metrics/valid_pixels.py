"""An estimate and its reference, block by block: what every metric reads its numbers from.

Float32 and float64 cubes in C order are read in place; a block of any other is copied into that order first, so that a
score is the same to the last bit for a contiguous, transposed or strided cube, and no temporary is larger than a block.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specrec.interfaces import Score
from specrec.scenes import Mask
from specrec.spectra import Cube

Rows = NDArray[np.float32] | NDArray[np.float64]
"""(n, bands) spectra in C order, not to be written."""

BLOCK = 1 << 13
"""About this many pixels at a time."""


class Block(NamedTuple):
    """Whole rows of the image.

    Parameters
    ----------
    estimate, reference
        (n, bands), both of one type.
    valid
        (n,) bool, the pixels that count.
    top, width
        The first row of the image, and how many pixels a row has.
    """

    estimate: Rows
    reference: Rows
    valid: Mask
    top: int
    width: int

    def check_finite(self) -> None:
        """Raise ValueError if a number at any pixel, valid or not, is NaN or infinity.

        That is for blocks whose sums are not finite: where all numbers are, so are their sums, and no second look at
        them is needed.
        """
        for name, spectra in (("estimate", self.estimate), ("reference", self.reference)):
            if not np.isfinite(spectra).all():
                pixel, band = np.argwhere(~np.isfinite(spectra))[0]
                place = f"row {self.top + pixel // self.width}, column {pixel % self.width}, band {band}"
                raise ValueError(f"the {name} holds NaN or infinity, first at {place}")


def blocks(estimate: Cube, reference: Cube, mask: Mask) -> Iterator[Block]:
    """Yield the image in blocks of whole rows, from its top.

    Raises
    ------
    ValueError
        If the shapes differ, or the mask is not one of bools or has no valid pixel. Whoever reads a block looks for
        NaN and infinity with `Block.check_finite`.
    """
    _check(estimate, reference, mask)
    height, width, bands = reference.shape
    dtype = np.float32 if estimate.dtype == reference.dtype == np.float32 else np.float64
    rows = max(1, BLOCK // width)
    for top in range(0, height, rows):
        part = slice(top, top + rows)
        estimated, true = (_in_c_order(cube[part], dtype, (-1, bands)) for cube in (estimate, reference))
        yield Block(estimated, true, _in_c_order(mask[part], np.bool_, (-1,)), top, width)


def score(total: float, count: float, weight: float, left_out: float = 0.0) -> Score:
    """Divide a sum by how many it sums; where nothing counts the value is 0 and so is the weight."""
    return Score(total / count, float(weight), left_out) if count else Score(0.0, 0.0, left_out)


def _in_c_order(array: NDArray[Any], dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
    rows = np.require(array, dtype, ["C", "A"]).reshape(shape)
    rows.setflags(write=False)  # numba compiles once for arrays that may be written and once for others
    return rows


def _check(estimate: Cube, reference: Cube, mask: Mask) -> None:
    if estimate.shape != reference.shape:
        raise ValueError(f"the estimate has shape {estimate.shape} and the reference {reference.shape}")
    if reference.ndim != 3 or reference.size == 0:
        raise ValueError(f"a cube has the axes (height, width, bands), these have shape {reference.shape}")
    if mask.shape != reference.shape[:2] or mask.dtype != np.bool_:
        raise ValueError(
            f"the mask is {mask.dtype} of shape {mask.shape}; cubes of shape {reference.shape} need bool of shape"
            f" {reference.shape[:2]}"
        )
    if not mask.any():
        raise ValueError("the mask has no valid pixel, so there is nothing to score")
