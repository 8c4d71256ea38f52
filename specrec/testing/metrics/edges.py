"""What a metric promises where images are dark, damaged, masked, small or of other bands."""

import math
from collections.abc import Callable

import numpy as np

from specrec.errors import SpecrecError
from specrec.interfaces import Metric, Score
from specrec.testing.checks import NotConforming
from specrec.testing.metrics.example_cubes import Pair, ordinary, scored, scored_or_refused

_LEAVE_OUT = (
    "leave out what cannot be divided by and say the share, Score(value, weight, left_out); where nothing is left,"
    " Score(0.0, 0.0, 1.0)"
)
_REFUSE = (
    "look at the valid pixels only (estimate[mask], not estimate * mask), let NaN through to the value (no nanmean), or"
    " raise a ValueError that says where it is"
)
_FINITE = (
    "a clip, a median or a percentile passes over infinity: raise a ValueError that says where it is, unless"
    " np.isfinite(estimate[mask]).all() and the same of the reference"
)
_EMPTY = "give Score(0.0, 0.0, 1.0), or raise a ValueError that says that no pixel is valid"

Darken = Callable[[Pair], None]


def zeros(metric: Metric) -> str:
    """Hold that spectra of zeros give a finite score or lose their weight, without a warning."""
    left_out = 0
    for what, darken in _DARK.items():
        pair = ordinary()
        darken(pair)
        found = scored(metric, pair, what, _LEAVE_OUT, warnings_count=True)
        equal = np.array_equal(pair.estimate[pair.mask], pair.reference[pair.mask])
        if not math.isfinite(found.value) and not (equal and found.value == metric.perfect):
            declare = f"declare Metric(..., best={found.value}) if it is meant, or " if equal else ""
            raise NotConforming(f"{what} gave the value {found.value}; {declare}{_LEAVE_OUT}")
        if found.weight == 0.0 and not found.left_out > 0.0:
            raise NotConforming(f"{what} weighs 0, and left_out is {found.left_out!r}; {_LEAVE_OUT}")
        left_out += found.left_out > 0.0
    return f"{left_out} of {len(_DARK)} cases leave something out"


def _dark(estimate: bool, reference: bool, part: tuple[slice, ...]) -> Darken:
    def darken(pair: Pair) -> None:
        pair.mask[:3, :3] = True
        for cube, is_dark in ((pair.estimate, estimate), (pair.reference, reference)):
            if is_dark:
                cube[part] = 0.0

    return darken


_IMAGE = (slice(None),)
_PIXEL = (slice(1, 2), slice(1, 2))
_BAND = (slice(None), slice(None), slice(3, 4))
_DARK: dict[str, Darken] = {
    "a black reference": _dark(False, True, _IMAGE),
    "a black estimate": _dark(True, False, _IMAGE),
    "a black estimate of a black reference": _dark(True, True, _IMAGE),
    "a black pixel of the reference": _dark(False, True, _PIXEL),
    "a black pixel of the estimate": _dark(True, False, _PIXEL),
    "a black pixel of both": _dark(True, True, _PIXEL),
    "a black band of the reference": _dark(False, True, _BAND),
}


def not_a_number(metric: Metric) -> str:
    """Hold that NaN or infinity at a valid pixel gives no ordinary value, and elsewhere no other value; or an error."""
    plain = scored(metric, ordinary(), "an image of 40 x 30", "an ordinary image must give a score")
    refused = 0
    for valid in (True, False):
        for which, words in ((0, "estimate"), (1, "reference")):
            for bad in (np.nan, np.inf):
                pair = ordinary()
                row, column = np.argwhere(pair.mask == valid)[5]
                pair[which][row, column, 4] = bad
                what = f"{bad} in a pixel of the {words} that is {'valid' if valid else 'not valid'}"
                found = scored_or_refused(metric, pair, what, _REFUSE)
                refused += found is None
                if found is None:
                    continue
                if valid and (math.isfinite(found.value) or found.value == metric.perfect):
                    remedy = _FINITE if np.isinf(bad) else _REFUSE
                    raise NotConforming(f"{what} gave {found.value!r}, as if nothing were wrong; {remedy}")
                if not valid and not _alike(found, plain):
                    raise NotConforming(f"{what} moves the value from {plain.value!r} to {found.value!r}; {_REFUSE}")
    return "refused" if refused == 8 else "refused in some places" if refused else "let through where it is valid"


def weights(metric: Metric) -> str:
    """Hold that what counts weighs, that more pixels never weigh less, and that none weigh nothing."""
    last = 0.0
    for tenths, words in ((1, "a tenth of the pixels"), (5, "half of the pixels"), (10, "all pixels")):
        pair = ordinary(all_valid=True)
        pair.mask[4 * tenths :] = False
        found = scored(metric, pair, f"a mask of {words}", "an ordinary image must give a score")
        if not 0.0 < found.weight < math.inf:
            raise NotConforming(
                f"a mask of {words}, none dark, gave the weight {found.weight!r}; it is a number above 0, such as how"
                " many pixels count: Score(value, float(count))"
            )
        if found.weight < last:
            raise NotConforming(
                f"a mask of {words} weighs {found.weight!r} and a part of it {last!r}; let the weight be how many"
                " pixels count, or 1"
            )
        if not 0.0 <= found.left_out <= 1.0:
            raise NotConforming(f"left_out is {found.left_out!r}; it is a share of the valid values, from 0 to 1")
        last = found.weight
    empty = ordinary()
    empty.mask[...] = False
    nothing = scored_or_refused(metric, empty, "a mask without a valid pixel", _EMPTY)
    if nothing is not None and (nothing.weight != 0.0 or not math.isfinite(nothing.value)):
        raise NotConforming(
            f"a mask without a valid pixel gave the value {nothing.value!r} with weight {nothing.weight!r}; {_EMPTY}"
        )
    return _combination(metric)


def _combination(metric: Metric) -> str:
    """Say whether an image's score is the weighted mean of those of its parts, which not every metric is.

    And whether an image beside itself keeps its value, which one that divides by a fixed number of pixels does not.
    """
    estimate, reference, mask, wavelengths = whole = ordinary(all_valid=True)
    parts = [Pair(estimate[rows], reference[rows], mask[rows], wavelengths) for rows in (slice(13), slice(13, None))]
    scores = [scored(metric, part, "a part of an image", "a part is an image") for part in parts]
    weight = sum(score.weight for score in scores)
    mean = sum(score.value * score.weight for score in scores) / weight
    together = scored(metric, whole, "an image of 40 x 30", "an ordinary image must give a score")
    double = [np.concatenate([array, array], axis=1) for array in (estimate, reference, mask)]
    twice = Pair(double[0], double[1], double[2], wavelengths)
    beside = scored(metric, twice, "an image of 40 x 60", "an image may have any width").value
    kept = math.isclose(beside, together.value, rel_tol=1e-6)
    changes = (
        "" if kept else f"; an image beside itself gets {beside:.4g} and alone {together.value:.4g}: is it a mean?"
    )
    if math.isclose(mean, together.value, rel_tol=1e-6) and math.isclose(weight, together.weight):
        return f"the score of an image is the weighted mean of those of its parts{changes}"
    return f"the score of an image is not the weighted mean of those of its parts{changes}"


def small_images(metric: Metric) -> str:
    """Hold that images down to 1 x 1 give a finite number or a SpecrecError."""
    remedy = "take any height and width from 1, or raise a specrec.errors.DataError that says the least size"
    return _number_or_sentence(
        metric, {f"an image of {h} x {w}": ordinary(h, w, all_valid=True) for h, w in ((1, 1), (1, 7), (7, 1))}, remedy
    )


def other_bands(metric: Metric) -> str:
    """Hold that cubes of other bands give a finite number or a SpecrecError."""
    remedy = (
        "take the bands from the last axis and their nm from wavelengths, or raise a specrec.errors.DataError that says"
        " which bands are needed"
    )
    cases = {
        "16 bands from 420 to 720 nm": ordinary(wavelengths=np.arange(420.0, 721.0, 20.0)),
        "31 bands from 500 to 800 nm": ordinary(wavelengths=np.arange(500.0, 801.0, 10.0)),
        "one band": ordinary(wavelengths=[550.0]),
    }
    return _number_or_sentence(metric, cases, remedy)


def _number_or_sentence(metric: Metric, cases: dict[str, Pair], remedy: str) -> str:
    refused = []
    for what, pair in cases.items():
        try:
            found = scored(metric, pair, what, remedy)
        except NotConforming as failure:
            if not isinstance(failure.__cause__, SpecrecError):
                raise
            refused.append(what)
            continue
        if not math.isfinite(found.value):
            raise NotConforming(f"{what} gave the value {found.value}; {remedy}")
    return f"refused: {', '.join(refused)}" if refused else ""


def _alike(one: Score, other: Score) -> bool:
    return math.isclose(one.value, other.value, rel_tol=1e-10) and one.weight == other.weight
