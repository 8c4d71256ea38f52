"""`rmse@worst-band`: the root mean square error of the band in which an estimate errs most."""

import numpy as np
from specrec import Metric, Score


def worst_band(estimate, reference, mask, wavelengths):
    """Largest over bands of the root mean square error over pixels, in 8-bit levels.

    Parameters
    ----------
    estimate, reference
        (height, width, bands) on the scale 0..1. They are not changed.
    mask
        (height, width) bool, the valid pixels.
    wavelengths
        (bands,) in nm; not needed.

    Returns
    -------
    The error times 255; weight: the valid pixels. Nothing is divided by, so there is no zero rule.
    """
    if estimate.shape != reference.shape or mask.shape != reference.shape[:2]:
        raise ValueError(f"estimate {estimate.shape}, reference {reference.shape} and mask {mask.shape} do not fit")
    squares, pixels = np.zeros(reference.shape[2]), int(mask.sum())
    if pixels == 0:
        raise ValueError("the mask has no valid pixel, so there is nothing to score")
    for top in range(0, len(mask), 64):  # some rows at a time: images may be large
        rows = slice(top, top + 64)
        e, r = (cube[rows][mask[rows]].astype(np.float64) for cube in (estimate, reference))  # (pixels, bands)
        squares += np.square(e - r).sum(axis=0)
    if not np.isfinite(squares).all():
        raise ValueError("the estimate or the reference holds NaN or infinity")
    return Score(255.0 * float(np.sqrt(squares.max() / pixels)), weight=float(pixels))


RMSE_WORST_BAND = Metric(
    name="rmse@worst-band",
    unit="8-bit levels",
    scale="0..255",
    higher_is_better=False,
    definition="max over bands of sqrt(mean over valid pixels of (e - r)^2), x 255",
    reference="specrec's example of a plugin, 2026",
    function=worst_band,
    symmetric=True,
)
