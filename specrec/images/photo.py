"""A photo of any kind, upright, as sRGB in [0, 1], read window by window."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError, UsageError
from specrec.images.jpeg import open_jpeg
from specrec.images.kinds import RAW, kind_of, wrong_name
from specrec.images.pillow import open_picture
from specrec.images.png import open_png
from specrec.images.profiles import HALF_A_LEVEL, Conversion, ProfileError, conversion_of
from specrec.images.raw import open_raw
from specrec.images.stored import MAX_PIXELS, Stored
from specrec.images.tiff import open_tiff
from specrec.rendering import encode_srgb
from specrec.scenes import Image, Window
from specrec.untrusted import is_there

_WORTH_A_WORD = 0.001  # of the values
_SAMPLED = 256  # rows and columns that are looked at for colours outside sRGB
_SIDEWAYS = (5, 6, 7, 8)  # orientations
_BLOCK = 1 << 16  # pixels that are encoded at once: in float64, which the photo is never whole


def read_image(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS, *, linear: bool = False) -> Image:
    """Read a photo as sRGB.

    Parameters
    ----------
    path
        PNG, JPEG, WebP, BMP or GIF, TIFF of up to 16 bits or floating point, or camera raw with the extra
        ``specrec[raw]``; told by content. The orientation a camera noted is applied, an embedded ICC profile is
        converted to sRGB, alpha is dropped (not blended), grey and palette images become RGB.
    max_pixels
        A larger image is refused before it is decoded.
    linear
        The values are linear light with the primaries of sRGB, not encoded. An embedded profile is then only used if
        it is one of linear light, too. Camera raw is linear in any case.

    Returns
    -------
    (height, width, 3) float32 in [0, 1]: the value over 255 or 65535, or the floating-point value. 1 is white; values
    outside are clipped, nothing is stretched.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        If the file is no image, is damaged, animated, a cube, of inks without a profile, holds NaN or integers of more
        than 16 bits, has more than `max_pixels` pixels, or does not fit in memory.
    """
    photo = Photo(path, max_pixels, linear=linear)
    return photo.read(Window(0, 0, *photo.shape))


class Photo:
    """A user's photo, kept as it was decoded and made sRGB in [0, 1] window by window.

    It takes 4 bytes per pixel for 8 bits per channel, 2 per channel for 16 bits, and as many as the file for floating
    point. Parameters and errors are those of `read_image`, of which this is the form for photos of any size.

    Attributes
    ----------
    remarks
        What the user should know of how the file was read, a clause each.
    """

    def __init__(self, path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS, *, linear: bool = False) -> None:
        self.path = Path(path)
        if not is_there(self.path):
            raise UsageError(f"there is no image {path}")
        if self.path.is_dir():
            raise UsageError(f"{path} is a folder; give an image file")
        kind = kind_of(self.path)
        self._stored = _open(self.path, kind, max_pixels)
        self._linear = linear or self._stored.linear
        remarks = [wrong_name(self.path, kind), *self._stored.remarks]
        self._conversion = self._choose_conversion(remarks)
        self._check_values(remarks)
        self.remarks: tuple[str, ...] = tuple(remark for remark in remarks if remark)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), upright."""
        height, width = self._stored.shape
        return (width, height) if self._stored.orientation in _SIDEWAYS else (height, width)

    def read(self, window: Window) -> Image:
        """Return a window of the upright photo, (height, width, 3) float32 in [0, 1]."""
        stored = self._stored
        place = _in_the_file(window, self.shape, stored.orientation)
        return np.ascontiguousarray(_turn(self._to_srgb(stored.cut(place)), stored.orientation))

    def _to_srgb(self, values: NDArray[Any]) -> Image:
        """Make (height, width, 3) float32 in [0, 1] of a part of the file."""
        if self._conversion is not None and values.dtype == np.uint8:
            image = self._conversion.levels(values).astype(np.float32)
            image /= np.float32(255.0)
            return image
        image = values.astype(np.float32)
        image /= np.float32(self._stored.full_scale)
        if self._conversion is not None:
            image = self._conversion.values(image)
        elif self._linear:
            _encode(image)
        if image.shape[2] == 1:
            image = np.repeat(image, 3, axis=2)
        return np.clip(image, 0.0, 1.0, out=image)

    def _choose_conversion(self, remarks: list[str | None]) -> Conversion | None:
        """Decide what becomes of the embedded profile, and say it."""
        stored = self._stored
        channels = stored.cut(Window(0, 0, 1, 1)).shape[2]
        found = None
        if stored.profile is not None:
            try:
                found = conversion_of(stored.profile, channels)
            except ProfileError as error:
                remarks.append(str(error))
        if channels == 4:
            if found is None:
                why = "" if stored.profile is None else " that fits"
                raise DataError(
                    f"{self.path} is a CMYK image without a profile{why}, and only that says what its inks look like; "
                    "save it as sRGB first"
                )
        elif found is not None and self._linear and not found.is_linear():
            remarks.append(f"its profile {found.name} was not applied: its values were taken as linear light")
            return None
        elif found is not None and found.is_srgb():
            return None
        if found is not None:
            remarks.append(f"converted from {found.name} to sRGB")
        return found

    def _check_values(self, remarks: list[str | None]) -> None:
        """Refuse what is no number, and say what share of the values will be clipped."""
        share, what = 0.0, "of the values lie below 0 (black) or above 1 (white) and were clipped"
        if self._stored.floating:
            outside = count = 0
            for block in self._stored.blocks():
                if not np.isfinite(block).all():
                    raise DataError(f"{self.path} holds NaN or infinite values; a photo has a number in every pixel")
                outside += int(np.count_nonzero((block < 0.0) | (block > 1.0)))
                count += block.size
            share = outside / count
            if self._conversion is None and not self._linear:
                remarks.append("its floating-point values were taken as sRGB; pass --linear for linear light")
        if self._conversion is not None:
            share, what = (
                _share_outside_srgb(self._stored, self._conversion),
                "of the pixels lie outside sRGB and were clipped to it",
            )
        if share > _WORTH_A_WORD:
            remarks.append(f"{'about ' * (self._conversion is not None)}{100 * share:.3g} % {what}")


def _open(path: Path, kind: str, max_pixels: int) -> Stored:
    if kind == RAW:
        return open_raw(path, max_pixels)
    if kind == "PNG":
        return open_png(path, max_pixels)
    if kind == "JPEG":
        return open_jpeg(path, max_pixels)
    if kind == "TIFF":
        return open_tiff(path, max_pixels)
    return open_picture(path, kind, max_pixels)


def _share_outside_srgb(stored: Stored, conversion: Conversion) -> float:
    """Estimate what share of the pixels a conversion clips, from rows and columns all over the photo."""
    height, width = stored.shape
    step = -(-width // _SAMPLED)
    rows = np.unique(np.linspace(0, height - 1, min(height, _SAMPLED)).astype(int))
    values = np.concatenate([stored.cut(Window(int(row), 0, 1, width))[:, ::step] for row in rows])
    srgb = conversion.values(values.astype(np.float32) / np.float32(stored.full_scale))
    return float(((srgb < -HALF_A_LEVEL) | (srgb > 1.0 + HALF_A_LEVEL)).any(axis=2).mean())


def _encode(image: Image) -> None:
    """Encode linear light as sRGB, in place."""
    rows = max(1, _BLOCK // image.shape[1])
    for top in range(0, image.shape[0], rows):
        image[top : top + rows] = encode_srgb(image[top : top + rows])


def _in_the_file(window: Window, shape: tuple[int, int], orientation: int) -> Window:
    """Find where a window of the upright photo of this shape lies in the file."""
    top, left, high, wide = window
    height, width = shape
    below, right = height - top - high, width - left - wide
    return {
        2: Window(top, right, high, wide),
        3: Window(below, right, high, wide),
        4: Window(below, left, high, wide),
        5: Window(left, top, wide, high),
        6: Window(right, top, wide, high),
        7: Window(right, below, wide, high),
        8: Window(left, below, wide, high),
    }.get(orientation, window)


def _turn(image: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn a part of the file upright, as EXIF counts."""
    if orientation in _SIDEWAYS:
        image = image.swapaxes(0, 1)  # 5
    return {
        2: image[:, ::-1],
        3: image[::-1, ::-1],
        4: image[::-1],
        6: image[:, ::-1],
        7: image[::-1, ::-1],
        8: image[::-1],
    }.get(orientation, image)
