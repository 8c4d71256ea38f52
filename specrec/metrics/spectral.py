"""Errors of spectra: root mean square and relative errors per pixel, goodness of fit, spectral angle.

Each is a number per valid pixel, averaged over the pixels that count; the weight of an image is how many those are.
Estimates are scored as they are, not clipped.
"""

import numpy as np
from numpy.typing import NDArray

from specrec.interfaces import Metric, Score
from specrec.metrics.valid_pixels import Rows, mean_over_pixels, score, valid_pixels
from specrec.scenes import Mask
from specrec.spectra import Cube

DARKEST = 1.0 / 255.0
"""Below this the reference of a band is left out of `rrmse`: scaling by the minimum makes exact zeros."""

_ALVAREZ_GILA = "Alvarez-Gila et al. 2017, doi:10.1109/ICCVW.2017.64"

Wavelengths = NDArray[np.float64]


def rmse(estimate: Cube, reference: Cube, mask: Mask, _wavelengths: Wavelengths | None = None) -> Score:
    """Root mean square error over the bands of a pixel, averaged over pixels, in 8-bit levels.

    Parameters
    ----------
    estimate, reference
        (height, width, bands) on the scale 0..1.
    mask
        (height, width) bool, the valid pixels.

    Returns
    -------
    The mean times 255; weight: the valid pixels.

    Raises
    ------
    ValueError
        If shapes differ, no pixel is valid, or a cube holds NaN or infinity.

    References
    ----------
    Alvarez-Gila et al. 2017, section 3.2, doi:10.1109/ICCVW.2017.64.

    Examples
    --------
    >>> reference = np.full((1, 2, 31), 0.4)
    >>> estimate = reference + np.array([[[0.1], [-0.3]]])
    >>> round(rmse(estimate, reference, np.ones((1, 2), bool)).value, 6)
    51.0
    """

    def per_pixel(estimated: Rows, true: Rows) -> Rows:
        levels: Rows = np.sqrt(_squares(estimated - true) / true.shape[1]) * 255.0
        return levels

    return mean_over_pixels(per_pixel, estimate, reference, mask)


def rrmse(estimate: Cube, reference: Cube, mask: Mask, _wavelengths: Wavelengths | None = None) -> Score:
    """Root mean square of (estimate - reference) / reference over the bands of a pixel, averaged over pixels.

    Parameters, errors and source as in `rmse`. Bands where the reference is below 1/255 are left out; a pixel
    without any band left loses its weight.

    Returns
    -------
    The mean; weight: the valid pixels that keep a band; left out: the share of the valid values.

    Examples
    --------
    >>> reference = np.array([[[0.5, 0.25, 0.0]]])
    >>> score = rrmse(reference + 0.05, reference, np.ones((1, 1), bool))
    >>> round(score.value, 6), round(score.left_out, 6)
    (0.158114, 0.333333)
    """
    total, pixels, used, values = 0.0, 0, 0, 0
    for estimated, true in valid_pixels(estimate, reference, mask):
        bright = true >= DARKEST
        ratio = np.divide(estimated - true, true, out=np.zeros_like(true), where=bright)
        bands = bright.sum(axis=1)
        numbers = np.sqrt(_squares(ratio) / np.maximum(bands, 1))
        total += float(numbers.sum())  # a pixel without bands adds 0
        pixels += int(np.count_nonzero(bands))
        used += int(bands.sum())
        values += true.size
    return score(total, pixels, pixels, 1.0 - used / values)


def rrmse_norm(estimate: Cube, reference: Cube, mask: Mask, _wavelengths: Wavelengths | None = None) -> Score:
    """Length of a pixel's error spectrum over the length of its reference, |e - r| / |r|, averaged over pixels.

    A second reading of "relative" in the same paper, in which dark bands do not dominate. Parameters and errors as in
    `rmse`. Pixels whose reference is all zero are left out.

    Returns
    -------
    The mean; weight: the pixels that count; left out: the share of the valid pixels.
    """

    def per_pixel(estimated: Rows, true: Rows) -> Rows:
        length = _squares(true)
        counts = length > 0.0
        ratio: Rows = np.sqrt(_squares(estimated - true)[counts] / length[counts])
        return ratio

    return mean_over_pixels(per_pixel, estimate, reference, mask)


def gfc(estimate: Cube, reference: Cube, mask: Mask, _wavelengths: Wavelengths | None = None) -> Score:
    """Goodness-of-fit coefficient: the absolute cosine between two spectra, averaged over pixels; 1 is best.

    Parameters and errors as in `rmse`. Pixels whose reference or estimate is all zero are left out.

    Returns
    -------
    The mean of abs(sum(r * e)) / (abs(r) * abs(e)); weight: the pixels that count; left out: their share.

    References
    ----------
    Hernandez-Andres, Romero and Lee 2001, doi:10.1364/JOSAA.18.001325.

    Examples
    --------
    >>> cube = np.array([[[3.0, 4.0]]])
    >>> round(gfc(cube[..., ::-1], cube, np.ones((1, 1), bool)).value, 6)
    0.96
    """
    return mean_over_pixels(_cosines, estimate, reference, mask)


def sam(estimate: Cube, reference: Cube, mask: Mask, _wavelengths: Wavelengths | None = None) -> Score:
    """Spectral angle: the arccos of a pixel's `gfc`, in radians, averaged over pixels.

    Parameters, errors and zero rule as in `gfc`.

    References
    ----------
    Kruse et al. 1993, doi:10.1016/0034-4257(93)90013-N.
    """
    return mean_over_pixels(lambda estimated, true: np.arccos(_cosines(estimated, true)), estimate, reference, mask)


def _squares(rows: Rows) -> Rows:
    """Sum the squares of every row."""
    return np.asarray(np.square(rows).sum(axis=1), dtype=np.float64)


def _cosines(estimated: Rows, true: Rows) -> Rows:
    # the root of the product, not the product of the roots: equal spectra then give exactly 1
    lengths = np.sqrt(_squares(estimated) * _squares(true))
    counts = lengths > 0.0
    products = np.abs((estimated * true).sum(axis=1))[counts]
    cosines: Rows = np.minimum(products / lengths[counts], 1.0)
    return cosines


RMSE = Metric(
    name="rmse",
    unit="8-bit levels",
    scale="0..255",
    higher_is_better=False,
    definition="per pixel sqrt(mean over bands of (e - r)^2), mean over valid pixels, x 255",
    reference=_ALVAREZ_GILA,
    function=rmse,
)
RRMSE = Metric(
    name="rrmse",
    unit="1",
    scale="relative",
    higher_is_better=False,
    definition="per pixel sqrt(mean over bands with r >= 1/255 of ((e - r) / r)^2), mean over pixels with such a band",
    reference=_ALVAREZ_GILA,
    function=rrmse,
)
RRMSE_NORM = Metric(
    name="rrmse@norm",
    unit="1",
    scale="relative",
    higher_is_better=False,
    definition="per pixel |e - r| / |r|, mean over valid pixels with |r| > 0",
    reference=_ALVAREZ_GILA,
    function=rrmse_norm,
)
GFC = Metric(
    name="gfc",
    unit="1",
    scale="0..1",
    higher_is_better=True,
    definition="per pixel |sum(r e)| / (|r| |e|), mean over valid pixels with |r| > 0 and |e| > 0",
    reference="Hernandez-Andres, Romero and Lee 2001, doi:10.1364/JOSAA.18.001325",
    function=gfc,
)
SAM = Metric(
    name="sam",
    unit="rad",
    scale="0..pi/2",
    higher_is_better=False,
    definition="per pixel arccos(|sum(r e)| / (|r| |e|)), mean over valid pixels with |r| > 0 and |e| > 0",
    reference="Kruse et al. 1993, doi:10.1016/0034-4257(93)90013-N",
    function=sam,
)
