"""Texture-filter responses: how much of edges, bars, spots and holes of a few sizes there is around each pixel.

The filters are second derivatives of Gaussians on the logarithm of luminance, so that more light changes nothing. A
response alternates with the phase of a texture; rectified and averaged it says what kind of texture there is.
"""

import math

import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.float32]

PER_SCALE = 6
"""Energies of each size of filter: four directions, bright spots, dark spots."""

_FINEST = 0.7  # pixels, standard deviation of the smallest filter; the others double it
_DEVIATIONS = 3.0  # where Gaussians are cut off


def sizes(scales: int) -> list[float]:
    """Return the standard deviations of the filters in pixels.

    Examples
    --------
    >>> sizes(3)
    [0.7, 1.4, 2.8]
    """
    return [_FINEST * 2.0**scale for scale in range(scales)]


def reach(scales: int, pool: float) -> int:
    """Return how many pixels away a pixel can change an energy.

    Examples
    --------
    >>> reach(3, 3.0), reach(0, 3.0)
    (18, 0)
    """
    return _radius(sizes(scales)[-1]) + _radius(pool) if scales else 0


def kernel(deviation: float, derivative: int) -> NDArray[np.float64]:
    """Sample a Gaussian or its first or second derivative, cut off at three deviations: (2 radius + 1,).

    The Gaussian adds up to 1. The derivatives are multiplied by the deviation and its square, so that one texture
    magnified answers filters magnified alike; the second one adds up to 0 after the cut.
    """
    place = np.arange(-_radius(deviation), _radius(deviation) + 1) / deviation
    gaussian = np.exp(-0.5 * np.square(place))
    gaussian /= gaussian.sum()
    if derivative == 0:
        return gaussian
    if derivative == 1:
        return np.asarray(-place * gaussian)
    second = (np.square(place) - 1.0) * gaussian
    return np.asarray(second - gaussian * second.sum())


def energies(signal: Maps, scales: int, pool: float) -> Maps:
    """Filter an image, rectify the responses and average them around each pixel.

    Parameters
    ----------
    signal
        (height, width) float32, such as the logarithm of luminance. Beyond its border it goes on as it ends.
    scales
        How many sizes of filters.
    pool
        Standard deviation in pixels of the Gaussian that averages.

    Returns
    -------
    (6 x scales, height, width) float32, none negative: for each size the size of the second derivative across 0, 45, 90
    and 135 degrees, then the negative and the positive part of the Laplacian. A value depends on the pixels within
    `reach` alone, and all sums have one order, so that a part of an image has the values of the whole.

    References
    ----------
    Leung and Malik 2001, doi:10.1023/A:1011126920638 (banks of Gaussian derivatives); Malik and Perona 1990,
    doi:10.1364/JOSAA.7.000923 (rectified and averaged responses tell textures apart).
    """
    found = np.empty((scales * PER_SCALE, *signal.shape), dtype=np.float32)
    average = kernel(pool, 0)
    for scale, deviation in enumerate(sizes(scales)):
        smooth, first, second = (kernel(deviation, derivative) for derivative in (0, 1, 2))
        down = _separable(signal, second, smooth)
        right = _separable(signal, smooth, second)
        mixed = _separable(signal, first, first)
        mean = np.float32(0.5) * (down + right)
        responses = [np.abs(right), np.abs(mean + mixed), np.abs(down), np.abs(mean - mixed)]
        spot = down + right
        responses += [np.maximum(-spot, np.float32(0.0)), np.maximum(spot, np.float32(0.0))]
        for place, response in enumerate(responses):
            found[scale * PER_SCALE + place] = _separable(response, average, average)
    return found


def filter_operations(scales: int, pool: float) -> int:
    """Count the products of the filters of each pixel: of every scale three responses, and the averages of six.

    Examples
    --------
    >>> filter_operations(1, 1.0)  # rows and columns: 3 filters of 7 values, 6 averages of 7
    252
    """
    values = [3 * (2 * _radius(size) + 1) + PER_SCALE * (2 * _radius(pool) + 1) for size in sizes(scales)]
    return 2 * 2 * sum(values)


def _radius(deviation: float) -> int:
    return math.ceil(_DEVIATIONS * deviation)


def _separable(image: Maps, along_columns: NDArray[np.float64], along_rows: NDArray[np.float64]) -> Maps:
    from scipy.ndimage import correlate1d

    half = correlate1d(image, along_columns, axis=0, mode="nearest")
    filtered: Maps = correlate1d(half, along_rows, axis=1, mode="nearest")
    return filtered
