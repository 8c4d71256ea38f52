"""The valid pixels of an estimate and its reference, block by block: what every metric reads its numbers from.

A block is a float64 copy in the order of the image, whatever the layout of the cubes, so that a score is the same to
the last bit for a contiguous, transposed or strided cube; and no temporary is larger than a few blocks.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from specrec.interfaces import Score
from specrec.scenes import Mask
from specrec.spectra import Cube

Rows = NDArray[np.float64]
"""(n, bands) spectra, or (n,) numbers, one per pixel."""

BLOCK = 1 << 12
"""About this many pixels at a time: with 31 bands 1 MB, which stays in a processor's cache."""


def valid_pixels(estimate: Cube, reference: Cube, mask: Mask) -> Iterator[tuple[Rows, Rows]]:
    """Yield the spectra of the valid pixels as (estimate, reference), each (n, bands) float64.

    Raises
    ------
    ValueError
        If the shapes differ, the mask is not one of bools or has no valid pixel, or a cube holds NaN or infinity,
        at a valid pixel or not.
    """
    _check(estimate, reference, mask)
    height, width, bands = reference.shape
    rows = max(1, BLOCK // width)
    for top in range(0, height, rows):
        part = slice(top, top + rows)
        valid = np.ascontiguousarray(mask[part]).reshape(-1)
        pair = []
        for name, cube in (("estimate", estimate), ("reference", reference)):
            spectra = np.ascontiguousarray(cube[part], dtype=np.float64).reshape(-1, bands)
            if not np.isfinite(spectra).all():
                row, band = np.argwhere(~np.isfinite(spectra))[0]
                place = f"row {top + row // width}, column {row % width}, band {band}"
                raise ValueError(f"the {name} holds NaN or infinity, first at {place}")
            pair.append(spectra if valid.all() else spectra[valid])
        if valid.any():
            yield pair[0], pair[1]


def mean_over_pixels(per_pixel: Callable[[Rows, Rows], Rows], estimate: Cube, reference: Cube, mask: Mask) -> Score:
    """Average a number per pixel; the weight is the number of pixels that count.

    Parameters
    ----------
    per_pixel
        Takes the spectra of valid pixels, (n, bands) each, to the numbers (m,) of those that count, m <= n.
    estimate, reference, mask
        As a metric gets them.
    """
    total, counted, valid = 0.0, 0, 0
    for estimated, true in valid_pixels(estimate, reference, mask):
        numbers = per_pixel(estimated, true)
        total += float(numbers.sum())
        counted += len(numbers)
        valid += len(true)
    return score(total, counted, counted, 1.0 - counted / valid)


def score(total: float, count: int, weight: float, left_out: float = 0.0) -> Score:
    """Divide a sum by how many it sums; where nothing counts the value is 0 and so is the weight."""
    return Score(total / count, float(weight), left_out) if count else Score(0.0, 0.0, left_out)


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
