"""What separate tiles cost: how far they are from the exact estimate, over all pixels and near the seams."""

from dataclasses import dataclass, field

import numpy as np

from specrec.scenes import Mask, Window
from specrec.spectra import Cube

SEAM = 2
"""Pixels on either side of a seam that count as near it."""


def near_seams(region: Window, shape: tuple[int, int], size: int) -> Mask:
    """Mark the pixels of a region, (height, width) bool, at most `SEAM` pixels from a seam between tiles of `size`."""

    def along(start: int, count: int, whole: int) -> Mask:
        places = np.arange(start, start + count)
        after = (places % size < SEAM) & (places >= size)
        before = (places % size >= size - SEAM) & (places // size * size + size < whole)
        return after | before

    rows, columns = along(region.top, region.height, shape[0]), along(region.left, region.width, shape[1])
    return rows[:, np.newaxis] | columns


@dataclass
class SeamCost:
    """How far separate tiles are from the exact estimate of an image: RMSE per pixel on 0..255, averaged over pixels.

    Parameters
    ----------
    shape
        (height, width) of the image.
    size
        Of the separate tiles.
    """

    shape: tuple[int, int]
    size: int
    _sums: list[float] = field(default_factory=lambda: [0.0, 0.0], repr=False)
    _counts: list[int] = field(default_factory=lambda: [0, 0], repr=False)

    def add(self, region: Window, separate: Cube, exact: Cube) -> None:
        """Take in the two estimates of a region."""
        difference = separate - exact
        levels = 255.0 * np.sqrt(np.einsum("hwb,hwb->hw", difference, difference) / difference.shape[2])
        for index, chosen in enumerate((levels, levels[near_seams(region, self.shape, self.size)])):
            self._sums[index] += float(chosen.sum(dtype=np.float64))
            self._counts[index] += chosen.size

    @property
    def overall(self) -> float:
        """Mean over all pixels."""
        return self._sums[0] / max(1, self._counts[0])

    @property
    def near(self) -> float:
        """Mean over the pixels near a seam; 0 where there is no seam."""
        return self._sums[1] / max(1, self._counts[1])

    def __str__(self) -> str:
        return (
            f"separate tiles of {self.size} differ from the exact estimate by RMSE {self.overall:.4f} on 0..255, "
            f"within {SEAM} pixels of a seam by {self.near:.4f}"
        )
