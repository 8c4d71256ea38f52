"""Metameric blacks, Wyszecki 1953, make a second spectrum for every pixel that renders alike.

A spectrum is the sum of what three colours tell and of a black that no rendering sees (Cohen and Kappauf 1982, American
Journal of Psychology 95, 537-564). The second spectrum has the same colour and goes towards the black of another pixel
of the scene, so that it is made of what is there. Fu et al. 2025, arXiv:2401.03835, test on metamers made of blacks.
"""

import numpy as np
from numpy.typing import NDArray

from specrec.rendering import xyz_weights
from specrec.scenes import Mask
from specrec.spectra import Cube

FARTHEST = 10.0 / 255.0
"""The largest distance of the two spectra, root mean square over the bands: 10 of 255 levels."""
CANDIDATES = 8
"""Other pixels that are drawn for each one; the black that leads farthest is taken."""
BLOCK = 1 << 15  # pixels


def blacks(spectra: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take from spectra, (n, 31), what their colours tell; what is left renders to nothing."""
    weights = xyz_weights()
    return spectra - (spectra @ weights) @ np.linalg.pinv(weights)


def metamers(cube: Cube, valid: Mask, seed: int) -> Cube:
    """Find the second spectrum of every pixel.

    Parameters
    ----------
    cube
        (height, width, 31), 1 is the largest value of a scaled scene.
    valid
        Pixels that have one, (height, width) bool; the others stay as they are.
    seed
        Of the pixels that are drawn.

    Returns
    -------
    A cube of the same shape, float32. No value is below 0, or above 1 and the scene's largest. Its distance is
    `FARTHEST`, or less where the whole step to the other pixel's black, scaled to the same Y, or these bounds allow no
    more: a pixel that is 0 in some band may not move at all.
    """
    spectra = cube[valid].astype(np.float64)
    result = cube.copy()
    if not len(spectra):
        return result
    black, luminance = blacks(spectra), spectra @ xyz_weights()[:, 1]
    most = max(1.0, float(spectra.max()))
    rng = np.random.default_rng(seed)
    others = rng.integers(len(spectra), size=(len(spectra), CANDIDATES))
    found = np.empty_like(spectra)
    for first in range(0, len(spectra), BLOCK):
        part = slice(first, first + BLOCK)
        found[part] = _farthest(spectra, black, luminance, part, others[part], most)
    result[valid] = found.astype(np.float32)
    return result


def _farthest(
    spectra: NDArray[np.float64],
    black: NDArray[np.float64],
    luminance: NDArray[np.float64],
    part: slice,
    others: NDArray[np.int64],
    most: float,
) -> NDArray[np.float64]:
    mine = spectra[part]
    best, step = np.zeros(len(mine)), np.zeros_like(mine)
    for drawn in others.T:
        bright = luminance[drawn] > 0.0
        gain = np.divide(luminance[part], luminance[drawn], out=np.zeros(len(mine)), where=bright)
        towards = gain[:, np.newaxis] * black[drawn] - black[part]
        room = np.where(towards > 0.0, most - mine, np.maximum(mine, 0.0))
        share = np.divide(room, np.abs(towards), out=np.ones_like(towards), where=towards != 0.0)
        whole = np.sqrt((towards**2).mean(axis=1))
        near = np.divide(FARTHEST, whole, out=np.ones_like(whole), where=whole > FARTHEST)
        moved = np.clip(np.minimum(share.min(axis=1), near), 0.0, 1.0)[:, np.newaxis] * towards
        distance = (moved**2).sum(axis=1)
        farther = distance > best
        best[farther], step[farther] = distance[farther], moved[farther]
    return np.where(mine < 0.0, mine, np.clip(mine + step, 0.0, most))
