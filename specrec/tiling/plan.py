"""The geometry of tiles: modes, cutting an image, what each tile has to see, and which size fits in memory."""

import math
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from specrec.errors import UsageError
from specrec.interfaces import Reconstructor
from specrec.scenes import Window

_CHUNK = 64  # sides are multiples of it where they can: the chunks of a cube file


class Tiles(NamedTuple):
    """A mode of tiling and its size in pixels, 0 where the mode needs none."""

    mode: Literal["auto", "whole", "exact", "separate"]
    size: int = 0


def parse_tiles(text: str) -> Tiles:
    """Read ``auto``, ``whole``, ``SIZE`` or ``separate:SIZE``.

    Raises
    ------
    UsageError
        If it is none of these.

    Examples
    --------
    >>> parse_tiles("separate:256")
    Tiles(mode='separate', size=256)
    """
    if text in ("auto", "whole"):
        return Tiles("auto" if text == "auto" else "whole")
    match = re.fullmatch(r"(separate:)?([1-9][0-9]{0,8})", text, re.ASCII)
    if match is None:
        raise UsageError(f"tiles are auto, whole, SIZE or separate:SIZE with a size in pixels, not {text!r}")
    return Tiles("separate" if match[1] else "exact", int(match[2]))


def split(region: Window, height: int, width: int) -> Iterator[Window]:
    """Cut a region into tiles of at most `height` x `width` pixels, row by row from its upper left."""
    for top in range(region.top, region.top + region.height, height):
        for left in range(region.left, region.left + region.width, width):
            rows = min(height, region.top + region.height - top)
            yield Window(top, left, rows, min(width, region.left + region.width - left))


def seen(tile: Window, shape: tuple[int, int], grid: int, halo: int) -> Window:
    """Return what has to be read for a tile to come out as in the whole image of `shape`; see `Reconstructor.halo`.

    Examples
    --------
    >>> seen(Window(16, 0, 16, 16), (64, 20), grid=8, halo=8)
    Window(top=8, left=0, height=32, width=20)
    """
    top, left = (max(0, (start - halo) // grid * grid) for start in tile[:2])
    bottom, right = min(shape[0], tile.top + tile.height + halo), min(shape[1], tile.left + tile.width + halo)
    return Window(top, left, bottom - top, right - left)


def fitting(method: Reconstructor, shape: tuple[int, int], pixels: int) -> tuple[int, int]:
    """Return the height and width of the largest tile that, with what is seen around it, has so many pixels."""
    height, width = shape
    if height * width <= pixels:
        return shape
    around = 2 * method.halo
    step = math.lcm(method.grid, _CHUNK)

    def side(room: int, most: int) -> int:
        inner = room - around
        return min(
            most, max(method.grid, inner // step * step if inner >= step else inner // method.grid * method.grid)
        )

    rows = side(math.isqrt(pixels), height)
    columns = side(pixels // min(height, rows + around), width)
    rows = side(pixels // min(width, columns + around), height)  # a narrow image leaves room for higher tiles
    return rows, columns


def worthwhile(method: Reconstructor, pixels: int) -> int:
    """Return how many of so many pixels a tile should have: more where its surroundings would cost much, else fewer.

    Halved as long as a square tile keeps 19 of 20 of the pixels that are seen for it, and no further than a quarter.
    """
    for fewer in (pixels // 4, pixels // 2):
        side = math.isqrt(fewer)
        if (side - 2 * method.halo) ** 2 >= 0.95 * fewer and side > 2 * method.halo:
            return fewer
    return pixels
