"""`rmse@worst-band`: the root mean square error of the band in which an estimate errs most."""

import numpy as np
from specrec import Metric
from specrec.metrics.valid_pixels import blocks, score


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
    squares, pixels = np.zeros(reference.shape[-1]), 0
    for block in blocks(estimate, reference, mask):
        block.check_finite()
        errors = block.estimate[block.valid].astype(np.float64) - block.reference[block.valid]
        squares += np.square(errors).sum(axis=0)
        pixels += len(errors)
    worst = 255.0 * np.sqrt(squares.max() / pixels)
    return score(worst * pixels, pixels, weight=pixels)


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
