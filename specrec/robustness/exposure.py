"""Another exposure, Lin and Finlayson 2020, doi:10.3390/s20216399: light times k before it is clipped and encoded.

The scene is the same, so an estimate from the photo is divided by k and held against the same reference, in the same
8-bit levels as the clean error: a method that scales its estimate with the light keeps its error. What the longer
exposure clips is lost for every method alike, and is not scored.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.scenes import Mask


def exposed(linear: ArrayLike, factor: float) -> NDArray[np.float32]:
    """Scale light: (height, width, 3) linear colours times `factor`, not clipped.

    Examples
    --------
    >>> exposed([[[0.25, 0.5, 0.75]]], 2.0).tolist()
    [[[0.5, 1.0, 1.5]]]
    """
    return (np.asarray(linear, dtype=np.float64) * factor).astype(np.float32)


def unclipped(linear: ArrayLike, factor: float) -> Mask:
    """Mark the pixels of which no channel goes above white under this exposure, (height, width) bool."""
    return np.asarray((np.asarray(linear, dtype=np.float64) * factor <= 1.0).all(axis=-1))
