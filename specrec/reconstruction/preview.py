"""A picture to look at beside a cube: the photo, the estimate rendered back, and where the two differ.

Every pixel of it is the mean over a square of the photo's pixels, so that nothing is missed however large the photo is.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from specrec.images import write_png
from specrec.scenes import Window

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

_WIDTH, _HEIGHT = 640, 900  # of each of the three pictures, at most
_NARROW = 300  # where one is narrower its pixels are drawn larger, so that the words fit
_ENDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)  # of the scale of differences, CIEDE2000
_GAP, _TEXT = 16, 18  # pixels
_PAPER, _INK = (255, 255, 255), (20, 20, 20)
MARK = ".preview.png"
"""What the name of a preview ends in; folders are searched for photos without these."""


def preview_path(target: Path) -> Path:
    """Return where the preview of a cube goes.

    Examples
    --------
    >>> preview_path(Path("out/image.h5")).as_posix()
    'out/image.preview.png'
    """
    return target.with_name(target.stem + MARK)


class Preview:
    """Gathers what a preview shows, tile by tile, reduced to its size.

    Parameters
    ----------
    shape
        (height, width) of the photo.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._step = max(1, -(-shape[1] // _WIDTH), -(-shape[0] // _HEIGHT))
        height, width = (-(-side // self._step) for side in shape)
        self._sums = np.zeros((height, width, 7), dtype=np.float32)  # photo, estimate, difference
        self._counts = np.zeros((height, width, 1), dtype=np.float32)

    def add(
        self, window: Window, photo: NDArray[np.uint8], back: NDArray[np.uint8], difference: NDArray[np.float32]
    ) -> None:
        """Take in a tile, as `specrec.reconstruction.trust.Examination.add` gives it."""
        rows, columns = (
            np.arange(start, start + count) // self._step
            for start, count in ((window.top, window.height), (window.left, window.width))
        )
        breaks = np.flatnonzero(np.diff(columns, prepend=-1))
        part = slice(columns[0], columns[-1] + 1)
        for row in np.unique(rows):  # a line of the preview at a time, so that little is copied
            lines = rows == row
            values = np.concatenate(
                [photo[lines], back[lines], difference[lines][..., np.newaxis]], axis=2, dtype=np.float32
            )
            self._sums[row, part] += np.add.reduceat(values.sum(axis=0), breaks, axis=0)
            self._counts[row, part, 0] += np.add.reduceat(np.full(len(columns), lines.sum(), np.float32), breaks)

    def write(self, path: Path, photo: str, method: str, *, overwrite: bool = False) -> None:
        """Draw the preview and write it, whole or not at all; `photo` and `method` are named in it."""
        write_png(path, self.draw(photo, method), overwrite=overwrite)

    def draw(self, photo: str, method: str) -> NDArray[np.uint8]:
        """Draw the three pictures beside each other, with labels and a scale: (height, width, 3) uint8."""
        from PIL import Image, ImageDraw, ImageFont

        means = self._sums / np.maximum(self._counts, 1.0)
        times = max(1, min(_NARROW // means.shape[1], _HEIGHT // means.shape[0]))
        means = means.repeat(times, axis=0).repeat(times, axis=1)
        end = next((end for end in _ENDS if np.percentile(means[..., 6], 99) <= end), _ENDS[-1])
        pictures = [np.rint(means[..., :3]), np.rint(means[..., 3:6]), 255.0 * _shades(means[..., 6] / end)]
        height, width = means.shape[:2]
        panel = max(width, _NARROW)
        top = _GAP + _TEXT + 8
        page = Image.new("RGB", (3 * panel + 4 * _GAP, top + height + 3 * _GAP + 2 * _TEXT), _PAPER)
        draw, font = ImageDraw.Draw(page), ImageFont.load_default(_TEXT)
        labels = (photo, f"estimate of {method}, rendered back", "difference, CIEDE2000")
        for index, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
            left = _GAP + index * (panel + _GAP)
            draw.text((left, _GAP), _cut(label, draw, font, panel), fill=_INK, font=font)
            page.paste(Image.fromarray(picture.astype(np.uint8)), (left, top))
        left, above = _GAP + 2 * (panel + _GAP), top + height + _GAP
        bar = _shades(np.linspace(0.0, 1.0, panel))[np.newaxis].repeat(_TEXT, axis=0)
        page.paste(Image.fromarray(np.rint(255.0 * bar).astype(np.uint8)), (left, above))
        for share, anchor in ((0.0, "la"), (0.5, "ma"), (1.0, "ra")):
            words = f"{share * end:g}" + (" or more" if share == 1.0 else "")
            draw.text((left + share * panel, above + _TEXT + 4), words, fill=_INK, font=font, anchor=anchor)
        reduced = f"each pixel is the mean of {self._step} x {self._step}" if self._step > 1 else "every pixel is shown"
        draw.text((_GAP, above), _cut(reduced, draw, font, panel), fill=_INK, font=font)
        return np.asarray(page)


def _shades(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Colours of differences, (..., 3) in [0, 1]: black is none, pale yellow is 1 or more."""
    from matplotlib import colormaps

    return np.asarray(colormaps["inferno"](np.clip(values, 0.0, 1.0)), dtype=np.float64)[..., :3]


def _cut(text: str, draw: "ImageDraw", font: "FreeTypeFont | ImageFont", room: int) -> str:
    """Cut a text down to the width there is, from its front: names of photos differ at their ends."""
    short = " ".join(text.split())  # a name may hold line breaks, which a label cannot
    while len(short) > 1 and draw.textlength(short, font=font) > room:
        short = "..." + short.removeprefix("...")[1:]
    return short
