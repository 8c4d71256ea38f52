"""Which training pixels validate: hyper-parameters are chosen on scenes held out of the training scenes.

Pixels of one scene are not independent of each other, so that whole scenes are held out: every fifth, or the last of
fewer than five. Where there is one scene alone, every fifth of its pixels.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError, UsageError
from specrec.interfaces import FitContext
from specrec.per_pixel import Rows, sample_pixels
from specrec.scenes import TrainingScene

_EVERY = 5
_MOST = 200_000  # pixels in all: their spectra are 25 MB, and several times that in float64


class Drawn(NamedTuple):
    """Training pixels, and which of them validate."""

    colours: Rows
    """(n, 3)."""
    spectra: NDArray[np.float64]
    """(n, bands)."""
    held: NDArray[np.bool_]
    """(n,)."""
    per_scene: list[int]
    """How many of each scene; they stand in the order of the scenes."""


def draw(scenes: Sequence[TrainingScene], per_scene: int, rng: np.random.Generator, context: FitContext) -> Drawn:
    """Draw `per_scene` valid pixels of every scene, fewer where that would be over 200,000 in all.

    Raises
    ------
    DataError
        If there are no scenes, one has no valid pixel, or no pixel drawn has any light.
    """
    if not scenes:
        raise DataError("there are no scenes to draw training pixels from")
    count = min(per_scene, max(1, _MOST // len(scenes)))
    validating = range(min(_EVERY, len(scenes)) - 1, len(scenes), _EVERY)
    colours, spectra, held = [], [], []
    for number, scene in enumerate(scenes):
        context.progress(0.8 * number / len(scenes), scene.name)
        of_scene = sample_pixels([scene], count, rng)
        colours.append(of_scene[0])
        spectra.append(of_scene[1])
        alone = np.arange(len(of_scene[0])) % _EVERY == _EVERY - 1
        held.append(alone if len(scenes) == 1 else np.full(len(alone), number in validating))
    drawn = Drawn(
        np.concatenate(colours),
        np.concatenate(spectra).astype(np.float64),
        np.concatenate(held),
        [len(one) for one in colours],
    )
    if not drawn.colours.any():
        raise DataError("the training pixels drawn are all black; there is nothing to learn from them")
    return drawn


def number_or_auto(where: str, words: object, *, zero: bool = False) -> float | None:
    """Read a number above 0, or of at least 0 where `zero` may be; None stands for ``auto``.

    Examples
    --------
    >>> number_or_auto("kernel[width]", "0.5"), number_or_auto("kernel[width]", "auto")
    (0.5, None)
    """
    if words == "auto":
        return None
    try:
        number = float(str(words))
    except ValueError:
        number = math.nan
    if not 0.0 <= number < math.inf or (number == 0.0 and not zero):
        raise UsageError(f"{where} is auto or a number {'of at least' if zero else 'above'} 0, not {words!r}")
    return number
