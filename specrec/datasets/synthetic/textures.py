"""Eight textures that a material can have, made of filtered noise: (size, size) maps of mean 0 and deviation 1."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]

TEXTURES = ("smooth", "grain", "fractal", "leaf", "grass", "bark", "weave", "brick")
_EXTREME = 2.5  # a texture's values are cut here, so that no pixel runs away in the exponentials that use them


def _amplitude(
    size: int, slope: float, lowest: float, highest: float, angle: float = 0.0, stretch: float = 1.0
) -> NDArray[np.float32]:
    down, right = np.fft.fftfreq(size)[:, np.newaxis], np.fft.rfftfreq(size)[np.newaxis]
    along = right * np.cos(angle) + down * np.sin(angle)
    across = (down * np.cos(angle) - right * np.sin(angle)) * stretch
    frequency = np.hypot(along, across)
    frequency[0, 0] = 1.0
    amplitude = frequency**-slope * np.exp(-((lowest / frequency) ** 4) - (frequency / highest) ** 4)
    amplitude[0, 0] = 0.0
    return np.asarray(amplitude, dtype=np.float32)


_isotropic_amplitude = lru_cache(maxsize=64)(_amplitude)


def noise(
    rng: np.random.Generator,
    size: int,
    slope: float,
    lowest: float = 0.0,
    highest: float = 9.0,
    oriented: tuple[float, float] | None = None,
) -> Map:
    """Gaussian noise of a chosen spectrum, (size, size) float32, mean 0, deviation 1; it wraps around.

    Parameters
    ----------
    slope
        The amplitude falls with frequency to this power: 0 is white, 2 is clouds.
    lowest, highest
        The band that is kept, in cycles per pixel, with soft edges.
    oriented
        An angle in radians and how many times longer the streaks are than wide.
    """
    if oriented is None:
        amplitude = _isotropic_amplitude(size, slope, lowest, highest)
    else:
        amplitude = _amplitude(size, slope, lowest, highest, *oriented)
    # drawn as a spectrum: one transform instead of two
    parts = rng.standard_normal((size, size // 2 + 1, 2), dtype=np.float32)
    spectrum = parts.view(np.complex64)[..., 0] * amplitude
    field = np.fft.irfft2(spectrum, s=(size, size)).astype(np.float32, copy=False)
    field /= field.std() + np.float32(1e-9)
    return field


def draw_textures(rng: np.random.Generator, size: int) -> Map:
    """Draw every texture once for a scene: (8, size, size) float32 in the order of `TEXTURES`."""
    maps = np.empty((len(TEXTURES), size, size), dtype=np.float32)
    maps[0] = noise(rng, size, 2.0, 0.0, 0.03)
    maps[1] = grain = noise(rng, size, 0.0, 0.15, 0.5)
    maps[2] = noise(rng, size, 1.2)
    leaves = np.maximum(noise(rng, size, 0.5, 0.04, 0.16), noise(rng, size, 0.5, 0.04, 0.16))
    maps[3] = leaves + np.float32(0.35) * noise(rng, size, 0.0, 0.2, 0.5)
    maps[4] = noise(rng, size, 0.6, 0.06, 0.45, (rng.uniform(-0.25, 0.25), 4.0))
    maps[5] = noise(rng, size, 1.0, 0.02, 0.30, (np.pi / 2 + rng.uniform(-0.3, 0.3), 5.0))
    maps[6] = _weave(rng, size) + np.float32(0.3) * grain
    maps[7] = _bricks(rng, size) + np.float32(0.35) * grain
    maps -= maps.mean(axis=(1, 2), keepdims=True)
    maps /= maps.std(axis=(1, 2), keepdims=True)
    return np.clip(maps, -_EXTREME, _EXTREME, out=maps)


def _weave(rng: np.random.Generator, size: int) -> Map:
    period, angle = rng.uniform(3.2, 5.0), rng.uniform(0.0, np.pi / 2)
    down, right = np.mgrid[:size, :size].astype(np.float32)
    warp = np.float32(0.8) * noise(rng, size, 2.0, 0.0, 0.05)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    turns = np.float32(2 * np.pi / period)
    along, across = (right * cosine + down * sine) * turns, (down * cosine - right * sine) * turns
    weave: Map = np.float32(1.4) * np.sin(along + warp) * np.sin(across + warp)
    return weave


def _bricks(rng: np.random.Generator, size: int) -> Map:
    height, width = int(rng.integers(7, 12)), int(rng.integers(14, 24))
    down, right = np.mgrid[:size, :size]
    course = down // height
    into_brick = (right + (course % 2) * (width // 2)) % width
    mortar = np.minimum(down % height, into_brick) < 2
    return np.where(mortar, np.float32(-1.7), np.float32(0.3))
