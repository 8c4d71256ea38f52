"""The error of every pixel, by the definitions of the metrics: a metric is the mean of its map where that is known."""

import numpy as np
from numpy.typing import NDArray

from specrec.interfaces import Metric
from specrec.metrics.colour_difference import DE2000
from specrec.metrics.spectral import DARKEST, GFC, RMSE, RRMSE, SAM
from specrec.rendering import lab, xyz
from specrec.scenes import Mask
from specrec.spectra import Cube, is_standard_grid

MAPPED: dict[str, Metric] = {metric.name: metric for metric in (RMSE, SAM, DE2000, RRMSE, GFC)}
"""The metrics that are a mean over pixels, in the order in which the page offers them."""

Map = NDArray[np.float64]


def error_maps(
    estimate: Cube, reference: Cube, mask: Mask, wavelengths: NDArray[np.float64], gain: float = 1.0
) -> dict[str, Map]:
    """Compute every metric of `MAPPED` that these cubes allow, pixel by pixel.

    Parameters
    ----------
    estimate, reference
        (height, width, bands), both on the same wavelengths.
    mask
        (height, width) bool.
    wavelengths
        nm; ``de2000`` needs the standard grid and is left out on another.
    gain
        What values are multiplied by before ``de2000`` sees them, so that 1 is white; other errors are of values as
        they are.

    Returns
    -------
    By metric id, (height, width) float64; NaN where the pixel does not count for that metric.
    """
    estimated, true = estimate.astype(np.float64), reference.astype(np.float64)
    maps = {"rmse": 255.0 * np.sqrt(np.mean((estimated - true) ** 2, axis=2))}
    cosine = _cosine(estimated, true)
    maps["sam"] = np.arccos(cosine)
    if is_standard_grid(wavelengths):
        from specrec.metrics.ciede2000 import ciede2000

        maps["de2000"] = ciede2000(*(lab(xyz(gain * cube, wavelengths)) for cube in (estimated, true)))
    maps["rrmse"] = _relative(estimated, true)
    maps["gfc"] = cosine
    return {name: np.where(mask, values, np.nan) for name, values in maps.items()}


def _cosine(estimated: NDArray[np.float64], true: NDArray[np.float64]) -> Map:
    lengths = np.linalg.norm(estimated, axis=2) * np.linalg.norm(true, axis=2)
    products = np.abs(np.sum(estimated * true, axis=2))
    cosines = np.divide(products, lengths, out=np.full(lengths.shape, np.nan), where=lengths > 0.0)
    clipped: Map = np.minimum(cosines, 1.0)
    return clipped


def _relative(estimated: NDArray[np.float64], true: NDArray[np.float64]) -> Map:
    bright = true >= DARKEST
    ratios = np.divide(estimated - true, true, out=np.zeros_like(true), where=bright)
    counts = np.count_nonzero(bright, axis=2)
    sums = np.sum(ratios**2, axis=2)
    means: Map = np.sqrt(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))
    return means
