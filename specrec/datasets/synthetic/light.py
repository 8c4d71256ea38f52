"""Illuminants: CIE daylights and equal energy, all of luminance 1 relative to a flat spectrum of 1."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specrec.datasets.synthetic.library import library
from specrec.datasets.synthetic.recipe import Spectra
from specrec.rendering import xyz_weights
from specrec.spectra import WAVELENGTHS

_NEUTRAL = 0.7  # of broad scenes: reflectance, or a picture whose white is balanced, whatever lamp was on


@dataclass(frozen=True)
class Light:
    """What lights a scene.

    Parameters
    ----------
    sun, sky
        Spectra of the direct and of the ambient light, (31,) float32, each of luminance 1.
    ambient
        Strength of the ambient light where the direct light is 1.
    """

    sun: NDArray[np.float32]
    sky: NDArray[np.float32]
    ambient: float


def _unit_luminance(spectrum: NDArray[np.float64]) -> NDArray[np.float64]:
    luminance = float(spectrum @ xyz_weights()[:, 1]) / 100.0
    return spectrum / luminance


def daylight(kelvin: float) -> NDArray[np.float64]:
    """Spectrum of the CIE daylight series, (31,), luminance 1.

    Parameters
    ----------
    kelvin
        Correlated colour temperature, 4000 to 25000.

    References
    ----------
    CIE 15:2004, section 3.1.

    Examples
    --------
    >>> daylight(4000)[0] < 0.5 < daylight(20000)[0]
    True
    """
    if not 4000 <= kelvin <= 25000:
        raise ValueError(f"the daylight series runs from 4000 to 25000 K, not to {kelvin:g} K")
    if kelvin <= 7000:
        x = 0.244063 + 0.09911e3 / kelvin + 2.9678e6 / kelvin**2 - 4.6070e9 / kelvin**3
    else:
        x = 0.237040 + 0.24748e3 / kelvin + 1.9018e6 / kelvin**2 - 2.0064e9 / kelvin**3
    y = -3.000 * x**2 + 2.870 * x - 0.275
    scale = 0.0241 + 0.2562 * x - 0.7341 * y
    first, second = (-1.3515 - 1.7703 * x + 5.9114 * y) / scale, (0.0300 - 31.4424 * x + 30.0717 * y) / scale
    mean, blue, green = library().daylight_basis
    return _unit_luminance(mean + first * blue + second * green)


def draw_light(rng: np.random.Generator, spectra: Spectra) -> Light:
    """Draw the light of a scene: sun and sky, or in broad worlds mostly neutral light."""
    ambient = rng.uniform(0.12, 0.30)
    if spectra == "world":
        sun, sky = daylight(rng.uniform(5080.0, 5920.0)), daylight(1e4 * np.exp(rng.uniform(-0.21, 0.27)))
        return _light(sun, sky, ambient)
    if rng.random() < _NEUTRAL:
        sun = sky = np.ones(WAVELENGTHS.size)
        ambient = rng.uniform(0.1, 0.8)
    else:
        sun, sky = daylight(np.exp(rng.uniform(np.log(4500), np.log(9000)))), daylight(rng.uniform(6000, 12000))
    return _light(sun, sky, ambient)


def _light(sun: NDArray[np.float64], sky: NDArray[np.float64], ambient: float) -> Light:
    return Light(sun.astype(np.float32), sky.astype(np.float32), float(ambient))
