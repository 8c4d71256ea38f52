"""Spectra to XYZ and on to 8-bit sRGB: the compiled loops of `rendering`.

A pixel's sums run over the bands in their order, in float64, so that its colour depends on its spectrum alone: not on
the size of the image, on the window that is rendered, or on the memory layout.
"""

import numpy as np
from numpy.typing import NDArray

from specrec.compiled import compiled

Numbers = NDArray[np.float64]
Spectra = NDArray[np.float32] | NDArray[np.float64]

_PIXELS = 64
"""At a time: their spectra, bands first, stay in a processor's first cache, and several are summed at once."""


@compiled
def _sum_up(spectra: Spectra, first: int, weights: Numbers, turned: Spectra, sums: Numbers) -> int:
    """Write the XYZ of the pixels from `first` on to `sums` (3, 64); return how many there are.

    `turned` (bands, 64) is room for their spectra. Four bands are taken at a time, so `weights` (bands, 3) and `turned`
    have zeros in place of a fourth that is missing.
    """
    pixels = min(_PIXELS, len(spectra) - first)
    for pixel in range(pixels):
        for band in range(spectra.shape[1]):
            turned[band, pixel] = spectra[first + pixel, band]
    sums[:] = 0.0
    x, y, z = sums[0], sums[1], sums[2]
    for band in range(0, len(weights), 4):
        x_0, y_0, z_0 = weights[band, 0], weights[band, 1], weights[band, 2]
        x_1, y_1, z_1 = weights[band + 1, 0], weights[band + 1, 1], weights[band + 1, 2]
        x_2, y_2, z_2 = weights[band + 2, 0], weights[band + 2, 1], weights[band + 2, 2]
        x_3, y_3, z_3 = weights[band + 3, 0], weights[band + 3, 1], weights[band + 3, 2]
        for pixel in range(_PIXELS):
            value_0, value_1 = np.float64(turned[band, pixel]), np.float64(turned[band + 1, pixel])
            value_2, value_3 = np.float64(turned[band + 2, pixel]), np.float64(turned[band + 3, pixel])
            x[pixel] = x[pixel] + value_0 * x_0 + value_1 * x_1 + value_2 * x_2 + value_3 * x_3
            y[pixel] = y[pixel] + value_0 * y_0 + value_1 * y_1 + value_2 * y_2 + value_3 * y_3
            z[pixel] = z[pixel] + value_0 * z_0 + value_1 * z_1 + value_2 * z_2 + value_3 * z_3
    return pixels


@compiled
def write_xyz(spectra: Spectra, weights: Numbers, out: Numbers) -> None:
    """Write the XYZ of spectra (n, 31), with weights (32, 3) of which the last are 0, to `out` (n, 3)."""
    turned, sums = np.zeros((len(weights), _PIXELS), spectra.dtype), np.empty((3, _PIXELS))
    for first in range(0, len(spectra), _PIXELS):
        for pixel in range(_sum_up(spectra, first, weights, turned, sums)):
            for axis in range(3):
                out[first + pixel, axis] = sums[axis, pixel]


@compiled
def write_levels(
    spectra: Spectra,
    weights: Numbers,
    offset: Numbers,
    gain: float,
    matrix: Numbers,
    starts: NDArray[np.uint8],
    thresholds: Numbers,
    out: NDArray[np.uint8],
) -> None:
    """Write the 8-bit sRGB of spectra (n, 31) to `out` (n, 3).

    Parameters
    ----------
    weights
        (32, 3), from spectra to XYZ; the last are 0.
    offset, gain
        What XYZ/100 is scaled by: `offset` (3,) is subtracted, then it is multiplied by `gain`.
    matrix
        (3, 3), from XYZ/100 to linear sRGB.
    starts
        The level at the lower end of every one of so many equal cells of linear sRGB 0..1, and at 1. No cell may hold
        more than one threshold.
    thresholds
        At index k the least linear value of level k; infinity after the last.
    """
    turned, sums = np.zeros((len(weights), _PIXELS), spectra.dtype), np.empty((3, _PIXELS))
    linear, cells = np.empty((3, _PIXELS)), len(starts) - 1
    for first in range(0, len(spectra), _PIXELS):
        pixels = _sum_up(spectra, first, weights, turned, sums)
        for pixel in range(_PIXELS):
            x = (sums[0, pixel] / 100.0 - offset[0]) * gain
            y = (sums[1, pixel] / 100.0 - offset[1]) * gain
            z = (sums[2, pixel] / 100.0 - offset[2]) * gain
            for channel in range(3):
                value = matrix[channel, 0] * x + matrix[channel, 1] * y + matrix[channel, 2] * z
                value = value if value > 0.0 else 0.0  # NaN is black
                linear[channel, pixel] = value if value < 1.0 else 1.0
        for pixel in range(pixels):
            for channel in range(3):
                value = linear[channel, pixel]
                level = np.int64(starts[np.int64(value * cells)])
                out[first + pixel, channel] = level + np.int64(value >= thresholds[level + 1])
