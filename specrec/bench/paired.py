"""Paired scores of two methods: Wilcoxon's test, Holm's correction, and an interval of the difference."""

import math
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from specrec.bench.scores import SceneScores

RESAMPLES = 9999
SEED = 0
"""Of the resamples; they are the same for every metric, so that a table is always the same."""
MOST_AT_ONCE = 4_000_000
"""Numbers of methods, runs and draws in memory."""

Interval = tuple[float, float, Literal["BCa", "percentile", "none"]]


def holm(p: Sequence[float]) -> list[float]:
    """Correct p-values for being several: the k-th smallest of m is multiplied by m - k + 1, and order is kept.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)))
    return [float(value) for value in corrected]


def wilcoxon(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, int]:
    """Test whether two methods differ on paired scenes: Wilcoxon's signed-rank test, two-sided.

    Scenes that count for one method alone, and differences of 0, are dropped. Exact up to 50 differences without ties
    and up to 13 with them, by the normal approximation otherwise.

    Returns
    -------
    p, 1 where no scene differs; and how many differ.
    """
    from scipy import stats

    both = ~(np.isnan(one) | np.isnan(other)) & (one != other)  # infinity less infinity is no difference either
    differences = one[both] - other[both]
    if not len(differences):
        return 1.0, 0
    return float(stats.wilcoxon(differences, zero_method="wilcox", method="auto").pvalue), len(differences)


def wilcoxon_of_all(values: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Test every pair of methods as `wilcoxon` does, with the same results.

    Without ties p depends on the number of scenes and the sum of ranks alone, so that each such sum is tested once.

    Parameters
    ----------
    values
        By method, (scenes,).

    Returns
    -------
    p, 1 on the diagonal, and how many scenes differ; both (methods, methods) and symmetric.
    """
    every = np.stack(list(values))
    count, scenes = every.shape
    p, differing = np.ones((count, count)), np.zeros((count, count), dtype=np.int64)
    known: dict[int, float] = {}
    for index in range(count - 1):
        with np.errstate(invalid="ignore"):  # infinity less infinity
            differences = every[index] - every[index + 1 :]
        sizes = np.sort(np.abs(differences), axis=1)
        plain = (
            np.isfinite(sizes).all(axis=1) & (sizes[:, :1] > 0).all(axis=1) & (sizes[:, 1:] > sizes[:, :-1]).all(axis=1)
        )
        ranks = np.argsort(np.argsort(np.abs(differences), axis=1), axis=1) + 1
        sums = (ranks * (differences > 0)).sum(axis=1)
        rest = slice(index + 1, None)
        differing[index, rest] = scenes
        for total in np.unique(sums[plain]).tolist():
            same = plain & (sums == total)
            if total not in known:
                known[total] = wilcoxon(every[index], every[index + 1 + int(np.argmax(same))])[0]
            p[index, rest][same] = known[total]
        for place in (np.flatnonzero(~plain) + index + 1).tolist():
            p[index, place], differing[index, place] = wilcoxon(every[index], every[place])
        p[rest, index], differing[rest, index] = p[index, rest], differing[index, rest]
    return p, differing


def intervals(others: Sequence[SceneScores], best: SceneScores) -> list[Interval]:
    """Find the 95 % interval of the difference of each method's number to the best one's.

    Scenes are drawn with replacement, each with its weights and with its scores of every run and both methods.

    Returns
    -------
    Low, high and kind of each; see `specrec.bench.statistics.Difference`.
    """
    finite = [index for index, one in enumerate(others) if np.isfinite([one.number, best.number]).all()]
    found: list[Interval] = [(math.nan, math.nan, "none")] * len(others)
    count = len(best.scenes)
    if count < 2 or not finite:
        return found
    from scipy import stats

    everyone = [best, *(others[index] for index in finite)]
    weights = np.stack([one.weights for one in everyone])  # (methods, runs, scenes)
    values = np.stack([one.values for one in everyone])

    def statistic(drawn: NDArray[Any], axis: int = -1) -> NDArray[np.float64]:
        """Differences of the table's numbers, (comparisons, ...), of scenes drawn again, (..., scenes)."""
        draws = drawn.astype(np.int64).reshape(-1, drawn.shape[axis])
        offsets = count * np.arange(len(draws))[:, None]
        times = np.bincount((draws + offsets).ravel(), minlength=count * len(draws)).reshape(len(draws), count)
        step = max(1, MOST_AT_ONCE // weights[..., 0].size)
        parts = [times[start : start + step].T for start in range(0, len(times), step)]
        numbers = np.concatenate(
            [((weights * values) @ part / (weights @ part)).mean(axis=1) for part in parts], axis=1
        )  # (methods, draws)
        differences: NDArray[np.float64] = numbers[1:] - numbers[0]
        return differences.reshape(-1, *drawn.shape[:-1])

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # where BCa is not defined it gives NaN and says so; what is done then is below
        boot = stats.bootstrap(
            (np.arange(count),), statistic, n_resamples=RESAMPLES, method="BCa", rng=np.random.default_rng(SEED)
        )
    lows, highs = boot.confidence_interval
    for index, low, high, drawn in zip(finite, lows, highs, boot.bootstrap_distribution, strict=True):
        kind: Literal["BCa", "percentile"] = "BCa"
        if not np.isfinite([low, high]).all():
            kind = "percentile"
            known = drawn[np.isfinite(drawn)]  # no number: no scene that was drawn counts
            low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (math.nan, math.nan)
        found[index] = (float(low), float(high), kind)
    return found
