"""Shades of grey: the light of a scene, estimated by what all its pixels have in common (Finlayson and Trezzi 2004)."""

import numpy as np
from numpy.typing import NDArray

_POWER = 6
_DARKEST = 1e-2  # of the mean channel: a channel without any light is no light one may divide by
_AT_ONCE = 1 << 16  # pixels


def shade_of_grey(pixels: NDArray[np.floating]) -> NDArray[np.float64]:
    """Estimate the light of pixels (n, channels) as the Minkowski mean of each channel.

    Between grey world (power 1) and white patch (infinite power): the sixth root of the mean sixth power.

    Returns
    -------
    (channels,), scaled to a mean of 1, and nowhere below 0.01; all 1 where there is no light.

    References
    ----------
    Finlayson and Trezzi 2004, Shades of gray and colour constancy, 12th Color Imaging Conference, 37-41.

    Examples
    --------
    >>> shade_of_grey(np.array([[0.2, 0.4, 0.6], [0.1, 0.2, 0.3]])).round(6).tolist()
    [0.5, 1.0, 1.5]
    """
    powers = np.zeros(pixels.shape[1])
    for start in range(0, len(pixels), _AT_ONCE):
        powers += (pixels[start : start + _AT_ONCE].astype(np.float64) ** _POWER).sum(axis=0)
    means = (powers / max(len(pixels), 1)) ** (1.0 / _POWER)
    if not means.mean() > 0.0:
        return np.ones(pixels.shape[1])
    return np.maximum(means / means.mean(), _DARKEST)
