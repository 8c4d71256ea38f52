"""Spectra related to a measured one: a thing is never of a single spectrum."""

import numpy as np
from numpy.typing import NDArray

from specrec.datasets.synthetic.library import library
from specrec.datasets.synthetic.light import daylight
from specrec.rendering import xyz_weights

DAYLIGHT = 5700.0
"""K; under this light spectra are compared."""


def at_equal_luminance(reflectances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale spectra, (n, 31), to luminance 1 under `DAYLIGHT`."""
    luminance = reflectances * daylight(DAYLIGHT) @ xyz_weights()[:, 1]
    return reflectances / luminance[:, np.newaxis]


def with_variants(member: int) -> NDArray[np.float64]:
    """Spectrum `member` of the library, and two that lean towards its nearest neighbours there: (3, 31), logarithms."""
    spectra = at_equal_luminance(library().reflectances)
    logs = np.log(library().reflectances)
    near = np.argsort(np.linalg.norm(spectra - spectra[member], axis=1), kind="stable")[1:3]
    return np.concatenate([logs[[member]], 0.75 * logs[member] + 0.25 * logs[near]])
