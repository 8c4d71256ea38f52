"""How far the differences of a table can be trusted: paired over the test scenes, never over pixels.

For each metric the best method is compared with every other one: the difference of their two numbers in the table, a
95 % interval of it (BCa bootstrap over scenes, each with its weight), and Wilcoxon's signed-rank test on the
differences of the single scenes, corrected by Holm over all pairs of methods: which one is the best is found on the
same scenes, so that any pair could have come to be compared. A method is not told apart from the best where the
corrected p is 0.05 or more, or where the interval holds 0: a difference counts where both say so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from specrec.bench.paired import holm, intervals, wilcoxon_of_all
from specrec.bench.scores import SceneScores, parts, scene_scores
from specrec.cells.columns import column
from specrec.errors import SpecrecError

if TYPE_CHECKING:
    from specrec.bench.results import Results

LEVEL = 0.05

Standing = Literal["best", "tied", "worse", ""]
WORDS: dict[str, str] = {"best": "best", "tied": "not told apart", "worse": "worse", "": ""}
"""How files say a standing."""


@dataclass(frozen=True)
class Difference:
    """A method against the best one.

    Parameters
    ----------
    method, slug
        As the user wrote it, and its name in paths.
    estimate
        Its number in the table less the best one's.
    low, high
        The ends of the 95 % interval; NaN where there is none.
    interval
        ``BCa``; ``percentile`` where that is not defined, as of differences that are all the same; ``none`` where
        there are less than two scenes or scores are infinite.
    p, p_holm
        Of Wilcoxon's test (two-sided, differences of 0 dropped), as it is and corrected by Holm over all pairs of
        methods, not only those with the best.
    scenes
        How many differ between the two, so how many that test has seen.
    tied
        Whether it cannot be told from the best.
    """

    method: str
    slug: str
    estimate: float
    low: float
    high: float
    interval: Literal["BCa", "percentile", "none"]
    p: float
    p_holm: float
    scenes: int
    tied: bool


@dataclass(frozen=True)
class Comparison:
    """Every method against the best one, by one metric on one part of the table.

    Parameters
    ----------
    metric, part
        As in the table.
    higher_is_better
        The metric's direction.
    scenes, runs
        How many test scenes count, and how many runs each score is the mean of.
    best, best_slug
        The method whose number is the best.
    differences
        The others, in the order of the table.
    left_out
        Why a method takes no part, by how the user wrote it.
    """

    metric: str
    part: str
    higher_is_better: bool
    scenes: int
    runs: int
    best: str
    best_slug: str
    differences: tuple[Difference, ...]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def least_p(self) -> float:
        """The smallest corrected p that any pair could have with so many scenes and methods."""
        others = len(self.differences)
        return min(1.0, max(1, others * (others + 1) // 2) * 2.0 ** (1 - self.scenes))

    @property
    def decidable(self) -> bool:
        """Whether there are scenes enough for any difference to count."""
        return self.least_p < LEVEL

    def standing(self, slug: str) -> Standing:
        """Say how a method stands; empty where it takes no part, and beside the best where nothing is decidable."""
        if not self.differences:
            return ""
        if slug == self.best_slug:
            return "best"
        if not self.decidable:
            return ""
        mine = self.by_slug.get(slug)
        return "" if mine is None else "tied" if mine.tied else "worse"

    @cached_property
    def by_slug(self) -> dict[str, Difference]:
        """The differences by the slugs of their methods."""
        return {one.slug: one for one in self.differences}


@dataclass(frozen=True)
class Pairs:
    """Every method against every other one.

    Parameters
    ----------
    metric, part
        As in the table.
    methods
        As the user wrote them, in the order of the table.
    estimate
        (methods, methods): the number of the row's method less that of the column's.
    p, p_holm
        (methods, methods), symmetric, 1 on the diagonal: Wilcoxon's p, and corrected over all pairs.
    """

    metric: str
    part: str
    methods: tuple[str, ...]
    estimate: NDArray[np.float64]
    p: NDArray[np.float64]
    p_holm: NDArray[np.float64]


def compare(results: "Results", metric: str, part: str = "weighted") -> Comparison | None:
    """Compare every method with the best; None where no two can be compared, or the metric's direction is unknown.

    References
    ----------
    Efron 1987, Better bootstrap confidence intervals, doi:10.1080/01621459.1987.10478410. Wilcoxon 1945, Individual
    comparisons by ranking methods, doi:10.2307/3001968. Holm 1979, A simple sequentially rejective multiple test
    procedure, Scandinavian Journal of Statistics 6, 65-70.
    """
    try:
        higher = column(metric).higher_is_better
    except SpecrecError:  # of a plugin that is not there now
        return None
    numbers, found, left_out = _taking_part(results, metric, part)
    if len(found) < 2:
        return None
    best = (max if higher else min)(numbers, key=lambda slug: numbers[slug])
    others = [slug for slug in found if slug != best]
    methods = results.manifest.methods
    ranges = intervals([found[slug] for slug in others], found[best])
    places = {slug: place for place, slug in enumerate(found)}
    of_best = [square[places[best]] for square in _tests(list(found.values()))]
    differences = []
    for slug, (low, high, kind) in zip(others, ranges, strict=True):
        p, holms, scenes = (square[places[slug]].item() for square in of_best)
        estimate = _less(numbers[slug], numbers[best])
        tied = holms >= LEVEL or low <= 0.0 <= high
        differences.append(Difference(methods[slug], slug, estimate, low, high, kind, p, holms, scenes, tied))
    runs, count = len(found[best].values), int((found[best].weights > 0).any(axis=0).sum())
    return Comparison(metric, part, higher, count, runs, methods[best], best, tuple(differences), left_out)


def compare_all(results: "Results") -> dict[tuple[str, str], Comparison]:
    """Compare on every part of the table and by every metric of it; what cannot be compared is not there."""
    wanted = [(part, metric) for part, _ in parts(results.manifest) for metric in results.metrics]
    found = {(part, metric): compare(results, metric, part) for part, metric in wanted}
    return {key: one for key, one in found.items() if one is not None}


def pairs(results: "Results", metric: str, part: str = "weighted") -> Pairs | None:
    """Compare every method with every other one; None where there are no two."""
    numbers, found, _ = _taking_part(results, metric, part)
    if len(found) < 2:
        return None
    p, p_holm, _ = _tests(list(found.values()))
    estimate = np.array([[_less(numbers[one], numbers[other]) for other in found] for one in found])
    return Pairs(metric, part, tuple(results.manifest.methods[slug] for slug in found), estimate, p, p_holm)


def _tests(
    scores: Sequence[SceneScores],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Test every pair: p as it is, corrected by Holm over all of them, and scenes; (methods, methods), symmetric."""
    above = np.triu_indices(len(scores), 1)
    p, scenes = wilcoxon_of_all([one.per_scene for one in scores])
    p_holm = np.ones_like(p)
    p_holm[above] = p_holm.T[above] = holm(p[above])
    return p, p_holm, scenes


def _taking_part(
    results: "Results", metric: str, part: str
) -> tuple[dict[str, float], dict[str, SceneScores], dict[str, str]]:
    """Find the numbers and scores of the methods that have a number in the table, and say of the others why not."""
    manifest = results.manifest
    folds = dict(parts(manifest)).get(part, [])
    rows = {row.slug: row for row in results.rows if row.slug and row.part == part}
    numbers, found, left_out = {}, {}, {}
    for slug, written in manifest.methods.items():
        row = rows.get(slug)
        if row is None or metric not in row.numbers:
            left_out[written] = (row.note if row is not None else "") or "it has no such number"
        elif math.isnan(row.numbers[metric].mean):
            left_out[written] = "its number is NaN"
        elif (scores := scene_scores(results.records, slug, manifest, folds, metric)) is None:
            left_out[written] = "it was tested on other scenes"
        else:
            numbers[slug], found[slug] = row.numbers[metric].mean, scores
    return numbers, found, left_out


def _less(one: float, other: float) -> float:
    return 0.0 if one == other else one - other
