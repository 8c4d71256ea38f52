"""A scene: one acquisition, its cube read only when asked, and the protocol's view of it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.rendering import Quantisation, encode_srgb, linear_srgb, render, xyz
from specrec.spectra import Cube

Quantity = Literal["radiance", "reflectance"]
Scaling = Literal["minmax", "none"]
InputKind = Literal["srgb8", "linear"]
Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

_HASHED_ROWS = 64


class Window(NamedTuple):
    """A rectangle of pixels: its upper left corner and its size."""

    top: int
    left: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """The two slices that cut this window out of an array."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


@dataclass(frozen=True)
class Scene:
    """One acquisition as its source gives it; values are the source's own.

    Parameters
    ----------
    name
        Stable within its source.
    shape
        (height, width, bands).
    wavelengths
        nm, one per band, increasing.
    quantity
        ``"radiance"`` or ``"reflectance"``.
    provenance
        Where it comes from: a file, or the recipe of a synthetic scene.
    read
        Gives the cube of a window, or the whole for None: (height, width, bands), float32.
    read_mask
        Gives the valid pixels, (height, width) bool; None: every pixel is valid.
    known_extent
        What `extent` would find, where a survey has read the scene before.
    content
        Hash of the cube and the mask, where a survey has read them; empty: nobody has.
    """

    name: str
    shape: tuple[int, int, int]
    wavelengths: NDArray[np.float64]
    quantity: Quantity
    provenance: str
    read: Callable[[Window | None], Cube] = field(repr=False)
    read_mask: Callable[[], Mask] | None = field(default=None, repr=False)
    known_extent: tuple[float, float] | None = None
    content: str = ""

    @cached_property
    def mask(self) -> Mask:
        """Valid pixels, (height, width) bool."""
        if self.read_mask is None:
            return np.ones(self.shape[:2], dtype=np.bool_)
        return self.read_mask()

    def cube(self, window: Window | None = None) -> Cube:
        """Read the cube, or one window of it: float32 (height, width, bands), in the source's values."""
        if window is not None:
            _check_inside(window, self)
        return self.read(window)

    def rgb(self, window: Window | None = None) -> Image:
        """Render what a camera would see of the scene scaled to 0..1: 8-bit sRGB as float32 in [0, 1]."""
        return TrainingScene(self).rgb(window)

    @cached_property
    def extent(self) -> tuple[float, float]:
        """Minimum and maximum over all bands of the valid pixels of the whole scene; reads it once."""
        if self.known_extent is not None:
            return self.known_extent
        values = self.cube()[self.mask]
        if values.size == 0:
            raise DataError(f"{self.name}: no pixel of the scene is valid")
        return float(values.min()), float(values.max())


@dataclass(frozen=True)
class TrainingScene:
    """What a method may see of a scene while it learns: the scaled cube and the RGB made of it.

    The harness decides scaling, quantisation and the kind of input; a method only reads.

    Parameters
    ----------
    scene
        The acquisition.
    scaling
        ``"minmax"``: one minimum and maximum per image (Alvarez-Gila et al. 2017); ``"none"``: values as they are.
    quantisation
        Of the 8-bit sRGB.
    input
        ``"srgb8"``: sRGB in [0, 1] after quantisation; ``"linear"``: XYZ/100, neither clipped nor quantised.
    """

    scene: Scene
    scaling: Scaling = "minmax"
    quantisation: Quantisation = "round"
    input: InputKind = "srgb8"

    @property
    def name(self) -> str:
        """The scene's name."""
        return self.scene.name

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, bands)."""
        return self.scene.shape

    @property
    def wavelengths(self) -> NDArray[np.float64]:
        """One per band, in nm."""
        return self.scene.wavelengths

    @property
    def mask(self) -> Mask:
        """Valid pixels, (height, width) bool."""
        return self.scene.mask

    def cube(self, window: Window | None = None) -> Cube:
        """Read the scaled cube, or a window of it: float32, invalid pixels are 0."""
        valid = self.mask if window is None else self.mask[window.slices]
        return self.scaled(self.scene.cube(window), valid)

    def scaled(self, values: Cube, valid: Mask) -> Cube:
        """Scale values of the source, as `cube` gives them; `valid` says which of their pixels count."""
        if self.scaling != "none":
            low, width = self.scale
            values = (values - low) / width
        return np.where(valid[..., np.newaxis], values, np.float32(0.0))

    @property
    def scale(self) -> tuple[np.float32, np.float32]:
        """What a source's value is scaled by: the least is subtracted, then it is divided by the width of the range.

        Raises
        ------
        DataError
            If every value is the same, so that there is no range.
        """
        if self.scaling == "none":
            return np.float32(0.0), np.float32(1.0)
        low, high = self.scene.extent
        if not high > low:
            raise DataError(f"{self.name}: a constant cube (every value is {low:g}) cannot be scaled to 0..1")
        return np.float32(low), np.float32(high - low)

    def rgb(self, window: Window | None = None) -> Image:
        """Render the input of the method, (height, width, 3) float32; its kind is `input`."""
        return self.rgb_of(self.cube(window))

    def rgb_of(self, cube: Cube) -> Image:
        """Render the input from a cube of this scene that is already in memory."""
        if self.input == "srgb8" and self.quantisation != "none":
            levels = render(cube, self.wavelengths, quantisation=self.quantisation)
            return levels.astype(np.float32) / np.float32(255.0)
        tristimulus = xyz(cube, self.wavelengths) / 100.0
        if self.input == "linear":
            return tristimulus.astype(np.float32)
        return encode_srgb(linear_srgb(tristimulus)).astype(np.float32)


def content_hash(cube: Cube, mask: Mask) -> str:
    """Hash a cube, as little-endian float32 in C order, followed by its mask as bytes: SHA-256 in hex."""
    digest = hashlib.sha256()
    for top in range(0, len(cube), _HASHED_ROWS):  # a cube in another order is not copied as a whole
        digest.update(np.ascontiguousarray(cube[top : top + _HASHED_ROWS], dtype="<f4").data)
    digest.update(np.ascontiguousarray(mask, dtype=np.uint8).data)
    return digest.hexdigest()


def check_image(rgb: Image) -> None:
    """Raise ValueError unless this is (height, width, 3) of finite floating-point numbers."""
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"an image has the shape (height, width, 3), this one {rgb.shape}")
    if rgb.dtype.kind != "f":
        raise ValueError(f"an image holds floating-point numbers in [0, 1], this one {rgb.dtype}")
    if not np.isfinite(rgb).all():
        raise ValueError("an image holds finite numbers, this one NaN or infinity")


def _check_inside(window: Window, scene: Scene) -> None:
    height, width = scene.shape[:2]
    inside = window.top >= 0 and window.left >= 0 and window.height > 0 and window.width > 0
    if not inside or window.top + window.height > height or window.left + window.width > width:
        raise ValueError(f"{window} does not lie inside scene {scene.name} of {height} x {width} pixels")
