"""What a spectral camera adds to the ends of its range: light of other wavelengths and of other places.

At 400 and at 700 nm lamp, filter and sensor are weak together. Whatever leaks through the filter or scatters in the
lens is then a large part of what is counted, and the division by a white reference leaves a veil over those bands:
dark things look violet and deep red there. Measured scenes have it, so scenes that stand in for them need it.
"""

import numpy as np
from numpy.typing import NDArray

from specrec.spectra import WAVELENGTHS, Cube

_VIOLET, _RED = 0.9, 0.2  # largest share at either end of the range
_EVERYWHERE = 0.01  # largest share of plain lens flare
_MOST = 0.95


def draw_veil(rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw the share of stray light per band, (31,): large at the ends of the range and falling within 8 to 25 nm."""
    first, last = WAVELENGTHS[0], WAVELENGTHS[-1]
    violet = _VIOLET * rng.random() * np.exp((first - WAVELENGTHS) / rng.uniform(8.0, 25.0))
    red = _RED * rng.random() * np.exp((WAVELENGTHS - last) / rng.uniform(8.0, 25.0))
    return np.asarray(np.minimum(violet + red + _EVERYWHERE * rng.random(), _MOST), dtype=np.float32)


def add_veil(radiance: Cube, light: NDArray[np.float32], veil: NDArray[np.float32]) -> None:
    """Replace the share `veil` of every band by stray light, in place.

    Parameters
    ----------
    radiance
        (height, width, 31).
    light
        Radiance of a white, (31,): stray light is grey, as the division by a white reference leaves it.
    veil
        Share per band, (31,), 0 to 1.
    """
    level = (radiance.mean(axis=(0, 1)) / light).mean()
    radiance *= 1 - veil
    radiance += veil * level * light
