"""What every metric promises; promises about zeros, NaN, weights and sizes are in `edges`."""

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from specrec.interfaces import Metric, Score
from specrec.testing.checks import Check, NotApplicable, NotConforming
from specrec.testing.metrics import edges
from specrec.testing.metrics.example_cubes import LAYOUTS, Pair, ordinary, scored
from specrec.testing.promise import Outcome, Promise

LAYOUT_TOLERANCE = 1e-10
"""Relative. Sums in float64 keep it in any order, sums in float32 do not."""
TYPE_TOLERANCE = 1e-4
"""Relative, between a float32 cube and the same numbers as float64."""
BEST_TOLERANCE = 1e-6
"""Absolute, or relative to a best value above 1."""
_SUM_IN_FLOAT64 = (
    "compute in float64 (estimate.astype(np.float64)) and index by axis, never by reshaping a transposed cube"
)
_COPY_FIRST = "work on a copy, and assign to no element of what the metric is given"
_ORDINARY = "an ordinary image must give a score"


def metric_checks(metric: Metric) -> list[Check]:
    """List the checks of a metric."""
    promises: tuple[tuple[str, Callable[[Metric], str]], ...] = (
        ("it says what it is", _says_what_it_is),
        ("it gives a value, a weight and a share, as floats", _gives_floats),
        ("a perfect estimate gets the best value", _identity),
        ("a worse estimate gets a worse value", _direction),
        ("estimate and reference may change places", _symmetry),
        ("memory layout does not matter", _layouts),
        ("float32 and float64 give the same", _types),
        ("what lies outside the mask does not count", _mask),
        ("the cubes are not changed, and may be read-only", _inputs),
        ("the same cubes give the same score", _repeats),
        ("black spectra give a number, or no weight", edges.zeros),
        ("NaN is not passed over", edges.not_a_number),
        ("an image weighs what counts in it", edges.weights),
        ("an image of one pixel is scored", edges.small_images),
        ("other bands are scored, or refused in a sentence", edges.other_bands),
        ("it is quick enough to be timed", _time),
    )
    subject = _Subject(metric)
    floats = Promise(promises[1][0], lambda tried: _gives_floats(tried.metric))
    every = [Promise(words, partial(_of_its_metric, run), (floats,)) for words, run in promises]
    every[0] = replace(every[0], rests_on=())
    every[1] = floats
    return [Check("metric", metric.name, promise.words, promise.tried_on(subject)) for promise in every]


@dataclass
class _Subject:
    metric: Metric
    outcomes: dict[str, Outcome] = field(default_factory=dict)


def _of_its_metric(run: Callable[[Metric], str], subject: _Subject) -> str:
    return run(subject.metric)


def _score(metric: Metric, pair: Pair, what: str = "an image of 40 x 30", remedy: str = _ORDINARY) -> Score:
    return scored(metric, pair, what, remedy)


def _says_what_it_is(metric: Metric) -> str:
    if not isinstance(metric.name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.@+-]*", metric.name):
        raise NotConforming(f"the id is {metric.name!r}; take letters, digits and _ . @ + - only, as in rmse@arad2016")
    for word in ("unit", "scale", "definition", "reference"):
        said = getattr(metric, word)
        if not isinstance(said, str) or not said.strip() or "\n" in said:
            raise NotConforming(
                f"{word} is {said!r}; say it in one line, for tables print it ('1' where there is no unit)"
            )
    if not isinstance(metric.higher_is_better, bool) or not isinstance(metric.symmetric, bool):
        raise NotConforming("higher_is_better and symmetric are true or false; give each as a bool")
    return "higher is better" if metric.higher_is_better else "lower is better"


def _gives_floats(metric: Metric) -> str:
    score = _score(metric, ordinary())
    for part in ("value", "weight", "left_out"):
        number = getattr(score, part)
        if not isinstance(number, float | int) or isinstance(number, bool):
            raise NotConforming(
                f"{part} is {number!r} of type {type(number).__name__}, which a results file cannot hold;"
                f" wrap it: float({part})"
            )
    if not math.isfinite(score.value):
        raise NotConforming(f"an ordinary image gave the value {score.value}; its numbers lie between 0.1 and 0.9")
    return f"{score.value:.6g} {metric.unit}"


def _identity(metric: Metric) -> str:
    best = metric.perfect
    if best is None:
        raise NotApplicable("higher is better, and the metric does not say what is best: Metric(..., best=1.0)")
    found = _score(metric, ordinary(noise=0.0)).value
    near = found == best or abs(found - best) <= BEST_TOLERANCE * max(1.0, abs(best))
    if not near:
        raise NotConforming(
            f"an estimate that equals its reference gets {found!r}, and {best:g} is best; compute in float64, limit"
            " the argument of arccos or sqrt, or declare the value: Metric(..., best=...)"
        )
    return f"{found:g}"


def _direction(metric: Metric) -> str:
    sizes = (0.0, 0.01, 0.03, 0.1)
    values = [_score(metric, ordinary(noise=size)).value for size in sizes]
    losses = [-value for value in values] if metric.higher_is_better else values
    listed = ", ".join(f"{value:.6g}" for value in values)
    if any(math.isnan(loss) for loss in losses) or losses != sorted(losses) or not losses[-1] > losses[0]:
        direction = "higher" if metric.higher_is_better else "lower"
        raise NotConforming(
            f"noise of 0, 0.01, 0.03 and 0.1 gives {listed}, and {direction} is said to be better; set"
            f" higher_is_better={not metric.higher_is_better}, or make the value grow with the error"
        )
    return listed


def _symmetry(metric: Metric) -> str:
    if not metric.symmetric:
        raise NotApplicable("the metric does not claim it: Metric(..., symmetric=True)")
    pair = ordinary()
    there = _score(metric, pair)
    back = _score(metric, Pair(pair.reference, pair.estimate, pair.mask, pair.wavelengths))
    if not _same(there.value, back.value, LAYOUT_TOLERANCE):
        raise NotConforming(
            f"the value is {there.value!r} one way and {back.value!r} the other; leave out symmetric=True, or divide by"
            " nothing that is of the reference alone"
        )
    return ""


def _layouts(metric: Metric) -> str:
    plain = _score(metric, ordinary())
    for words, layout in LAYOUTS.items():
        for both in (True, False):
            pair = ordinary()
            arranged = Pair(
                layout(pair.estimate),
                layout(pair.reference) if both else pair.reference,
                layout(pair.mask),
                pair.wavelengths,
            )
            found = _score(metric, arranged, f"cubes in another layout ({words})", _SUM_IN_FLOAT64)
            if not _same_score(found, plain, LAYOUT_TOLERANCE):
                which = "both cubes" if both else "the estimate"
                raise NotConforming(
                    f"with {which} in another layout ({words}) the value is {found.value!r}, in C order"
                    f" {plain.value!r}; {_SUM_IN_FLOAT64}"
                )
    return f"to {LAYOUT_TOLERANCE:g}"


def _types(metric: Metric) -> str:
    plain = _score(metric, ordinary())
    for first, second in ((np.float64, np.float64), (np.float32, np.float64), (np.float64, np.float32)):
        pair = ordinary()
        cubes = Pair(pair.estimate.astype(first), pair.reference.astype(second), pair.mask, pair.wavelengths)
        what = f"an estimate in {first.__name__} and a reference in {second.__name__}"
        found = _score(metric, cubes, what, "accept both: convert with astype(np.float64)")
        if not _same_score(found, plain, TYPE_TOLERANCE):
            raise NotConforming(
                f"{what} give {found.value!r}, both in float32 {plain.value!r}; convert to float64 before computing"
            )
    return ""


def _mask(metric: Metric) -> str:
    plain = _score(metric, ordinary())
    for which, words in ((0, "the estimate"), (1, "the reference")):
        pair = ordinary()
        pair[which][~pair.mask] = np.float32(7.0)
        found = _score(metric, pair)
        if not _same_score(found, plain, LAYOUT_TOLERANCE):
            raise NotConforming(
                f"other numbers outside the mask, in {words}, move the value from {plain.value!r} to {found.value!r}"
                f" (weight {plain.weight!r}, {found.weight!r}); use the valid pixels only, estimate[mask] and"
                " reference[mask]"
            )
    return ""


def _inputs(metric: Metric) -> str:
    before, given = ordinary(), ordinary()
    _score(metric, given)
    for name in Pair._fields:
        if not np.array_equal(getattr(before, name), getattr(given, name)):
            raise NotConforming(f"the {name} is changed by scoring; {_COPY_FIRST}")
    for array in given:
        array.setflags(write=False)
    _score(metric, given, "a read-only estimate, reference and mask", _COPY_FIRST)
    return ""


def _repeats(metric: Metric) -> str:
    first = _score(metric, ordinary())
    _score(metric, ordinary(seed=1))
    again = _score(metric, ordinary())
    if first != again:
        raise NotConforming(
            f"the same cubes give {first.value!r}, and after another image {again.value!r}; keep nothing between calls,"
            " and draw random numbers from np.random.default_rng(a fixed seed)"
        )
    return ""


def _time(metric: Metric) -> str:
    _score(metric, ordinary())  # what is imported or compiled at the first call is not timed
    pair = ordinary(256, 256)
    start = time.perf_counter()
    _score(metric, pair, "an image of 256 x 256")
    return f"{(time.perf_counter() - start) / 0.065536:.2g} s per megapixel"


def _same(one: float, other: float, tolerance: float) -> bool:
    return one == other or abs(one - other) <= tolerance * max(abs(one), abs(other))


def _same_score(one: Score, other: Score, tolerance: float) -> bool:
    pairs = ((one.value, other.value), (one.weight, other.weight), (one.left_out, other.left_out))
    return all(_same(first, second, tolerance) for first, second in pairs)
