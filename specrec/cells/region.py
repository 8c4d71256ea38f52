"""The pixels of an image that count: all of them, what whole tiles cover, or what is left of it inside a border."""

import re

import numpy as np

from specrec.errors import UsageError
from specrec.scenes import Mask

REGION = re.compile(r"full|(tiles|crop):([1-9][0-9]*)")


def region_mask(region: str, height: int, width: int) -> Mask:
    """Mark the pixels that count, (height, width) bool.

    Raises
    ------
    UsageError
        If the image is too small to hold any.

    Examples
    --------
    >>> int(region_mask("tiles:256", 1392, 1300).sum()) == 1280 * 1280
    True
    """
    mask = np.zeros((height, width), dtype=np.bool_)
    match = REGION.fullmatch(region)
    if match is None:
        raise UsageError(f"unknown region {region!r}; write full, tiles:SIZE or crop:BORDER")
    if match[1] == "tiles":
        side = int(match[2])
        mask[: height // side * side, : width // side * side] = True
    elif match[1] == "crop":
        border = int(match[2])
        mask[border : max(height - border, 0), border : max(width - border, 0)] = True
    else:
        mask[:] = True
    if not mask.any():
        raise UsageError(f"region {region} leaves no pixel of an image of {height} x {width}")
    return mask
