"""A picture as it was decoded, before its colours and orientation are seen to, and what one may cost."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from specrec.errors import DataError, MemoryShortageError, plain_line
from specrec.memory import available_memory
from specrec.scenes import Window

MAX_PIXELS = 600_000_000
"""Of an image, unless told: over 500 megapixels, and far below what a small hostile file can claim to be."""

_BLOCK = 1 << 20  # pixels that are looked at at once


@dataclass(frozen=True)
class Stored:
    """A decoded picture.

    Parameters
    ----------
    shape
        (height, width) as it lies in the file, not turned upright.
    cut
        Gives the values of a window of it, (height, width, channels) in their own type: 1 channel is grey, 3 are RGB,
        4 are inks (CMYK, where 0 is no ink). Alpha is gone.
    full_scale
        The value of white: 255, 65535, 4095; 1 for floating point.
    orientation
        1 to 8, as EXIF counts.
    profile
        The embedded ICC profile, its bytes.
    linear
        The values are linear light with the primaries of sRGB.
    floating
        The values are floating-point numbers, which may lie outside 0..1.
    remarks
        What the user should know, a clause each.
    """

    shape: tuple[int, int]
    cut: Callable[[Window], NDArray[Any]]
    full_scale: float = 255.0
    orientation: int = 1
    profile: bytes | None = None
    linear: bool = False
    floating: bool = False
    remarks: tuple[str, ...] = ()

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Yield the values of strips of about a megapixel, from top to bottom."""
        for strip in strips(self.shape):
            yield self.cut(strip)


def strips(shape: tuple[int, int]) -> Iterator[Window]:
    """Yield windows of about a megapixel, as wide as the picture, from top to bottom."""
    height, width = shape
    rows = max(1, _BLOCK // max(1, width))
    for top in range(0, height, rows):
        yield Window(top, 0, min(rows, height - top), width)


def cut_array(values: NDArray[Any], zero: Any = None) -> Callable[[Window], NDArray[Any]]:
    """Make the `cut` of a `Stored` from an array (height, width, channels); `zero` is black where 0 is white."""
    return lambda window: values[window.slices] if zero is None else zero - values[window.slices]


def check_size(path: Path, shape: tuple[int, int], bytes_per_pixel: float, max_pixels: int) -> None:
    """Refuse, before it is decoded, a picture of too many pixels or one that memory does not hold."""
    pixels = shape[0] * shape[1]
    if pixels > max_pixels:
        raise DataError(f"{path} has {pixels:,} pixels; --max-pixels admits {max_pixels:,}")
    if pixels <= 0:
        raise DataError(f"{path} has no pixels: its size is {shape[0]} x {shape[1]}")
    needed, there = pixels * bytes_per_pixel, available_memory()
    if needed > there:
        raise MemoryShortageError(
            f"{path} takes {needed / 1e6:,.0f} MB when decoded and {there / 1e6:,.0f} MB of memory are available; "
            "end other programs or cut it up"
        )


def first_line(error: Exception) -> str:
    """Give what a library said of a damaged file, in one line."""
    return plain_line(str(error)) or type(error).__name__


def damaged(path: Path, error: Exception) -> DataError:
    """Make one sentence of whatever a decoder raised."""
    if isinstance(error, MemoryError):
        return MemoryShortageError(f"{path} does not fit in memory; end other programs or cut it up")
    return DataError(f"{path} is damaged and cannot be decoded: {first_line(error)}")


def is_transparent(alpha: NDArray[Any], opaque: float) -> bool:
    """Tell whether some pixel of an alpha channel (height, width) is not opaque."""
    return any(bool((alpha[strip.slices] != opaque).any()) for strip in strips((alpha.shape[0], alpha.shape[1])))


DROPPED_ALPHA = "alpha was dropped, not blended: some pixels are transparent"
