"""The sums that metrics of spectra are made of, in one reading of both cubes: compiled loops.

64 pixels at a time are turned to bands first, where they stay in a processor's first cache and several are computed at
once. A pixel's sums run over the bands in their order, in float64. Pixels are summed in 64 lanes: `totals` has a row
for every sum and a column for every 64th pixel. Pixels that are not valid add to `EVERYTHING` alone, which is finite
where all numbers of both cubes are.
"""

import math

import numpy as np
from numpy.typing import NDArray

from specrec.compiled import compiled

Spectra = NDArray[np.float32] | NDArray[np.float64]
Numbers = NDArray[np.float64]
Valid = NDArray[np.bool_]

LANES = 64

EVERYTHING, PIXELS = 0, 1
"""Rows of every `totals`: a sum over all values, and the number of valid pixels."""
RMSE, RRMSE, BRIGHT_PIXELS, BRIGHT_VALUES, RRMSE_NORM, LIT_PIXELS, GFC, SAM, COSINES = range(2, 11)
"""Rows of `add_spectral`: sums of numbers per pixel, and how many count where that is not every valid pixel."""
SQUARES, BRIGHTEST, MRAE_2018, MRAE_2020, POSITIVE_VALUES = range(2, 7)
"""Rows of `add_pooled`: sums over values, but for `BRIGHTEST`, which is a maximum and starts at minus infinity."""


@compiled
def _turn(spectra: Spectra, first: int, turned: Spectra) -> None:
    """Copy up to 64 spectra, from `first` on, to `turned` (bands, 64)."""
    for lane in range(min(LANES, len(spectra) - first)):
        for band in range(spectra.shape[1]):
            turned[band, lane] = spectra[first + lane, band]


@compiled
def _spectral_terms(e: float, r: float, floor: float) -> tuple[float, float, float, float, float, float]:
    """Squared error, squared relative error, 1 where that counts, product, squares: of one band of one pixel."""
    error = e - r
    ratio = error / r if r >= floor else 0.0
    return error * error, ratio * ratio, 1.0 if r >= floor else 0.0, e * r, e * e, r * r


@compiled
def add_spectral(
    estimate: Spectra, reference: Spectra, valid: Valid, floor: float, angles: bool, totals: Numbers
) -> None:
    """Add the errors of spectra (n, bands) to `totals` (11, 64).

    Bands below `floor` do not count for `rrmse`. The row `SAM` is left as it is unless `angles` are asked for: their
    arccos takes a sixth of the time.
    """
    bands = reference.shape[1]
    e = np.zeros(((bands + 3) // 4 * 4, LANES), estimate.dtype)  # a band that is missing to a fourth adds zeros
    r = np.zeros_like(e)
    sums, numbers = np.empty((6, LANES)), np.zeros((len(totals), LANES))
    squares, ratios, bright, products, e_squares, r_squares = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    for first in range(0, len(reference), LANES):
        _turn(estimate, first, e)
        _turn(reference, first, r)
        sums[:] = 0.0
        for b in range(0, len(e), 4):
            for i in range(LANES):
                s_0, q_0, n_0, p_0, e_0, r_0 = _spectral_terms(np.float64(e[b, i]), np.float64(r[b, i]), floor)
                s_1, q_1, n_1, p_1, e_1, r_1 = _spectral_terms(np.float64(e[b + 1, i]), np.float64(r[b + 1, i]), floor)
                s_2, q_2, n_2, p_2, e_2, r_2 = _spectral_terms(np.float64(e[b + 2, i]), np.float64(r[b + 2, i]), floor)
                s_3, q_3, n_3, p_3, e_3, r_3 = _spectral_terms(np.float64(e[b + 3, i]), np.float64(r[b + 3, i]), floor)
                squares[i] = squares[i] + s_0 + s_1 + s_2 + s_3
                ratios[i] = ratios[i] + q_0 + q_1 + q_2 + q_3
                bright[i] = bright[i] + n_0 + n_1 + n_2 + n_3
                products[i] = products[i] + p_0 + p_1 + p_2 + p_3
                e_squares[i] = e_squares[i] + e_0 + e_1 + e_2 + e_3
                r_squares[i] = r_squares[i] + r_0 + r_1 + r_2 + r_3
        for i in range(LANES):
            numbers[RMSE, i] = math.sqrt(squares[i] / bands) * 255.0
            numbers[RRMSE, i] = math.sqrt(ratios[i] / (bright[i] if bright[i] > 0.0 else 1.0))
            numbers[BRIGHT_PIXELS, i] = 1.0 if bright[i] > 0.0 else 0.0
            numbers[BRIGHT_VALUES, i] = bright[i]
            lit = r_squares[i] > 0.0
            numbers[RRMSE_NORM, i] = math.sqrt(squares[i] / r_squares[i]) if lit else 0.0
            numbers[LIT_PIXELS, i] = 1.0 if lit else 0.0
            # the root of the product, not the product of the roots: equal spectra then give exactly 1
            lengths = math.sqrt(e_squares[i] * r_squares[i])
            cosine = abs(products[i]) / lengths if lengths > 0.0 else 0.0
            numbers[GFC, i] = cosine if cosine < 1.0 else 1.0
            numbers[COSINES, i] = 1.0 if lengths > 0.0 else 0.0
        if angles:
            for i in range(LANES):
                numbers[SAM, i] = math.acos(numbers[GFC, i]) if numbers[COSINES, i] > 0.0 else 0.0
        _add_valid(numbers, valid, first, totals)
        for i in range(LANES):
            totals[EVERYTHING, i] += e_squares[i] + r_squares[i]


@compiled
def _pooled_terms(e: float, r: float) -> tuple[float, float, float, float]:
    """Squared error, two relative errors, 1 where the second counts: of one band of one pixel."""
    error = abs(e - r)
    return error * error, error / (r + 2.0**-52), error / r if r > 0.0 else 0.0, 1.0 if r > 0.0 else 0.0


@compiled
def add_pooled(estimate: Spectra, reference: Spectra, valid: Valid, totals: Numbers) -> None:
    """Add the errors of spectra (n, bands), as the challenges pool them, to `totals` (7, 64)."""
    bands = reference.shape[1]
    e, r = np.zeros((bands, LANES), estimate.dtype), np.zeros((bands, LANES), reference.dtype)
    numbers = np.zeros((len(totals), LANES))
    brightest = np.empty(LANES)
    for first in range(0, len(reference), LANES):
        _turn(estimate, first, e)
        _turn(reference, first, r)
        numbers[:] = 0.0
        brightest[:] = -np.inf
        for b in range(bands):
            for i in range(LANES):
                value = np.float64(r[b, i])
                square, ratio_2018, ratio_2020, positive = _pooled_terms(np.float64(e[b, i]), value)
                numbers[SQUARES, i] += square
                numbers[MRAE_2018, i] += ratio_2018
                numbers[MRAE_2020, i] += ratio_2020
                numbers[POSITIVE_VALUES, i] += positive
                brightest[i] = value if value > brightest[i] else brightest[i]
        for i in range(LANES):
            totals[EVERYTHING, i] += numbers[SQUARES, i]
        for i in range(min(LANES, len(reference) - first)):
            if valid[first + i] and brightest[i] > totals[BRIGHTEST, i]:
                totals[BRIGHTEST, i] = brightest[i]
        _add_valid(numbers, valid, first, totals)


@compiled
def _add_valid(numbers: Numbers, valid: Valid, first: int, totals: Numbers) -> None:
    """Add the numbers of valid pixels, row by row but that of `EVERYTHING`, and count them."""
    counts = numbers[PIXELS]
    counts[:] = 0.0
    for i in range(min(LANES, len(valid) - first)):
        counts[i] = 1.0 if valid[first + i] else 0.0
    for row in range(PIXELS, len(numbers)):
        for i in range(LANES):
            totals[row, i] += numbers[row, i] if counts[i] > 0.0 else 0.0
