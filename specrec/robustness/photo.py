"""The photo that a condition makes of a test scene, as the input of a method."""

import numpy as np
from numpy.typing import NDArray

from specrec.rendering import RGB_TO_XYZ, Quantisation, encode_srgb, linear_srgb, quantise, srgb_to_xyz, xyz
from specrec.robustness.camera import taken
from specrec.robustness.conditions import Condition
from specrec.robustness.exposure import exposed
from specrec.robustness.jpeg import compressed
from specrec.robustness.noise import noisy
from specrec.robustness.observer import observed
from specrec.scenes import Image, InputKind
from specrec.spectra import Cube


def clean(cube: Cube) -> NDArray[np.float64]:
    """Render a cube as every clean photo is: linear sRGB, (height, width, 3), not clipped."""
    return linear_srgb(xyz(cube) / 100.0)


def photo(what: Condition, cube: Cube, kind: InputKind, quantisation: Quantisation, seed: int) -> Image:
    """Make the input that a method gets instead of the clean one.

    Parameters
    ----------
    what
        A condition that disturbs.
    cube
        (height, width, 31), scaled.
    kind
        ``"srgb8"``: sRGB in [0, 1]; ``"linear"``: XYZ/100, neither clipped nor rounded, except of a JPEG: there it is
        what `specrec run` makes of such a photo.
    quantisation
        Of the 8-bit sRGB. A JPEG has 8 bits in any case.
    seed
        Of what is drawn.
    """
    if what.kind == "jpeg":
        depth: Quantisation = "round" if quantisation == "none" else quantisation
        levels = compressed(quantise(encode_srgb(clean(cube)), depth), int(what.number))
        encoded: Image = levels.astype(np.float32) / np.float32(255.0)
        return encoded if kind == "srgb8" else srgb_to_xyz(encoded).astype(np.float32)
    return _input(_linear(what, cube, seed), kind, quantisation)


def _linear(what: Condition, cube: Cube, seed: int) -> NDArray[np.floating]:
    if what.kind == "exposure":
        return exposed(clean(cube), what.number)
    if what.kind == "noise":
        return noisy(clean(cube), what.number, seed)
    if what.kind == "observer":
        return observed(cube, what.name)
    if what.kind == "camera":
        return taken(cube, what.name)
    raise ValueError(f"{what} makes no other photo")


def _input(linear: NDArray[np.floating], kind: InputKind, quantisation: Quantisation) -> Image:
    if kind == "linear":
        return (linear.astype(np.float64) @ RGB_TO_XYZ.T).astype(np.float32)
    encoded = encode_srgb(linear)
    if quantisation == "none":
        return encoded.astype(np.float32)
    return quantise(encoded, quantisation).astype(np.float32) / np.float32(255.0)
