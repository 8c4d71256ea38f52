"""Another observer, CIE 1931, 2 degrees (CIE 15:2004), from colour-science: the clean photo has CIE 1964, 10 degrees.

The rest of the rendering stays: illuminant E, Y = 100 for a flat 1, the matrix of IEC 61966-2-1.
"""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.colour_tables import colour_table
from specrec.rendering import linear_srgb
from specrec.spectra import WAVELENGTHS

OBSERVERS = {"cie1931": "CIE 1931 2 Degree Standard Observer"}
"""What colour-science calls them."""


def observed(cube: ArrayLike, observer: str) -> NDArray[np.float32]:
    """Render a cube, (..., 31), to linear sRGB, (..., 3) float32, not clipped."""
    tristimulus = np.asarray(cube, dtype=np.float64) @ _weights(observer)
    return linear_srgb(tristimulus).astype(np.float32)


@cache
def _weights(observer: str) -> NDArray[np.float64]:
    functions = colour_table(
        f"observer-{observer}", (WAVELENGTHS.size, 3), lambda colour: colour.MSDS_CMFS[OBSERVERS[observer]][WAVELENGTHS]
    )
    weights: NDArray[np.float64] = functions / functions[:, 1].sum()
    return weights
