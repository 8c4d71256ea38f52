"""A contact sheet: small pictures of scenes with their names, to see at a glance that a data set is read aright."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specrec.rendering import render
from specrec.scenes import Mask
from specrec.spectra import Cube, is_standard_grid

Pixels = NDArray[np.uint8]

SIDE = 192  # pixels of a thumbnail's longer side
_GAP = 12
_LABEL = 22
_PAPER, _INK = (32, 32, 32), (235, 235, 235)


def thumbnail(
    cube: Cube, mask: Mask, wavelengths: NDArray[np.float64], extent: tuple[float, float], side: int = SIDE
) -> Pixels:
    """Render a scene, scaled by its own minimum and maximum as the benchmark does, and make it small.

    Parameters
    ----------
    cube
        The whole scene, (height, width, bands). Off the standard grid it is drawn grey, as the mean over its bands.
    mask
        Valid pixels, (height, width); the others are drawn black.
    wavelengths
        nm.
    extent
        The minimum and maximum that become 0 and 1.
    side
        Of the longer side of the result, pixels.

    Returns
    -------
    (height, width, 3) uint8 sRGB.
    """
    import PIL.Image

    height, width = mask.shape
    stride = max(1, max(height, width) // (2 * side))  # twice as many pixels as needed, then averaged: quick and smooth
    low, high = extent
    scaled = (cube[::stride, ::stride] - np.float32(low)) / np.float32(high - low)
    scaled = np.where(mask[::stride, ::stride, np.newaxis], scaled, np.float32(0.0))
    if is_standard_grid(wavelengths):
        pixels: Pixels = render(scaled, wavelengths)
    else:
        grey = np.rint(np.clip(scaled.mean(axis=2), 0.0, 1.0) * 255.0).astype(np.uint8)
        pixels = np.repeat(grey[..., np.newaxis], 3, axis=2)
    factor = side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(PIL.Image.fromarray(pixels).resize(size, PIL.Image.Resampling.BOX))


def contact_sheet(pictures: Sequence[tuple[str, Pixels]], side: int = SIDE) -> Pixels:
    """Lay thumbnails out in rows, each with its name below.

    Parameters
    ----------
    pictures
        Names and (height, width, 3) uint8 pixels, no side longer than `side`.
    side
        Of the square each picture is centred in.

    Returns
    -------
    (height, width, 3) uint8.
    """
    import PIL.Image
    import PIL.ImageDraw
    import PIL.ImageFont

    columns = max(1, min(len(pictures), math.ceil((1.5 * len(pictures)) ** 0.5)))  # wider than high
    rows = -(-len(pictures) // columns)
    step_down, step_right = side + _LABEL + _GAP, side + _GAP
    sheet = PIL.Image.new("RGB", (columns * step_right + _GAP, rows * step_down + _GAP), _PAPER)
    pen, font = PIL.ImageDraw.Draw(sheet), PIL.ImageFont.load_default(size=13)
    for place, (name, pixels) in enumerate(pictures):
        top, left = _GAP + place // columns * step_down, _GAP + place % columns * step_right
        height, width = pixels.shape[:2]
        sheet.paste(PIL.Image.fromarray(pixels), (left + (side - width) // 2, top + (side - height) // 2))
        label = name
        while pen.textlength(label, font=font) > side and len(label) > 2:
            label = label[:-2] + "…"
        pen.text((left + side / 2, top + side + _LABEL / 2), label, fill=_INK, font=font, anchor="mm")
    return np.asarray(sheet)
