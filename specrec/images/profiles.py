"""From the colours an ICC profile describes to sRGB, by LittleCMS: relative colorimetric with black point compensation.

8-bit pictures go through Pillow's ImageCms and stay 8-bit. That is all it does, so deeper ones go through imagecodecs,
in floating point.

References
----------
ICC.1:2022, Image technology colour management; IEC 61966-2-1:1999.
"""

import io
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.rendering import decode_srgb

_CHANNELS = {"GRAY": 1, "RGB": 3, "CMYK": 4}
_PILLOW_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}
_RELATIVE_COLORIMETRIC, _BLACK_POINT_COMPENSATION = 1, 0x2000  # LittleCMS's own numbers
_FITTING = {(1, "GRAY"), (1, "RGB"), (3, "RGB"), (4, "CMYK")}  # grey pictures with an RGB profile are common
HALF_A_LEVEL = 0.5 / 255.0


class ProfileError(Exception):
    """A profile that cannot be applied; a clause says why."""


@dataclass(frozen=True)
class Conversion:
    """From the colours of a profile to sRGB.

    Parameters
    ----------
    content
        The profile.
    space
        ``GRAY``, ``RGB`` or ``CMYK``.
    name
        What the profile calls itself.
    """

    content: bytes
    space: str
    name: str

    def levels(self, levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Convert (height, width, channels) of 8 bits to (height, width, 3) sRGB of 8 bits, clipped to its gamut."""
        from PIL import Image, ImageCms

        ready = self._with_channels(levels)
        picture = Image.frombuffer(_PILLOW_MODES[self.space], ready.shape[1::-1], np.ascontiguousarray(ready))
        converted = ImageCms.applyTransform(picture, self._transform)
        return np.asarray(converted)

    def values(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Convert (height, width, channels) of 0..1 to (height, width, 3) sRGB, not clipped."""
        import imagecodecs

        ready = self._with_channels(values)
        if self.space == "CMYK":
            ready = ready * np.float32(100.0)  # per cent of ink
        out = imagecodecs.cms_transform(
            np.ascontiguousarray(ready[..., 0] if self.space == "GRAY" else ready),
            self.content,
            _srgb(),
            colorspace=self.space.lower(),
            outcolorspace="rgb",
            outdtype="float32",
            intent=_RELATIVE_COLORIMETRIC,
            flags=_BLACK_POINT_COMPENSATION,
        )
        return np.asarray(out, dtype=np.float32)

    def is_srgb(self) -> bool:
        """Tell whether nothing changes, to half a level of 8 bits: then nothing is converted."""
        if self.space == "CMYK":
            return False
        colours = _grid(_CHANNELS[self.space])
        return bool(np.abs(self.values(colours) - colours).max() < HALF_A_LEVEL)

    def is_linear(self) -> bool:
        """Tell whether the profile's values are linear light."""
        if self.space == "CMYK":
            return False
        grey = np.repeat(np.linspace(0.0, 1.0, 33, dtype=np.float32)[np.newaxis, :, np.newaxis], 3, axis=2)
        light = decode_srgb(self.values(grey[..., : _CHANNELS[self.space]]))
        return bool(np.abs(light - grey).max() < 0.005)

    @cached_property
    def _transform(self) -> Any:
        from PIL import ImageCms

        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(self.content)),
            ImageCms.ImageCmsProfile(io.BytesIO(_srgb())),
            _PILLOW_MODES[self.space],
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )

    def _with_channels(self, values: NDArray[Any]) -> NDArray[Any]:
        """Make a grey picture RGB where its profile is one of RGB."""
        return np.repeat(values, 3, axis=2) if values.shape[2] < _CHANNELS[self.space] else values


def conversion_of(content: bytes, channels: int) -> Conversion:
    """Open the profile of a picture of 1 (grey), 3 (RGB) or 4 (CMYK) channels.

    Raises
    ------
    ProfileError
        If it is damaged, or is one for other colours than the picture has.
    """
    from PIL import ImageCms

    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        space = profile.profile.xcolor_space.strip()
    except Exception:  # damaged bytes may raise anything
        raise ProfileError("its colour profile is damaged and was not applied") from None
    if space not in _CHANNELS or (channels, space) not in _FITTING:
        raise ProfileError(f"its colour profile is one of {space}, which the picture is not, and was not applied")
    found = Conversion(content, space, _name(profile))
    try:
        colours = _grid(channels)
        found.levels(np.rint(colours * 255.0).astype(np.uint8))
        usable = bool(np.isfinite(found.values(colours)).all())
    except Exception:  # as above
        usable = False
    if not usable:
        raise ProfileError("its colour profile is damaged and was not applied")
    return found


def _name(profile: Any) -> str:
    from PIL import ImageCms

    try:
        return " ".join(ImageCms.getProfileDescription(profile).split()) or "an unnamed profile"
    except Exception:  # a profile without a description
        return "an unnamed profile"


def _grid(channels: int) -> NDArray[np.float32]:
    """Make colours from all over the space, (1, colours, channels) of 0..1."""
    axis = np.linspace(0.0, 1.0, {1: 256, 3: 8, 4: 3}[channels], dtype=np.float32)
    return np.stack(np.meshgrid(*[axis] * channels, indexing="ij"), axis=-1).reshape(1, -1, channels)


@cache
def _srgb() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
