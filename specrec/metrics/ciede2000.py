"""CIEDE2000: the colour difference of two CIELAB colours.

The formula of CIE 142-2001, in the form and with the decisions about hue that Sharma, Wu and Dalal (2005),
doi:10.1002/col.20070, give; the parametric factors kL, kC, kH are 1.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]

_25_TO_THE_7TH = 25.0**7
_HALF_TURN = 180.0 + 1e-9
"""Hues exactly opposite count as 180 degrees apart: rounding must not decide on which side the mean hue lies."""


def ciede2000(lab_1: ArrayLike, lab_2: ArrayLike) -> Numbers:
    """Colour difference CIEDE2000 between pairs of CIELAB colours.

    Parameters
    ----------
    lab_1, lab_2
        (..., 3): L* 0..100, a*, b*. Their order does not matter.

    Returns
    -------
    (...), float64; 0 for equal colours.

    Raises
    ------
    ValueError
        If the shapes differ or the last axis is not of size 3.

    References
    ----------
    Sharma, Wu and Dalal 2005, doi:10.1002/col.20070, equations 2 to 22; CIE 142-2001.

    Examples
    --------
    >>> ciede2000([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485]).round(4).item()
    2.0425
    """
    first, second = np.asarray(lab_1, dtype=np.float64), np.asarray(lab_2, dtype=np.float64)
    if first.shape != second.shape or first.shape[-1:] != (3,):
        raise ValueError(f"pairs of Lab colours need equal shapes (..., 3), not {first.shape} and {second.shape}")
    # one contiguous array for each coordinate: numpy may round functions of strided arrays differently
    lightness_1, a_1, b_1 = (first[..., axis].copy() for axis in range(3))
    lightness_2, a_2, b_2 = (second[..., axis].copy() for axis in range(3))

    stretch = 1.0 + 0.5 * (1.0 - _grey_to_chromatic((np.hypot(a_1, b_1) + np.hypot(a_2, b_2)) / 2.0))
    chroma_1, hue_1 = _polar(a_1 * stretch, b_1)
    chroma_2, hue_2 = _polar(a_2 * stretch, b_2)
    difference, mean_hue = _hues(hue_1, hue_2, grey=(chroma_1 == 0.0) | (chroma_2 == 0.0))

    mean_lightness = (lightness_1 + lightness_2) / 2.0
    mean_chroma = (chroma_1 + chroma_2) / 2.0
    from_middle = np.square(mean_lightness - 50.0)
    # each difference over its weighting function S
    lightness = (lightness_2 - lightness_1) / (1.0 + 0.015 * from_middle / np.sqrt(20.0 + from_middle))
    chroma = (chroma_2 - chroma_1) / (1.0 + 0.045 * mean_chroma)
    hue = 2.0 * np.sqrt(chroma_1 * chroma_2) * _sin(difference / 2.0)
    hue /= 1.0 + 0.015 * mean_chroma * _hue_weight(mean_hue)
    # the rotation couples chroma and hue in the blue
    turn = 30.0 * np.exp(-np.square((mean_hue - 275.0) / 25.0))
    rotation = -_sin(2.0 * turn) * 2.0 * _grey_to_chromatic(mean_chroma)
    return np.asarray(
        np.sqrt(np.square(lightness) + np.square(chroma) + np.square(hue) + rotation * chroma * hue), dtype=np.float64
    )


def _grey_to_chromatic(chroma: Numbers) -> Numbers:
    """sqrt(C^7 / (C^7 + 25^7)): 0 for grey, towards 1 for saturated colours."""
    cubed = chroma * chroma * chroma
    seventh = cubed * cubed * chroma
    return np.asarray(np.sqrt(seventh / (seventh + _25_TO_THE_7TH)), dtype=np.float64)


def _polar(a: Numbers, b: Numbers) -> tuple[Numbers, Numbers]:
    """Chroma, and hue in degrees, 0..360; the hue of grey is 0."""
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360.0


def _hues(hue_1: Numbers, hue_2: Numbers, grey: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Signed difference and mean of two hues along the shorter way; without a hue on one side, 0 and the other hue."""
    difference, total = hue_2 - hue_1, hue_1 + hue_2
    near = np.abs(difference) <= _HALF_TURN
    shorter = np.where(near, difference, difference - np.copysign(360.0, difference))
    around = np.where(total < 360.0, total + 360.0, total - 360.0)
    mean = np.where(near, total, around) / 2.0
    return np.where(grey, 0.0, shorter), np.where(grey, total, mean)


def _hue_weight(hue: Numbers) -> Numbers:
    """T of the formula."""
    return (
        1.0
        - 0.17 * _cos(hue - 30.0)
        + 0.24 * _cos(2.0 * hue)
        + 0.32 * _cos(3.0 * hue + 6.0)
        - 0.20 * _cos(4.0 * hue - 63.0)
    )


def _sin(degrees: Numbers) -> Numbers:
    return np.asarray(np.sin(np.radians(degrees)), dtype=np.float64)


def _cos(degrees: Numbers) -> Numbers:
    return np.asarray(np.cos(np.radians(degrees)), dtype=np.float64)
