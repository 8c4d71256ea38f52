"""Cubes on which metrics are tried, and the try itself."""

import inspect
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.errors import SpecrecError
from specrec.interfaces import Metric, Score
from specrec.scenes import Mask
from specrec.spectra import WAVELENGTHS, Cube
from specrec.testing.checks import RAISED, NotConforming

Layout = Callable[[NDArray[Any]], NDArray[Any]]


class Pair(NamedTuple):
    """What a metric is given, in its order."""

    estimate: Cube
    reference: Cube
    mask: Mask
    wavelengths: NDArray[np.float64]


def ordinary(
    height: int = 40,
    width: int = 30,
    wavelengths: ArrayLike = WAVELENGTHS,
    *,
    noise: float = 0.05,
    seed: int = 0,
    all_valid: bool = False,
) -> Pair:
    """Make a reference between 0.1 and 0.9, an estimate that misses it by some noise, and a mask; new arrays each time.

    Parameters
    ----------
    noise
        Standard deviation; 0 makes the estimate perfect.
    all_valid
        Otherwise about a fifth of the pixels is not valid.
    """
    grid = np.array(wavelengths, dtype=np.float64)
    rng = np.random.default_rng(seed)
    reference = rng.uniform(0.1, 0.9, (height, width, grid.size)).astype(np.float32)
    estimate = reference + np.float32(noise) * rng.standard_normal(reference.shape, dtype=np.float32)
    mask = (rng.random((height, width)) < 0.8) | all_valid
    return Pair(estimate, reference, mask, grid)


def scored(metric: Metric, pair: Pair, what: str, remedy: str, *, warnings_count: bool = False) -> Score:
    """Score a pair; an exception, or something else than a score, is a broken promise.

    Parameters
    ----------
    what
        Names the pair in the message, such as "an image of one pixel".
    remedy
        What to change where the metric raises.
    warnings_count
        Whether a RuntimeWarning, such as that of a division by zero, is a broken promise too.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if warnings_count:
                warnings.simplefilter("error", RuntimeWarning)
            score = metric(*pair)
    except RAISED as error:  # a plugin's metric may raise anything
        if isinstance(error, TypeError) and not _takes_four(metric):
            remedy = "the function takes (estimate, reference, mask, wavelengths)"
        raise NotConforming(f"{what} raised {type(error).__name__}: {error}; {remedy}") from error
    if not isinstance(score, Score):
        raise NotConforming(f"{what} gave {score!r}; return specrec.interfaces.Score(value, weight, left_out)")
    return score


def _takes_four(metric: Metric) -> bool:
    try:
        inspect.signature(metric.function).bind(1, 2, 3, 4)
    except TypeError:
        return False
    except ValueError:  # a compiled function does not tell
        pass
    return True


def scored_or_refused(metric: Metric, pair: Pair, what: str, remedy: str) -> Score | None:
    """Score a pair that a metric may refuse with a ValueError or a SpecrecError of some words; None where it does."""
    try:
        return scored(metric, pair, what, remedy)
    except NotConforming as failure:
        if isinstance(failure.__cause__, ValueError | SpecrecError) and str(failure.__cause__):
            return None
        raise


def bands_first(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, stored as whole bands one after the other."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, -1, 0)), 0, -1)


def columns_first(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, stored as the transposed image."""
    return np.ascontiguousarray(array.swapaxes(0, 1)).swapaxes(0, 1)


def strided(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, as every second row and column of a larger array that holds others between them."""
    wide = np.full((2 * array.shape[0], 2 * array.shape[1], *array.shape[2:]), 0.5).astype(array.dtype)
    wide[::2, ::2] = array
    return wide[::2, ::2]


def backwards(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, stored from the last to the first."""
    return np.ascontiguousarray(array[::-1, ::-1, ...])[::-1, ::-1, ...]


LAYOUTS: dict[str, Layout] = {
    "Fortran order": np.asfortranarray,
    "bands first in memory": bands_first,
    "columns first in memory": columns_first,
    "every second pixel of a larger array": strided,
    "reversed in memory": backwards,
}
