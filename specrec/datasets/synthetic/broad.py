"""The broad prior, from which the shipped weights learn: materials of any spectra, and spectra that nobody measured.

Half of the materials are measured or mixed of measured spectra. The library has few saturated colourants, though, and
none that is steep at both ends; so the rest are colourants made up of absorption bands.
"""

import numpy as np
from numpy.typing import NDArray

from specrec.datasets.synthetic.library import HIGHEST, LOWEST, library
from specrec.datasets.synthetic.variants import with_variants
from specrec.spectra import WAVELENGTHS

Variants = NDArray[np.float64]
"""Logarithms of three related reflectances, (3, 31); every object of a material is a mixture of them."""

_KINDS = ("measured", "pigments", "lights", "colourant")
_SHARES = (0.35, 0.175, 0.175, 0.3)
_BANDS = 3  # of absorption in one colourant, at most
_FIRST, _LAST = 330.0, 640.0  # nm, their centres: beyond, most dyes and pigments are clear


def draw_broad_spectra(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draw the spectra of `count` materials: (count, 3, 31), logarithms of reflectance."""
    return np.stack([_draw_variants(rng) for _ in range(count)])


def _draw_variants(rng: np.random.Generator) -> Variants:
    """Draw one material: three spectra as measured and near to each other, or three mixtures, or one colourant."""
    reflectances = library().reflectances
    kind = rng.choice(_KINDS, p=_SHARES)
    if kind == "colourant":
        return draw_colourant(rng)
    if kind == "measured":
        return with_variants(int(rng.integers(len(reflectances))))
    chosen, shares = rng.choice(len(reflectances), 3, replace=False), rng.dirichlet([1.0, 1.0, 1.0], 3)
    if kind == "pigments":
        return np.asarray(shares @ np.log(reflectances[chosen]))
    return np.asarray(np.log(shares @ reflectances[chosen]))


def draw_colourant(rng: np.random.Generator) -> Variants:
    """Draw a colourant in three strengths: up to three absorption bands in a body that scatters all waves alike.

    A band is a Gaussian, steeper towards long waves; absorption over scattering, K / S, gives the reflectance of an
    opaque layer (Kubelka and Munk 1931, Zeitschrift fuer technische Physik 12, 593).
    """
    centre = rng.uniform(_FIRST, _LAST, (_BANDS, 1))
    width = np.exp(rng.uniform(np.log(20.0), np.log(100.0), (_BANDS, 1)))
    width = width * np.where(
        centre < WAVELENGTHS, rng.uniform(0.4, 1.0, (_BANDS, 1)), rng.uniform(1.0, 2.0, (_BANDS, 1))
    )
    strength = np.exp(rng.normal(0.0, 1.5, (_BANDS, 1))) * (rng.random((_BANDS, 1)) < [[1.0], [0.7], [0.4]])
    bands = (strength * np.exp(-0.5 * ((WAVELENGTHS - centre) / width) ** 2)).sum(axis=0)
    concentration = np.exp(rng.normal(0.0, 0.3, (3, 1)))
    ratio = concentration * bands + np.exp(rng.normal(-3.5, 1.2))
    reflectance = 1.0 + ratio - np.sqrt(ratio**2 + 2.0 * ratio)
    return np.asarray(np.log(np.clip(reflectance, LOWEST, HIGHEST)))
