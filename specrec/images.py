"""A user's photo -> RGB in [0, 1], and 8-bit pixels -> a PNG file.

Eight bits per channel are read. Deeper files are refused rather than cut down to 8 bits, which is what Pillow would do.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specrec.cache import written_whole
from specrec.errors import DataError, UsageError
from specrec.memory import available_memory
from specrec.scenes import Image, Window

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAX_PIXELS = 600_000_000
"""Of an image, unless told: over 500 megapixels, and far below what a small hostile file can claim to be."""

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr"}  # 8 bits or fewer, and no ink colours
_ONE_BYTE = {"1", "L", "P"}  # per pixel in Pillow's memory; the others take four
_BITS_PER_SAMPLE = 258  # the TIFF tag
_ORIENTATION = 0x0112  # the EXIF tag
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class PngHeader(NamedTuple):
    """What the first 26 bytes of a PNG say."""

    width: int
    height: int
    depth: int
    """Bits per channel."""
    colour: int
    """0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA."""


def read_image(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS) -> Image:
    """Read a photo as sRGB.

    Parameters
    ----------
    path
        PNG, JPEG, TIFF, BMP or WebP of 8 bits per channel. The orientation a camera noted is applied, alpha is dropped
        (not blended), grey and palette images become RGB.
    max_pixels
        A larger image is refused before it is decoded.

    Returns
    -------
    (height, width, 3) float32 in [0, 1]: the 8-bit value over 255.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        If the file is no image, is damaged, has more than 8 bits per channel or more than `max_pixels` pixels.
    """
    photo = Photo(path, max_pixels)
    return photo.read(Window(0, 0, *photo.shape))


class Photo:
    """A user's photo, kept as it was decoded (4 bytes per pixel at most) and made RGB in [0, 1] window by window.

    Parameters and errors are those of `read_image`, of which this is the form for photos of any size.
    """

    remarks: tuple[str, ...] = ()

    def __init__(self, path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS, *, linear: bool = False) -> None:  # noqa: ARG002 - until the branch photos
        self.path = Path(path)
        if self.path.is_dir():
            raise UsageError(f"{path} is a folder; give an image file")
        if not self.path.exists():
            raise UsageError(f"there is no image {path}")
        self._stored = load_picture(self.path, FORMATS, max_pixels)
        if _is_deep(self.path, self._stored):
            raise DataError(f"{path} has more than 8 bits per channel; save it as 8-bit sRGB first")
        if self._stored.mode not in _MODES:
            raise DataError(f"{path} is a {self._stored.mode} image; save it as 8-bit sRGB first")
        try:
            with _quiet_pillow():
                self._orientation = int(self._stored.getexif().get(_ORIENTATION, 1))
        except Exception as error:  # damaged metadata may raise anything
            raise DataError(f"{path} has metadata that cannot be read: {_first_line(error)}") from None

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), upright."""
        width, height = self._stored.size
        return (width, height) if self._orientation in (5, 6, 7, 8) else (height, width)

    def read(self, window: Window) -> Image:
        """Return a window of the upright photo, (height, width, 3) float32 in [0, 1]."""
        from PIL.Image import Transpose

        # the window in the upright photo, and the same window as it lies in the stored one
        top, left = window.top, window.left
        bottom, right = top + window.height, left + window.width
        height, width = self.shape
        turns = {
            2: (Transpose.FLIP_LEFT_RIGHT, (width - right, top, width - left, bottom)),
            3: (Transpose.ROTATE_180, (width - right, height - bottom, width - left, height - top)),
            4: (Transpose.FLIP_TOP_BOTTOM, (left, height - bottom, right, height - top)),
            5: (Transpose.TRANSPOSE, (top, left, bottom, right)),
            6: (Transpose.ROTATE_270, (top, width - right, bottom, width - left)),
            7: (Transpose.TRANSVERSE, (height - bottom, width - right, height - top, width - left)),
            8: (Transpose.ROTATE_90, (height - bottom, left, height - top, right)),
        }
        turn, box = turns.get(self._orientation, (None, (left, top, right, bottom)))
        with _quiet_pillow():
            part = self._stored.crop(box)
            levels = (part if turn is None else part.transpose(turn)).convert("RGB")
        image = np.asarray(levels).astype(np.float32)
        image /= np.float32(255.0)
        return image


def write_png(path: Path, pixels: NDArray[np.uint8], *, overwrite: bool = False) -> None:
    """Write (height, width, 3) uint8 sRGB as a PNG, whole or not at all.

    Raises
    ------
    UsageError
        If the file exists and `overwrite` is false.
    SpecrecError
        If the folder cannot be written to.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"a PNG is made of (height, width, 3) uint8, not {pixels.shape} {pixels.dtype}")
    check_absent(path, overwrite)
    import PIL.Image

    with written_whole(path) as temporary:
        PIL.Image.fromarray(pixels).save(temporary, format="PNG")


def check_absent(path: Path, overwrite: bool) -> None:
    """Refuse to replace a file that nobody asked to replace, or to write over a folder."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file to write")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists; choose another name or pass --overwrite")


def read_png_header(path: Path) -> PngHeader:
    """Read size, depth and colour type without decoding.

    Raises
    ------
    DataError
        If the file cannot be read or is no PNG.
    """
    try:
        with path.open("rb") as file:
            start = file.read(26)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    if len(start) < 26 or not start.startswith(_PNG_SIGNATURE) or start[12:16] != b"IHDR":
        raise DataError(f"{path} is not a PNG image")
    width, height = int.from_bytes(start[16:20], "big"), int.from_bytes(start[20:24], "big")
    return PngHeader(width, height, start[24], start[25])


def load_picture(path: Path, formats: tuple[str, ...], max_pixels: int = MAX_PIXELS) -> "Picture":
    """Decode a file with Pillow, or say in one sentence why it cannot be."""
    import PIL.Image

    try:
        with _quiet_pillow(), path.open("rb") as file:
            picture = PIL.Image.open(file, formats=formats)
            pixels = picture.width * picture.height
            if pixels > max_pixels:
                raise DataError(f"{path} has {pixels:,} pixels; --max-pixels admits {max_pixels:,}")
            needed, there = pixels * (1 if picture.mode in _ONE_BYTE else 4), available_memory()
            if needed > there:
                raise DataError(
                    f"{path} takes {needed / 1e6:,.0f} MB when decoded and {there / 1e6:,.0f} MB of memory are "
                    "available; end other programs or cut it up"
                )
            picture.load()
        return picture
    except DataError:
        raise
    except PIL.UnidentifiedImageError:
        raise DataError(f"{path} is not an image that can be read ({', '.join(formats)})") from None
    except MemoryError:
        raise DataError(f"{path} does not fit in memory; end other programs or cut it up") from None
    except Exception as error:  # a decoder may raise anything on damaged bytes
        raise DataError(f"{path} is damaged and cannot be decoded: {_first_line(error)}") from None


@contextmanager
def _quiet_pillow() -> Iterator[None]:
    """Silence Pillow's remarks on odd metadata and its own limit of pixels: the pixels and our limit count."""
    import PIL.Image

    limit = PIL.Image.MAX_IMAGE_PIXELS
    PIL.Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        PIL.Image.MAX_IMAGE_PIXELS = limit


def _is_deep(path: Path, picture: "Picture") -> bool:
    """Tell whether Pillow has cut the values down to 8 bits, or would."""
    if picture.format == "PNG":
        return read_png_header(path).depth > 8
    if picture.format == "TIFF":
        bits = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,))
        return bool(max(bits) > 8)
    return picture.mode.startswith(("I", "F"))


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0]


SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
