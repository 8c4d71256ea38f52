"""What Pillow decodes: 8-bit PNG, JPEG, WebP, BMP, GIF, and TIFF with a palette or luma and chroma."""

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.images.stored import DROPPED_ALPHA, MAX_PIXELS, Stored, check_size, damaged, strips
from specrec.scenes import Window

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

ORIENTATION = 0x0112  # the EXIF tag
_MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr", "CMYK"}
_ONE_BYTE = {"1", "L", "P"}  # per pixel in Pillow's memory; the others take four
_EXIF, _COLOUR_SPACE, _INTEROPERABILITY, _INDEX = 0x8769, 0xA001, 0xA005, 1


def open_picture(path: Path, kind: str, max_pixels: int, content: BinaryIO | None = None) -> Stored:
    """Decode a file of 8 bits per channel or fewer, or other `content` for it; what it cannot be is refused before."""

    def check(picture: "Picture") -> None:
        # not JPEG: a second picture there is a preview, a depth map or the like
        if kind in ("GIF", "WEBP") and getattr(picture, "is_animated", False):
            raise DataError(f"{path} is animated; save the frame you want as an image of its own")
        if picture.mode not in _MODES:
            raise DataError(f"{path} is a {picture.mode} image; save it as sRGB first")

    picture = load_picture(path, (kind,), max_pixels, check, content)
    remarks = []
    with quiet_pillow():
        try:
            exif = picture.getexif()
            orientation = int(exif.get(ORIENTATION, 1))
        except Exception as error:  # damaged metadata may raise anything
            raise DataError(f"{path} has metadata that cannot be read: {type(error).__name__}") from None
        profile = picture.info.get("icc_profile") or None
        if profile is None and _is_adobe_rgb(exif):
            remarks.append("its EXIF data name Adobe RGB (1998)")
            profile = adobe_rgb()
        if _is_transparent(picture):
            remarks.append(DROPPED_ALPHA)
    # Adobe's inks are stored upside down, which Pillow takes every JPEG of inks for
    upside_down = kind == "JPEG" and picture.mode == "CMYK" and "adobe" not in picture.info
    return Stored(
        shape=(picture.height, picture.width),
        cut=_cut(picture, upside_down),
        orientation=orientation,
        profile=profile,
        remarks=tuple(remarks),
    )


def _cut(picture: "Picture", upside_down: bool) -> Callable[[Window], NDArray[Any]]:
    mode = {"1": "L", "L": "L", "LA": "L", "CMYK": "CMYK"}.get(picture.mode, "RGB")

    def cut(window: Window) -> NDArray[Any]:
        with quiet_pillow():
            levels = np.asarray(_crop(picture, window).convert(mode))
        levels = levels.reshape(window.height, window.width, -1)
        return 255 - levels if upside_down else levels

    return cut


def _crop(picture: "Picture", window: Window) -> "Picture":
    return picture.crop((window.left, window.top, window.left + window.width, window.top + window.height))


def _is_transparent(picture: "Picture") -> bool:
    if picture.mode not in ("LA", "PA", "RGBA") and "transparency" not in picture.info:
        return False
    parts = (_crop(picture, strip) for strip in strips((picture.height, picture.width)))
    return any(part.convert("RGBA").getchannel("A").getextrema() != (255, 255) for part in parts)


def _is_adobe_rgb(exif: Any) -> bool:
    """Tell whether a camera set to Adobe RGB wrote this: many say so in EXIF and embed no profile (DCF 2.0)."""
    try:
        uncalibrated = exif.get_ifd(_EXIF).get(_COLOUR_SPACE) in (2, 0xFFFF)
        return uncalibrated and str(exif.get_ifd(_INTEROPERABILITY).get(_INDEX, "")).startswith("R03")
    except Exception:  # damaged metadata may raise anything
        return False


def adobe_rgb() -> bytes:
    """Give an ICC profile of Adobe RGB (1998)."""
    import imagecodecs

    return bytes(imagecodecs.cms_profile("adobergb"))


def load_picture(
    path: Path,
    formats: tuple[str, ...],
    max_pixels: int = MAX_PIXELS,
    check: Callable[["Picture"], None] | None = None,
    content: BinaryIO | None = None,
) -> "Picture":
    """Decode a file with Pillow, or say in one sentence why it cannot be.

    Parameters
    ----------
    path, max_pixels
        As for `specrec.images.read_image`.
    formats
        That it may have, as Pillow names them.
    check
        Called with the picture when its header is read and nothing is decoded; it may raise a DataError.
    content
        What is decoded instead of the file.
    """
    import PIL.Image

    try:
        with quiet_pillow(), content or path.open("rb") as file:
            picture = PIL.Image.open(file, formats=formats)
            check_size(path, (picture.height, picture.width), _bytes_per_pixel(picture), max_pixels)
            if check is not None:
                check(picture)
            picture.load()
        return picture
    except DataError:
        raise
    except PIL.UnidentifiedImageError:
        raise DataError(
            f"{path} is not an image that can be read ({', '.join(formats)}), or its header is damaged"
        ) from None
    except Exception as error:  # a decoder may raise anything on damaged bytes
        raise damaged(path, error) from None


def _bytes_per_pixel(picture: "Picture") -> int:
    decoded = 1 if picture.mode in _ONE_BYTE else 4
    if picture.format == "WEBP":
        return 4 * decoded  # two canvases of its decoder and a copy
    return decoded + 2 * len(picture.getbands()) * bool(picture.info.get("progressive"))  # all coefficients of a JPEG


@cache
def _handlers_of_libtiff() -> list[Callable[[int | None], int | None]]:
    """Find what sets the function by which Pillow's libtiff prints errors; where none is found, it prints them."""
    import ctypes

    found: list[Callable[[int | None], int | None]] = []
    with suppress(OSError, AttributeError):  # only Linux lists the libraries of a process, and one may hide its names
        lines = Path("/proc/self/maps").read_text("utf-8", "surrogateescape").splitlines()
        names = {line.split(maxsplit=5)[5] for line in lines if "libtiff" in line.rpartition("/")[2]}
        for name in sorted(names):
            setter = ctypes.CDLL(name).TIFFSetErrorHandler
            setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
            found.append(setter)
    return found


_lock = threading.Lock()
_readers = 0
_quiet = ExitStack()


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silence Pillow's warnings about odd metadata, and its own limit of pixels: the pixels and our limit count.

    Its library for TIFF prints nothing of a damaged file either, which a sentence tells. All three are settings of the
    whole process: the first of several threads changes them, the last one puts them back.
    """
    global _readers, _quiet
    import PIL.Image

    with _lock:
        if _readers == 0:
            _quiet = ExitStack()
            _quiet.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL\b")
            for setter in _handlers_of_libtiff():
                _quiet.callback(setter, setter(None))
            _quiet.callback(setattr, PIL.Image, "MAX_IMAGE_PIXELS", PIL.Image.MAX_IMAGE_PIXELS)
            PIL.Image.MAX_IMAGE_PIXELS = None
        _readers += 1
    try:
        yield
    finally:
        with _lock:
            _readers -= 1
            if _readers == 0:
                _quiet.close()
