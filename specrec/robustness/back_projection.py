"""Back-projection, Lin and Finlayson 2020, doi:10.3390/s20216399: an estimate rendered to what it was made from."""

import numpy as np

from specrec.interfaces import Score
from specrec.rendering import encode_srgb, linear_srgb
from specrec.scenes import Image, InputKind, Mask


def back_projection(rendered: Image, photo: Image, mask: Mask, kind: InputKind) -> Score:
    """Root of the mean squared difference of two photos, in 8-bit levels of sRGB, over pixels and channels.

    Parameters
    ----------
    rendered, photo
        The estimate rendered as the method's input is, and the input, (height, width, 3).
    mask
        Pixels that count, (height, width) bool.
    kind
        Of both: ``"srgb8"``, or ``"linear"``, which is encoded first and not rounded.
    """
    count = int(mask.sum())
    if not count:
        return Score(0.0, 0.0)
    one, other = (_levels(image[mask], kind) for image in (rendered, photo))
    return Score(float(np.sqrt(np.mean((one - other) ** 2))), float(count))


def _levels(colours: Image, kind: InputKind) -> np.ndarray:
    values = colours.astype(np.float64)
    return 255.0 * (encode_srgb(linear_srgb(values)) if kind == "linear" else values)
