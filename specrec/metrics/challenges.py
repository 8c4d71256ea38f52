"""Errors as other papers and challenges define them, each under an id of its own, and PSNR.

Their names are those of other metrics of this package; their numbers are not, and must not stand in one column.
"""

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from specrec.interfaces import Metric, Score
from specrec.metrics.together import FamilyMember
from specrec.metrics.valid_pixels import blocks, score
from specrec.scenes import Mask
from specrec.spectra import Cube

Wavelengths = NDArray[np.float64]


def pooled_errors(
    estimate: Cube,
    reference: Cube,
    mask: Mask,
    _wavelengths: Wavelengths | None = None,
    _names: Collection[str] = (),
) -> dict[str, Score]:
    """Give the metrics of this module at once, each to the bit what it gives alone; both cubes are read once.

    Parameters and errors as in `rmse_arad2016`.

    Returns
    -------
    A score by the name of its metric; all of them cost no more than one.
    """
    from specrec.metrics import one_pass as sums

    totals = np.zeros((7, sums.LANES))
    totals[sums.BRIGHTEST] = -np.inf
    for block in blocks(estimate, reference, mask):
        sums.add_pooled(block.estimate, block.reference, block.valid, totals)
        if not np.isfinite(totals[sums.EVERYTHING]).all():
            block.check_finite()
    brightest = float(totals[sums.BRIGHTEST].max())
    total = totals.sum(axis=1).tolist()
    pixels, positive = total[sums.PIXELS], total[sums.POSITIVE_VALUES]
    values = pixels * reference.shape[2]
    error = total[sums.SQUARES] / values
    arad2016 = Score(math.sqrt(error) / brightest * 255.0, pixels) if brightest > 0.0 else Score(0.0, 0.0, 1.0)
    return {
        "rmse@arad2016": arad2016,
        "mrae@ntire2018": score(total[sums.MRAE_2018], values, 1.0),
        "mrae@ntire2020": score(total[sums.MRAE_2020], positive, 1.0, 1.0 - positive / values),
        "psnr": Score(-10.0 * math.log10(error) if error > 0.0 else math.inf, pixels),
    }


def rmse_arad2016(estimate: Cube, reference: Cube, mask: Mask, _wavelengths: Wavelengths | None = None) -> Score:
    """Root mean square error pooled over pixels and bands, over the maximum of the reference, times 255.

    Parameters
    ----------
    estimate, reference
        (height, width, bands), any scale: the score is relative to the brightest value of the reference.
    mask
        (height, width) bool, the valid pixels.

    Returns
    -------
    The value; weight: the valid pixels. A reference without a value above zero gives 0 with weight 0, all left out.

    Raises
    ------
    ValueError
        If shapes differ, no pixel is valid, or a cube holds NaN or infinity.

    References
    ----------
    Arad and Ben-Shahar 2016, doi:10.1007/978-3-319-46478-7_2.

    Examples
    --------
    >>> reference = np.array([[[0.1, 0.5]]])
    >>> round(rmse_arad2016(reference + 0.1, reference, np.ones((1, 1), bool)).value, 6)
    51.0
    """
    return pooled_errors(estimate, reference, mask)["rmse@arad2016"]


def mrae_ntire2018(estimate: Cube, reference: Cube, mask: Mask, _wavelengths: Wavelengths | None = None) -> Score:
    """Mean over valid pixels and bands of abs(e - r) / (r + 2^-52); every image weighs 1.

    Parameters and errors as in `rmse_arad2016`. Nothing is left out: one zero of the reference that is missed by
    1/255 adds about 2e13 to the sum.

    References
    ----------
    Arad, Ben-Shahar, Timofte et al. 2018, doi:10.1109/CVPRW.2018.00138.
    """
    return pooled_errors(estimate, reference, mask)["mrae@ntire2018"]


def mrae_ntire2020(estimate: Cube, reference: Cube, mask: Mask, _wavelengths: Wavelengths | None = None) -> Score:
    """Mean over valid pixels and bands of abs(e - r) / r; every image weighs 1.

    Parameters and errors as in `rmse_arad2016`. Values where the reference is not above zero are left out.

    Returns
    -------
    The mean; weight 1, or 0 where no value counts; left out: the share of the valid values.

    References
    ----------
    Arad, Timofte, Ben-Shahar et al. 2020, doi:10.1109/CVPRW50498.2020.00231.

    Examples
    --------
    >>> reference = np.array([[[0.5, 0.25, 0.0, 0.0]]])
    >>> mrae_ntire2020(reference + 0.125, reference, np.ones((1, 1), bool))
    Score(value=0.375, weight=1.0, left_out=0.5)
    """
    return pooled_errors(estimate, reference, mask)["mrae@ntire2020"]


def psnr(estimate: Cube, reference: Cube, mask: Mask, _wavelengths: Wavelengths | None = None) -> Score:
    """Peak signal-to-noise ratio in dB: 10 log10(1 / mean squared error), pooled over pixels and bands, peak 1.

    Parameters and errors as in `rmse_arad2016`, on the scale 0..1.

    Returns
    -------
    The ratio, infinity for identical cubes; weight: the valid pixels.

    References
    ----------
    Huynh-Thu and Ghanbari 2008, doi:10.1049/el:20080522.

    Examples
    --------
    >>> reference = np.full((1, 1, 31), 0.5)
    >>> round(psnr(reference + 0.01, reference, np.ones((1, 1), bool)).value, 6)
    40.0
    """
    return pooled_errors(estimate, reference, mask)["psnr"]


RMSE_ARAD2016 = Metric(
    name="rmse@arad2016",
    unit="8-bit levels",
    scale="0..255",
    higher_is_better=False,
    definition="sqrt(mean over valid pixels and bands of (e - r)^2) / max(r) x 255, once per image",
    reference="Arad and Ben-Shahar 2016, doi:10.1007/978-3-319-46478-7_2",
    function=FamilyMember(pooled_errors, "rmse@arad2016"),
)
MRAE_NTIRE2018 = Metric(
    name="mrae@ntire2018",
    unit="1",
    scale="relative",
    higher_is_better=False,
    definition="mean over valid pixels and bands of |e - r| / (r + 2^-52); images weigh equally",
    reference="Arad, Ben-Shahar, Timofte et al. 2018, doi:10.1109/CVPRW.2018.00138",
    function=FamilyMember(pooled_errors, "mrae@ntire2018"),
)
MRAE_NTIRE2020 = Metric(
    name="mrae@ntire2020",
    unit="1",
    scale="relative",
    higher_is_better=False,
    definition="mean over valid pixels and bands with r > 0 of |e - r| / r; images weigh equally",
    reference="Arad, Timofte, Ben-Shahar et al. 2020, doi:10.1109/CVPRW50498.2020.00231",
    function=FamilyMember(pooled_errors, "mrae@ntire2020"),
)
PSNR = Metric(
    name="psnr",
    unit="dB",
    scale="peak 1",
    higher_is_better=True,
    definition="10 log10(1 / mean over valid pixels and bands of (e - r)^2), once per image",
    reference="Huynh-Thu and Ghanbari 2008, doi:10.1049/el:20080522",
    function=FamilyMember(pooled_errors, "psnr"),
    best=math.inf,
    symmetric=True,
)
