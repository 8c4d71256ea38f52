"""CIEDE2000: the colour difference of two CIELAB colours, compiled.

The formula of CIE 142-2001, in the form and with the decisions about hue that Sharma, Wu and Dalal (2005),
doi:10.1002/col.20070, give; the parametric factors kL, kC, kH are 1.

Functions of angles are its cost, and most of them are not needed. A hue is a unit vector, a'/C' and b'/C': the mean hue
is the direction of the sum of two, the sine of half their difference is half the length of the vector between them, and
multiples of an angle follow from its cosine and sine. Only for hues that are almost opposite, where the paper decides
on which side the mean hue lies, are both computed as in the paper.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.compiled import compiled

Numbers = NDArray[np.float64]

_25_TO_THE_7TH = 25.0**7
_LANES = 64
_ROUNDING = 1e-9
"""Degrees. Hues exactly opposite count as 180 apart, and a mean hue at 360 as 0: rounding must not decide."""
_COS_30, _SIN_30 = math.cos(math.radians(30.0)), math.sin(math.radians(30.0))
_COS_6, _SIN_6 = math.cos(math.radians(6.0)), math.sin(math.radians(6.0))
_COS_63, _SIN_63 = math.cos(math.radians(63.0)), math.sin(math.radians(63.0))


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
    planes = [np.array(colours.reshape(-1, 3).T, order="C") for colours in (first, second)]
    return _differences(planes[0], planes[1]).reshape(first.shape[:-1])


@compiled
def sum_of_differences(xyz_1: Numbers, xyz_2: Numbers, white: Numbers, valid: NDArray[np.bool_]) -> float:
    """Sum the differences of the valid ones of n pairs of colours, each (n, 3) XYZ, under the white (3,)."""
    found = _differences(_lab(xyz_1, white), _lab(xyz_2, white))
    total = 0.0
    for pixel in range(len(valid)):
        total += found[pixel] if valid[pixel] else 0.0
    return total


@compiled
def differences(xyz_1: Numbers, xyz_2: Numbers, white: Numbers) -> Numbers:
    """The differences of n pairs of colours, each (n, 3) XYZ, under the white (3,)."""
    return _differences(_lab(xyz_1, white), _lab(xyz_2, white))


@compiled
def _differences(lab_1: Numbers, lab_2: Numbers) -> Numbers:
    """The difference of n pairs of colours, each (3, n)."""
    found = np.empty(lab_1.shape[1])
    room = np.empty((8, _LANES))
    squares, of_chroma, mean_chroma, weight = room[0], room[1], room[2], room[3]
    half_sine, cosine, sine, turn = room[4], room[5], room[6], room[7]
    # three short loops in place of one: the first and the last are computed several pairs at a time
    for first in range(0, len(found), _LANES):
        pairs = min(_LANES, len(found) - first)
        for i in range(pairs):
            lightness_1, a_1, b_1 = lab_1[0, first + i], lab_1[1, first + i], lab_1[2, first + i]
            lightness_2, a_2, b_2 = lab_2[0, first + i], lab_2[1, first + i], lab_2[2, first + i]
            chroma = (math.sqrt(a_1 * a_1 + b_1 * b_1) + math.sqrt(a_2 * a_2 + b_2 * b_2)) / 2.0
            stretch = 1.0 + 0.5 * (1.0 - _grey_to_chromatic(chroma))
            a_1 *= stretch
            a_2 *= stretch
            chroma_1, chroma_2 = math.sqrt(a_1 * a_1 + b_1 * b_1), math.sqrt(a_2 * a_2 + b_2 * b_2)
            from_middle = (lightness_1 + lightness_2) / 2.0 - 50.0
            from_middle *= from_middle
            mean_chroma[i] = (chroma_1 + chroma_2) / 2.0
            # each difference over its weighting function S
            of_lightness = (lightness_2 - lightness_1) / (1.0 + 0.015 * from_middle / math.sqrt(20.0 + from_middle))
            of_chroma[i] = (chroma_2 - chroma_1) / (1.0 + 0.045 * mean_chroma[i])
            squares[i] = of_lightness * of_lightness + of_chroma[i] * of_chroma[i]
            weight[i] = 2.0 * math.sqrt(chroma_1 * chroma_2)  # 0 where one is grey, which has no hue
            over_1 = 1.0 / (chroma_1 if chroma_1 > 0.0 else 1.0)
            over_2 = 1.0 / (chroma_2 if chroma_2 > 0.0 else 1.0)
            cos_1, sin_1, cos_2, sin_2 = a_1 * over_1, b_1 * over_1, a_2 * over_2, b_2 * over_2
            cosine[i], sine[i] = cos_1 + cos_2, sin_1 + sin_2
            across, up = cos_2 - cos_1, sin_2 - sin_1
            half = math.sqrt(across * across + up * up) / 2.0
            half_sine[i] = half if cos_1 * sin_2 - sin_1 * cos_2 >= 0.0 else -half
        for i in range(pairs):
            mean_hue = math.degrees(math.atan2(sine[i], cosine[i]))
            mean_hue = mean_hue + 360.0 if mean_hue < -_ROUNDING / 2.0 else mean_hue
            if cosine[i] * cosine[i] + sine[i] * sine[i] < 1e-6:
                difference, mean_hue = _hues_almost_opposite(lab_1[:, first + i], lab_2[:, first + i])
                half_sine[i] = math.sin(math.radians(difference / 2.0))
                cosine[i], sine[i] = math.cos(math.radians(mean_hue)), math.sin(math.radians(mean_hue))
            from_blue = (mean_hue - 275.0) / 25.0
            turn[i] = math.radians(60.0 * math.exp(-from_blue * from_blue))
        for i in range(pairs):
            length = math.sqrt(cosine[i] * cosine[i] + sine[i] * sine[i])
            of_hue = weight[i] * half_sine[i]
            of_hue /= 1.0 + 0.015 * mean_chroma[i] * _hue_weight(cosine[i] / length, sine[i] / length)
            # the rotation couples chroma and hue in the blue
            rotation = -2.0 * _grey_to_chromatic(mean_chroma[i]) * _small_sine(turn[i])
            found[first + i] = math.sqrt(squares[i] + of_hue * of_hue + rotation * of_chroma[i] * of_hue)
    return found


@compiled
def _lab(xyz: Numbers, white: Numbers) -> Numbers:
    """L*, a*, b* as `specrec.rendering.lab` gives them but for a last digit, (3, n) of XYZ (n, 3)."""
    ratios, roots, found = np.empty((3, len(xyz))), np.empty((3, len(xyz))), np.empty((3, len(xyz)))
    for axis in range(3):
        ratio, root = ratios[axis], roots[axis]
        for pixel in range(len(xyz)):
            ratio[pixel] = xyz[pixel, axis] / white[axis]
        for pixel in range(len(xyz)):
            root[pixel] = _cube_root(ratio[pixel])
        for pixel in range(len(xyz)):
            if not ratio[pixel] > (6 / 29) ** 3:
                root[pixel] = ratio[pixel] * (29 / 6) ** 2 / 3 + 4 / 29
    for pixel in range(len(xyz)):
        found[0, pixel] = 116.0 * roots[1, pixel] - 16.0
        found[1, pixel] = 500.0 * (roots[0, pixel] - roots[1, pixel])
        found[2, pixel] = 200.0 * (roots[1, pixel] - roots[2, pixel])
    return found


@compiled
def _cube_root(value: float) -> float:
    """The cube root of a positive number, to its last digits."""
    # A third of the exponent and of the leading digits is a guess within 6 %. Two steps of Halley, each of which cubes
    # the error, and one of Newton make it exact; many times as fast as the library, for several are computed at once.
    third = ((np.float64(value).view(np.int64) >> 32) * 21845 >> 16) + 715094163
    root = np.int64(third << 32).view(np.float64)
    cube = root * root * root
    root = root * (cube + 2.0 * value) / (2.0 * cube + value)
    cube = root * root * root
    root = root * (cube + 2.0 * value) / (2.0 * cube + value)
    return root - (root * root * root - value) / (3.0 * root * root)


@compiled
def _grey_to_chromatic(chroma: float) -> float:
    """sqrt(C^7 / (C^7 + 25^7)): 0 for grey, towards 1 for saturated colours."""
    cubed = chroma * chroma * chroma
    seventh = cubed * cubed * chroma
    return math.sqrt(seventh / (seventh + _25_TO_THE_7TH))


@compiled
def _small_sine(angle: float) -> float:
    """The sine of 0 to 60 degrees, in radians: its series to the 17th power, which leaves out less than 1e-16."""
    square = angle * angle
    tail = 1.0 - square / 210.0 * (1.0 - square / 272.0)
    tail = 1.0 - square / 72.0 * (1.0 - square / 110.0 * (1.0 - square / 156.0 * tail))
    return angle * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0 * tail)))


@compiled
def _hues_almost_opposite(lab_1: Numbers, lab_2: Numbers) -> tuple[float, float]:
    """Signed difference and mean of two hues along the shorter way, in degrees, as the paper decides."""
    chroma_1 = math.sqrt(lab_1[1] * lab_1[1] + lab_1[2] * lab_1[2])
    chroma_2 = math.sqrt(lab_2[1] * lab_2[1] + lab_2[2] * lab_2[2])
    stretch = 1.0 + 0.5 * (1.0 - _grey_to_chromatic((chroma_1 + chroma_2) / 2.0))
    hue_1 = math.degrees(math.atan2(lab_1[2], lab_1[1] * stretch)) % 360.0
    hue_2 = math.degrees(math.atan2(lab_2[2], lab_2[1] * stretch)) % 360.0
    difference, total = hue_2 - hue_1, hue_1 + hue_2
    if abs(difference) <= 180.0 + _ROUNDING:
        return difference, total / 2.0
    around = total + 360.0 if total < 360.0 - _ROUNDING else total - 360.0
    return difference - math.copysign(360.0, difference), around / 2.0


@compiled
def _hue_weight(cosine: float, sine: float) -> float:
    """T of the formula, from cosine and sine of the mean hue."""
    cos_2, sin_2 = cosine * cosine - sine * sine, 2.0 * cosine * sine
    cos_3, sin_3 = cos_2 * cosine - sin_2 * sine, sin_2 * cosine + cos_2 * sine
    cos_4, sin_4 = cos_2 * cos_2 - sin_2 * sin_2, 2.0 * cos_2 * sin_2
    return (
        1.0
        - 0.17 * (cosine * _COS_30 + sine * _SIN_30)
        + 0.24 * cos_2
        + 0.32 * (cos_3 * _COS_6 - sin_3 * _SIN_6)
        - 0.20 * (cos_4 * _COS_63 + sin_4 * _SIN_63)
    )
