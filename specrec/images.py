"""A user's photo -> RGB in [0, 1], and 8-bit pixels -> a PNG file.

Eight bits per channel are read. Deeper files are refused rather than cut down to 8 bits, which is what Pillow would do.
"""

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specrec.cache import written_whole
from specrec.errors import DataError, UsageError
from specrec.scenes import Image

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr"}  # 8 bits or fewer, and no ink colours
_BITS_PER_SAMPLE = 258  # the TIFF tag
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class PngHeader(NamedTuple):
    """What the first 26 bytes of a PNG say."""

    width: int
    height: int
    depth: int
    """Bits per channel."""
    colour: int
    """0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA."""


def read_image(path: str | os.PathLike[str]) -> Image:
    """Read a photo as sRGB.

    Parameters
    ----------
    path
        PNG, JPEG, TIFF, BMP or WebP of 8 bits per channel. The orientation a camera noted is applied, alpha is dropped
        (not blended), grey and palette images become RGB.

    Returns
    -------
    (height, width, 3) float32 in [0, 1]: the 8-bit value over 255.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        If the file is no image, is damaged, has more than 8 bits per channel or too many pixels to be a photo.
    """
    path = Path(path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give an image file")
    if not path.exists():
        raise UsageError(f"there is no image {path}")
    picture = load_picture(path, FORMATS)
    if _is_deep(path, picture):
        raise DataError(f"{path} has more than 8 bits per channel; save it as 8-bit sRGB first")
    if picture.mode not in _MODES:
        raise DataError(f"{path} is a {picture.mode} image; save it as 8-bit sRGB first")
    return np.asarray(_as_rgb(path, picture)).astype(np.float32) / np.float32(255.0)


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


def load_picture(path: Path, formats: tuple[str, ...]) -> "Picture":
    """Decode a file with Pillow, or say in one sentence why it cannot be."""
    import PIL.Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks on odd metadata; the pixels are what counts
            warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
            with path.open("rb") as file:
                picture = PIL.Image.open(file, formats=formats)
                picture.load()
        return picture
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise DataError(
            f"{path} has more than {PIL.Image.MAX_IMAGE_PIXELS or 0:,} pixels; make it smaller first"
        ) from None
    except PIL.UnidentifiedImageError:
        raise DataError(f"{path} is not an image that can be read ({', '.join(formats)})") from None
    except Exception as error:  # a decoder may raise anything on damaged bytes
        raise DataError(f"{path} is damaged and cannot be decoded: {_first_line(error)}") from None


def _as_rgb(path: Path, picture: "Picture") -> "Picture":
    from PIL import ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on palettes with transparency, which is dropped anyway
            return ImageOps.exif_transpose(picture).convert("RGB")
    except Exception as error:  # damaged metadata may raise anything
        raise DataError(f"{path} has metadata that cannot be read: {_first_line(error)}") from None


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
