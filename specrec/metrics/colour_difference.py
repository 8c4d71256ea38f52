"""The colour difference CIEDE2000 between two cubes, both rendered under the same light and observer."""

import math

import numpy as np
from numpy.typing import NDArray

from specrec.interfaces import Metric, Score
from specrec.metrics.valid_pixels import blocks, score
from specrec.rendering import white_point, xyz
from specrec.scenes import Mask
from specrec.spectra import WAVELENGTHS, Cube


def de2000(estimate: Cube, reference: Cube, mask: Mask, wavelengths: NDArray[np.float64] = WAVELENGTHS) -> Score:
    """CIEDE2000 between the colours of two cubes, per pixel, averaged over pixels.

    Both go from spectra to XYZ (CIE 1964 10-degree observer, illuminant E) to CIELAB (white: E under the same K);
    nothing is clipped or quantised on the way.

    Parameters
    ----------
    estimate, reference
        (height, width, 31) on the scale 0..1, where a flat 1 is white.
    mask
        (height, width) bool, the valid pixels.
    wavelengths
        nm, 400 to 700 in steps of 10.

    Returns
    -------
    The mean; weight: the valid pixels.

    Raises
    ------
    ValueError
        If shapes differ, no pixel is valid, or a cube holds NaN or infinity.
    DataError
        For another grid of wavelengths.

    References
    ----------
    Sharma, Wu and Dalal 2005, doi:10.1002/col.20070.

    Examples
    --------
    >>> reference = np.full((1, 1, 31), 0.5)
    >>> round(de2000(reference * 1.1, reference, np.ones((1, 1), bool)).value, 4)
    2.1108
    """
    from specrec.metrics.ciede2000 import sum_of_differences

    totals = []
    for block in blocks(estimate, reference, mask):
        estimated, true = xyz(block.estimate, wavelengths), xyz(block.reference, wavelengths)
        if not (np.isfinite(estimated).all() and np.isfinite(true).all()):
            block.check_finite()
        totals.append(sum_of_differences(estimated, true, white_point(), block.valid))
    pixels = int(np.count_nonzero(mask))
    return score(math.fsum(totals), pixels, pixels)


DE2000 = Metric(
    name="de2000",
    unit="CIEDE2000",
    scale="L* 0..100",
    higher_is_better=False,
    definition="per pixel CIEDE2000 of the Lab colours of e and r (10-degree observer, illuminant E), mean over pixels",
    reference="Sharma, Wu and Dalal 2005, doi:10.1002/col.20070",
    function=de2000,
    symmetric=True,
)
