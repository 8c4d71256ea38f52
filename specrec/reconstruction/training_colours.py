"""Which colours weights were trained on: the cells of a coarse grid of sRGB that training pixels lay in.

The grid has 32 cells of 8 levels along each channel, so that it takes 4096 bytes in a card. A photo's pixels are
counted by the same cells. A colour is far from the training when the centre of its cell is farther than `FAR` CIEDE2000
from the centre of every cell that was seen, and no cell beside it was. On 40 fresh worlds at each of the exposures 0.5,
1 and 2 that weights of the shipped recipe were not trained on, at most 1.0 % of a scene's pixels are far.
"""

import base64
import binascii
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.rendering import lab, srgb_to_xyz
from specrec.scenes import TrainingScene, Window

SIDE = 32
"""Cells along each channel."""

FAR = 2.0
"""CIEDE2000 between centres of cells from which on a colour counts as one that was never seen."""

MANY = 0.05
"""Share of a photo's pixels from which on `specrec run` warns."""

LEAST = 1e-6
"""Share of the training pixels that a cell needs, so that single odd pixels do not open one."""

_PIXELS = 1 << 25  # of training scenes that are looked at, at most
_WINDOW = 128  # side of the windows that large scenes are sampled by
_NEAREST = 16  # cells nearest by Euclid in Lab among which the nearest by CIEDE2000 is looked for

Counts = NDArray[np.int64]
"""(32768,) pixels per cell, red slowest."""


@dataclass(frozen=True)
class TrainingColours:
    """The cells of sRGB that the training scenes of some weights fill.

    Parameters
    ----------
    seen
        (32768,) bool, red slowest.
    pixels
        How many training pixels were looked at.
    """

    seen: NDArray[np.bool_]
    pixels: int

    def to_card(self) -> dict[str, Any]:
        """Return plain values for a card."""
        packed = base64.b64encode(np.packbits(self.seen).tobytes()).decode("ascii")
        return {"cells_per_channel": SIDE, "pixels": self.pixels, "least_share": LEAST, "seen": packed}

    @classmethod
    def from_card(cls, card: Mapping[str, Any], where: str = "the card") -> "TrainingColours | None":
        """Read them from a card; None if it is older than they are.

        Raises
        ------
        DataError
            If the entry is none of these.
        """
        if "training_colours" not in card:
            return None
        try:
            entry = card["training_colours"]
            bits = np.frombuffer(base64.b64decode(entry["seen"], validate=True), dtype=np.uint8)
            if entry["cells_per_channel"] != SIDE or bits.size != SIDE**3 // 8:
                raise ValueError
            return cls(np.unpackbits(bits).astype(np.bool_), int(entry["pixels"]))
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise DataError(f"{where} has training_colours that cannot be read; train the weights again") from None

    def far_share(self, counts: Counts) -> float:
        """Tell which share of the pixels counted, 0 to 1, lies far from every colour that was seen."""
        far = (counts > 0) & ~self._near
        if self.seen.any() and far.any():
            cells = np.flatnonzero(far)
            far[cells] = self._distances(cells) > FAR
        return float(counts[far].sum() / max(1, counts.sum()))

    @cached_property
    def _near(self) -> NDArray[np.bool_]:
        from scipy.ndimage import binary_dilation

        grid = self.seen.reshape(SIDE, SIDE, SIDE)
        return np.asarray(binary_dilation(grid, np.ones((3, 3, 3), bool))).reshape(-1)

    def _distances(self, cells: NDArray[np.intp]) -> NDArray[np.float64]:
        from scipy.spatial import cKDTree

        from specrec.metrics.ciede2000 import ciede2000

        known = _centres()[self.seen]
        count = min(_NEAREST, len(known))
        _, nearest = cKDTree(known).query(_centres()[cells], k=range(1, count + 1))
        asked = np.repeat(_centres()[cells][:, np.newaxis], count, axis=1)
        return np.asarray(ciede2000(asked, known[nearest]).min(axis=1))


def count_cells(levels: NDArray[np.uint8]) -> Counts:
    """Count the pixels of 8-bit sRGB, (..., 3), per cell.

    Examples
    --------
    >>> int(count_cells(np.uint8([[0, 0, 7], [0, 0, 8], [0, 0, 9]]))[1])
    2
    """
    cells = (levels >> 3).reshape(-1, 3).astype(np.int64)
    return np.bincount((cells[:, 0] * SIDE + cells[:, 1]) * SIDE + cells[:, 2], minlength=SIDE**3)


def colours_of(scenes: Sequence[TrainingScene]) -> TrainingColours:
    """Look at the colours of training scenes: all of small ones, evenly spaced windows of large ones."""
    each = max(_WINDOW**2, _PIXELS // max(1, len(scenes)))
    counts = np.zeros(SIDE**3, dtype=np.int64)
    for part in _sampled(scenes, each):
        counts += count_cells(part)
    return TrainingColours(counts >= max(1.0, LEAST * counts.sum()), int(counts.sum()))


def _sampled(scenes: Iterable[TrainingScene], each: int) -> Iterator[NDArray[np.uint8]]:
    for given in scenes:
        scene = replace(given, input="srgb8", quantisation="round")
        height, width = scene.shape[:2]
        for window in [Window(0, 0, height, width)] if height * width <= each else _windows(height, width, each):
            levels = np.rint(scene.rgb(window) * np.float32(255.0)).astype(np.uint8)
            yield levels[scene.mask[window.slices]]


def _windows(height: int, width: int, pixels: int) -> Iterator[Window]:
    """Spread windows evenly over an image, so that they hold about so many pixels."""
    rows, columns = min(height, _WINDOW), min(width, _WINDOW)
    count = pixels / (rows * columns)
    down = max(1, round(math.sqrt(count * height / width)))
    across = max(1, int(count / down))
    for top in np.linspace(0, height - rows, down, dtype=int):
        for left in np.linspace(0, width - columns, across, dtype=int):
            yield Window(int(top), int(left), rows, columns)


@cache
def _centres() -> NDArray[np.float64]:
    """Lab of the centres of all cells, (32768, 3)."""
    middle = (np.arange(SIDE) * 8 + 3.5) / 255.0
    colours = np.stack(np.meshgrid(middle, middle, middle, indexing="ij"), axis=-1).reshape(-1, 3)
    return lab(100.0 * srgb_to_xyz(colours))
