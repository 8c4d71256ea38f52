"""Paired scores of two methods: Wilcoxon's test, Holm's correction, and an interval of the difference."""

import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.bench.scores import SceneScores

RESAMPLES = 9999
SEED = 0
"""Of the resamples; they are the same for every metric, so that a table is always the same."""
MOST_TRIED = 13
"""Differences of which some are tied: of so many all choices of signs are counted."""
MOST_AT_ONCE = 1_000_000
"""Numbers of methods, runs and draws in memory."""
TOGETHER = 64
"""Methods whose intervals are found at once: memory does not grow with their number."""

Interval = tuple[float, float, Literal["BCa", "percentile", "none"]]


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Correct p-values for being several: the k-th smallest of m is multiplied by m - k + 1, and order is kept.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)))
    return corrected


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
    if len(differences) <= MOST_TRIED:
        _, total, ties = _signed_ranks(differences[None])
        if ties.any():
            return _exact(ties[0], int(total[0])), len(differences)
    return float(stats.wilcoxon(differences, zero_method="wilcox", method="auto").pvalue), len(differences)


def _exact(ties: NDArray[np.bool_], total: int) -> float:
    """Give p by counting the choices of signs: `ties` and twice the sum of ranks, `total`, are of `_signed_ranks`."""
    ends = np.flatnonzero(np.append(~ties, True))  # of each group of differences of one size
    starts = np.append(0, ends[:-1] + 1)
    ranks = np.repeat(starts + ends + 2, ends - starts + 1)  # doubled, so that they are whole numbers
    counts = np.zeros(int(ranks.sum()) + 1)
    counts[0] = 1.0
    for rank in ranks.tolist():
        counts[rank:] += counts[:-rank].copy()
    rarer = min(counts[: total + 1].sum(), counts[total:].sum())
    return float(min(1.0, 2.0 * rarer / counts.sum()))


def wilcoxon_of_all(values: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Test every pair of methods as `wilcoxon` does, with the same results.

    P depends on how many scenes differ, on which of the differences are tied when they stand in their order, and on the
    sum of ranks: pairs that have these in common are tested once.

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
    known: dict[tuple[int, bytes], float] = {}
    rows, columns = np.triu_indices(count, 1)
    step = max(1, MOST_AT_ONCE // (8 * scenes))
    for start in range(0, len(rows), step):
        one, other = rows[start : start + step], columns[start : start + step]
        with np.errstate(invalid="ignore"):  # infinity less infinity
            differences = every[one] - every[other]
        different, sums, ties = _signed_ranks(differences)
        kinds = sums * (scenes + 1) + different  # both in one number
        whole = ties.any(axis=1)  # without ties that number says all
        packed = np.hstack([kinds[whole, None], np.packbits(ties[whole], axis=1)])
        for some, (_, firsts, of_kind) in (
            (np.flatnonzero(~whole), np.unique(kinds[~whole], return_index=True, return_inverse=True)),
            (np.flatnonzero(whole), np.unique(packed, axis=0, return_index=True, return_inverse=True)),
        ):
            found = np.ones(len(firsts))
            for index, place in enumerate(some[firsts].tolist()):
                key = int(kinds[place]), ties[place].tobytes()
                if key not in known:
                    known[key] = wilcoxon(every[one[place]], every[other[place]])[0]
                found[index] = known[key]
            p[one[some], other[some]] = found[of_kind.reshape(-1)]
        differing[one, other] = different
    below = columns, rows
    p[below], differing[below] = p[rows, columns], differing[rows, columns]
    return p, differing


def _signed_ranks(differences: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Rank the differences of each pair, (pairs, scenes), by size; those that are 0 or NaN are dropped.

    Returns
    -------
    (pairs,): how many are left; (pairs,): twice the sum of the ranks of those above 0; (pairs, scenes - 1): which is as
    large as the next, from the smallest on.
    """
    scenes = differences.shape[1]
    sizes = np.nan_to_num(np.abs(differences), nan=0.0, posinf=np.inf)
    order = np.argsort(sizes, axis=1)
    sizes = np.take_along_axis(sizes, order, axis=1)
    above = np.take_along_axis(differences, order, axis=1) > 0
    zeros = (sizes == 0).sum(axis=1)
    ties = (sizes[:, 1:] == sizes[:, :-1]) & (sizes[:, 1:] > 0)
    places = np.broadcast_to(np.arange(1, scenes + 1), sizes.shape)
    doubled = 2 * places
    if ties.any():
        ends = np.zeros((len(sizes), 1), dtype=bool)
        first = np.maximum.accumulate(np.where(np.hstack([ends, ties]), 0, places), axis=1)
        last = np.minimum.accumulate(np.where(np.hstack([ties, ends]), scenes, places)[:, ::-1], axis=1)[:, ::-1]
        doubled = first + last
    return scenes - zeros, ((doubled - 2 * zeros[:, None]) * above).sum(axis=1), ties


def intervals(others: Sequence[SceneScores], best: SceneScores) -> list[Interval]:
    """Find the 95 % interval of the difference of each method's number to the best one's.

    Scenes are drawn with replacement, each with its weights and with its scores of every run and both methods.

    Returns
    -------
    Low, high and kind of each; see `specrec.bench.statistics.Difference`.
    """
    finite = [index for index, one in enumerate(others) if np.isfinite(best.number) and np.isfinite(one.number)]
    found: list[Interval] = [(math.nan, math.nan, "none")] * len(others)
    count = len(best.scenes)
    if count < 2 or not finite:
        return found
    counts: dict[tuple[int, ...], NDArray[np.int64]] = {}
    for start in range(0, len(finite), TOGETHER):
        some = finite[start : start + TOGETHER]
        for index, interval in zip(some, _bootstrapped([others[index] for index in some], best, counts), strict=True):
            found[index] = interval
    return found


def _bootstrapped(
    others: Sequence[SceneScores], best: SceneScores, counts: dict[tuple[int, ...], NDArray[np.int64]]
) -> Iterator[Interval]:
    """Give the interval of each; `counts` keeps how often each scene is drawn, as the draws are always the same."""
    from scipy import stats

    count = len(best.scenes)
    weights = np.stack([one.weights for one in (best, *others)])  # (methods, runs, scenes)
    values = np.stack([one.values for one in (best, *others)])
    weighing, weighed = np.unique(weights.reshape(len(weights), -1), axis=0, return_inverse=True)
    weighing = weighing.reshape(-1, *weights.shape[1:])  # many methods have the same weights

    def times(drawn: NDArray[Any]) -> NDArray[np.int64]:
        if drawn.shape not in counts:
            draws = drawn.astype(np.int64).reshape(-1, drawn.shape[-1])
            offsets = count * np.arange(len(draws))[:, None]
            found = np.bincount((draws + offsets).ravel(), minlength=count * len(draws)).reshape(len(draws), count)
            counts[drawn.shape] = found
        return counts[drawn.shape]

    def statistic(drawn: NDArray[Any], axis: int = -1) -> NDArray[np.float64]:
        """Differences of the table's numbers, (comparisons, ...), of scenes drawn again, (..., scenes)."""
        drawn = np.moveaxis(drawn, axis, -1)
        step = max(1, MOST_AT_ONCE // weights[..., 0].size)
        every = times(drawn)
        parts = [every[start : start + step].T for start in range(0, len(every), step)]
        numbers = np.concatenate(
            [((weights * values) @ part / (weighing @ part)[weighed.reshape(-1)]).mean(axis=1) for part in parts],
            axis=1,
        )  # (methods, draws)
        differences: NDArray[np.float64] = numbers[1:] - numbers[0]
        return differences.reshape(-1, *drawn.shape[:-1])

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # where BCa is not defined it gives NaN and says so; what is done then is below
        boot = stats.bootstrap(
            (np.arange(count),), statistic, n_resamples=RESAMPLES, method="BCa", rng=np.random.default_rng(SEED)
        )
    lows, highs = boot.confidence_interval
    for low, high, drawn in zip(lows, highs, boot.bootstrap_distribution, strict=True):
        kind: Literal["BCa", "percentile"] = "BCa"
        if not np.isfinite([low, high]).all():
            kind = "percentile"
            known = drawn[np.isfinite(drawn)]  # no number: no scene that was drawn counts
            low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (math.nan, math.nan)
        yield float(low), float(high), kind
