"""How far an estimate can be believed: what differs when it is rendered back, and colours that were never trained on.

A small difference does not prove the spectra: many spectra have one colour. A large one proves them wrong.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from specrec.compiled import compiled
from specrec.metrics.ciede2000 import differences
from specrec.parameters import Value
from specrec.reconstruction.training_colours import FAR, MANY, SIDE, TrainingColours, count_cells
from specrec.rendering import RGB_TO_XYZ, decode_srgb, render, white_point
from specrec.scenes import Image
from specrec.spectra import Cube
from specrec.threads import each

_BLOCK = 1 << 16  # pixels at a time, on each thread
_PER_UNIT = 100  # bins of the histogram per CIEDE2000
_BINS = 200 * _PER_UNIT  # no two colours of sRGB are so far apart


@dataclass(frozen=True)
class Trust:
    """What was found on a photo and its estimate.

    Parameters
    ----------
    mean
        CIEDE2000 between the photo and the estimate rendered back, both 8-bit sRGB, averaged over pixels.
    p95
        What 95 % of the pixels do not exceed, rounded up to 0.01.
    far
        Share of the pixels, 0 to 1, whose colours lie far from all that the weights were trained on; None: unknown.
    """

    mean: float
    p95: float
    far: float | None

    def warning(self, method: str) -> str | None:
        """Warn where many pixels have colours that the weights never saw."""
        if self.far is None or self.far < MANY:
            return None
        return (
            f"{100 * self.far:.0f} % of the pixels have colours that the weights of {method} never saw (farther than "
            f"{FAR:g} CIEDE2000 from all of them); their spectra are guesses"
        )

    def attributes(self) -> dict[str, Value]:
        """What a cube file keeps of it."""
        return {"rerendering_ciede2000_mean": self.mean, "rerendering_ciede2000_p95": self.p95}

    def __str__(self) -> str:
        return (
            f"rendered back it differs from the photo by {self.mean:.2f} CIEDE2000 on average, "
            f"by at most {self.p95:.2f} in 95 % of the pixels"
        )


class Examination:
    """Compares a photo with its estimate, tile by tile, in memory that does not grow.

    Parameters
    ----------
    colours
        Of the training; None: unknown.
    threads
        To spread blocks over; they change no number.
    """

    def __init__(self, colours: TrainingColours | None, threads: int = 1) -> None:
        self._colours, self._threads = colours, threads
        self._bins = np.zeros(_BINS, dtype=np.int64)
        self._cells = np.zeros(SIDE**3, dtype=np.int64)
        self._sums: list[float] = []

    def add(self, rgb: Image, cube: Cube) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
        """Take in a tile: its sRGB (height, width, 3) in [0, 1], and its cube (height, width, 31).

        Returns
        -------
        The photo and the estimate rendered back, (height, width, 3) uint8 each, and their CIEDE2000 (height, width).
        """
        height, width = rgb.shape[:2]
        rows = max(1, _BLOCK // width)
        photo, back = np.empty((height, width, 3), np.uint8), np.empty((height, width, 3), np.uint8)
        found = np.zeros((height, width), np.float32)
        tops = range(0, height, rows)
        sums = np.zeros(len(tops))

        def compare(top: int) -> None:
            part = slice(top, top + rows)
            photo[part] = np.rint(rgb[part] * np.float32(255.0)).astype(np.uint8)
            back[part] = render(cube[part])
            pairs = np.empty((2, photo[part].size // 3, 3))
            places = np.empty(pairs.shape[1], dtype=np.int64)
            count = _unlike(photo[part].reshape(-1, 3), back[part].reshape(-1, 3), _of_levels(), pairs, places)
            values = differences(pairs[0, :count], pairs[1, :count], white_point())
            found[part].reshape(-1)[places[:count]] = values
            sums[top // rows] = values.sum()

        each(compare, tops, self._threads if len(tops) > 1 else 1)
        self._sums.append(math.fsum(sums))
        self._bins += np.bincount(np.ceil(found.reshape(-1) * _PER_UNIT).astype(np.int64), minlength=_BINS)
        if self._colours is not None:
            self._cells += count_cells(photo)
        return photo, back, found

    def result(self) -> Trust:
        """Sum up what was taken in."""
        pixels = int(self._bins.sum())
        place = int(np.searchsorted(np.cumsum(self._bins), 0.95 * pixels))
        far = None if self._colours is None else self._colours.far_share(self._cells)
        return Trust(math.fsum(self._sums) / max(1, pixels), place / _PER_UNIT, far)


@compiled
def _unlike(
    photo: NDArray[np.uint8],
    back: NDArray[np.uint8],
    of_levels: NDArray[np.float64],
    pairs: NDArray[np.float64],
    places: NDArray[np.int64],
) -> int:
    """Find the pixels of (n, 3) levels that differ; fill in both XYZ (2, n, 3) and the places; return how many."""
    count = 0
    for pixel in range(photo.shape[0]):
        if (
            photo[pixel, 0] == back[pixel, 0]
            and photo[pixel, 1] == back[pixel, 1]
            and photo[pixel, 2] == back[pixel, 2]
        ):
            continue
        places[count] = pixel
        for axis in range(3):
            first = second = 0.0
            for channel in range(3):
                first += of_levels[channel, photo[pixel, channel], axis]
                second += of_levels[channel, back[pixel, channel], axis]
            pairs[0, count, axis], pairs[1, count, axis] = first, second
        count += 1
    return count


@cache
def _of_levels() -> NDArray[np.float64]:
    """What each level of each channel adds to XYZ, (3, 256, 3)."""
    linear = 100.0 * decode_srgb(np.arange(256) / 255.0)
    return linear[np.newaxis, :, np.newaxis] * RGB_TO_XYZ.T[:, np.newaxis, :]
