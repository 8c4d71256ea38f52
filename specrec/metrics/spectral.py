"""Errors of spectra: root mean square and relative errors per pixel, goodness of fit, spectral angle.

Each is a number per valid pixel, averaged over the pixels that count; the weight of an image is how many those are.
Estimates are scored as they are, not clipped.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from specrec.interfaces import Metric, Score
from specrec.metrics.together import FamilyMember
from specrec.metrics.valid_pixels import blocks, score
from specrec.scenes import Mask
from specrec.spectra import Cube

DARKEST = 1.0 / 255.0
"""Below this the reference of a band is left out of `rrmse`: scaling by the minimum makes exact zeros."""

_ALVAREZ_GILA = "Alvarez-Gila et al. 2017, doi:10.1109/ICCVW.2017.64"

Wavelengths = NDArray[np.float64]


def spectral_errors(
    estimate: Cube,
    reference: Cube,
    mask: Mask,
    _wavelengths: Wavelengths | None = None,
    names: Collection[str] = ("rmse", "rrmse", "rrmse@norm", "gfc", "sam"),
) -> dict[str, Score]:
    """Give the metrics of this module at once, each to the bit what it gives alone; both cubes are read once.

    Parameters and errors as in `rmse`.

    Returns
    -------
    A score by the name of its metric: of `names`, and of others that cost nothing more.
    """
    from specrec.metrics import one_pass as sums

    totals = np.zeros((11, sums.LANES))
    for block in blocks(estimate, reference, mask):
        sums.add_spectral(block.estimate, block.reference, block.valid, DARKEST, "sam" in names, totals)
        if not np.isfinite(totals[sums.EVERYTHING]).all():
            block.check_finite()
    total = totals.sum(axis=1).tolist()
    pixels, bright = total[sums.PIXELS], total[sums.BRIGHT_PIXELS]
    lit, cosines = total[sums.LIT_PIXELS], total[sums.COSINES]
    dark = 1.0 - total[sums.BRIGHT_VALUES] / (pixels * reference.shape[2])
    scores = {
        "rmse": score(total[sums.RMSE], pixels, pixels),
        "rrmse": score(total[sums.RRMSE], bright, bright, dark),
        "rrmse@norm": score(total[sums.RRMSE_NORM], lit, lit, 1.0 - lit / pixels),
        "gfc": score(total[sums.GFC], cosines, cosines, 1.0 - cosines / pixels),
    }
    if "sam" in names:
        scores["sam"] = score(total[sums.SAM], cosines, cosines, 1.0 - cosines / pixels)
    return scores


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
    return spectral_errors(estimate, reference, mask, names=("rmse",))["rmse"]


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
    return spectral_errors(estimate, reference, mask, names=("rrmse",))["rrmse"]


def rrmse_norm(estimate: Cube, reference: Cube, mask: Mask, _wavelengths: Wavelengths | None = None) -> Score:
    """Length of a pixel's error spectrum over the length of its reference, |e - r| / |r|, averaged over pixels.

    A second reading of "relative" in the same paper, in which dark bands do not dominate. Parameters and errors as in
    `rmse`. Pixels whose reference is all zero are left out.

    Returns
    -------
    The mean; weight: the pixels that count; left out: the share of the valid pixels.
    """
    return spectral_errors(estimate, reference, mask, names=("rrmse@norm",))["rrmse@norm"]


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
    return spectral_errors(estimate, reference, mask, names=("gfc",))["gfc"]


def sam(estimate: Cube, reference: Cube, mask: Mask, _wavelengths: Wavelengths | None = None) -> Score:
    """Spectral angle: the arccos of a pixel's `gfc`, in radians, averaged over pixels.

    Parameters, errors and zero rule as in `gfc`.

    References
    ----------
    Kruse et al. 1993, doi:10.1016/0034-4257(93)90013-N.
    """
    return spectral_errors(estimate, reference, mask, names=("sam",))["sam"]


RMSE = Metric(
    name="rmse",
    unit="8-bit levels",
    scale="0..255",
    higher_is_better=False,
    definition="per pixel sqrt(mean over bands of (e - r)^2), mean over valid pixels, x 255",
    reference=_ALVAREZ_GILA,
    function=FamilyMember(spectral_errors, "rmse"),
    symmetric=True,
)
RRMSE = Metric(
    name="rrmse",
    unit="1",
    scale="relative",
    higher_is_better=False,
    definition="per pixel sqrt(mean over bands with r >= 1/255 of ((e - r) / r)^2), mean over pixels with such a band",
    reference=_ALVAREZ_GILA,
    function=FamilyMember(spectral_errors, "rrmse"),
)
RRMSE_NORM = Metric(
    name="rrmse@norm",
    unit="1",
    scale="relative",
    higher_is_better=False,
    definition="per pixel |e - r| / |r|, mean over valid pixels with |r| > 0",
    reference=_ALVAREZ_GILA,
    function=FamilyMember(spectral_errors, "rrmse@norm"),
)
GFC = Metric(
    name="gfc",
    unit="1",
    scale="0..1",
    higher_is_better=True,
    definition="per pixel |sum(r e)| / (|r| |e|), mean over valid pixels with |r| > 0 and |e| > 0",
    reference="Hernandez-Andres, Romero and Lee 2001, doi:10.1364/JOSAA.18.001325",
    function=FamilyMember(spectral_errors, "gfc"),
    best=1.0,
    symmetric=True,
)
SAM = Metric(
    name="sam",
    unit="rad",
    scale="0..pi/2",
    higher_is_better=False,
    definition="per pixel arccos(|sum(r e)| / (|r| |e|)), mean over valid pixels with |r| > 0 and |e| > 0",
    reference="Kruse et al. 1993, doi:10.1016/0034-4257(93)90013-N",
    function=FamilyMember(spectral_errors, "sam"),
    symmetric=True,
)
