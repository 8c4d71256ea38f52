"""Metrics that each break one promise: exactly that check fails, and says what to change."""

import math
import sys
from dataclasses import replace

import numpy as np
import pytest

from specrec.errors import DataError
from specrec.interfaces import Metric, Score
from specrec.metrics import specrec_metrics
from specrec.testing.checks import NotApplicable, NotConforming
from specrec.testing.metrics import metric_checks


def squares(estimate, reference, mask):
    """The mean square of each valid pixel, in float64."""
    if not mask.any():
        raise ValueError("no pixel of the mask is valid")
    errors = estimate[mask].astype(np.float64) - reference[mask].astype(np.float64)
    return (errors**2).mean(axis=1)


def plain(estimate, reference, mask, wavelengths):
    found = squares(estimate, reference, mask)
    return Score(math.sqrt(found.mean()), float(found.size))


def relative(estimate, reference, mask, wavelengths):
    """A one-sided error that leaves zeros out, as a metric should."""
    true = reference[mask].astype(np.float64)
    bright = true != 0
    if not bright.any():
        return Score(0.0, 0.0, 1.0)
    errors = np.abs(estimate[mask].astype(np.float64) - true)[bright] / true[bright]
    return Score(float(errors.mean()), float(mask.sum()), 1.0 - float(bright.mean()))


def metric(function=plain, **changes):
    return replace(Metric("mine", "1", "0..1", False, "sqrt of the mean square", "nobody, 2026", function), **changes)


def outcomes(tried):
    """What each check says: the remark, the reason why it does not apply, or its failure."""
    found = {}
    for check in metric_checks(tried):
        try:
            found[check.promise] = check()
        except (NotApplicable, NotConforming) as said:
            found[check.promise] = said
    return found


def failures(tried):
    return {promise: str(said) for promise, said in outcomes(tried).items() if isinstance(said, NotConforming)}


def scaled(factor):
    """`plain` times what `factor` makes of the inputs."""

    def function(estimate, reference, mask, wavelengths):
        score = plain(estimate, reference, mask, wavelengths)
        return replace(score, value=score.value * factor(estimate, reference, mask, wavelengths))

    return function


def numpy_numbers(estimate, reference, mask, wavelengths):
    score = plain(estimate, reference, mask, wavelengths)
    return Score(np.float32(score.value), score.weight)


def with_a_floor(estimate, reference, mask, wavelengths):
    score = plain(estimate, reference, mask, wavelengths)
    return replace(score, value=score.value + 0.01)


def similarity(estimate, reference, mask, wavelengths):
    score = plain(estimate, reference, mask, wavelengths)
    return replace(score, value=1.0 - score.value)


def by_layout(estimate, reference, mask, wavelengths):
    return 1.0 if estimate.flags.c_contiguous else 1.0 + 1e-7


def of_one_type(estimate, reference, mask, wavelengths):
    if estimate.dtype != np.float32 or reference.dtype != np.float32:
        raise TypeError("only float32")
    return plain(estimate, reference, mask, wavelengths)


def of_all_pixels(estimate, reference, mask, wavelengths):
    outside = estimate[~mask]
    return 2.0 if (np.isfinite(outside) & (outside > 5.0)).any() else 1.0


def writes(estimate, reference, mask, wavelengths):
    score = plain(estimate, reference, mask, wavelengths)
    reference[0, 0, 0] = 0.25
    return score


def flags_the_read_only(estimate, reference, mask, wavelengths):
    score = plain(estimate, reference, mask, wavelengths)
    estimate[0, 0, 0] = estimate[0, 0, 0]
    return score


def counting():
    calls = []

    def function(*_):
        calls.append(1)
        return 1.0 + 1e-12 * len(calls)

    return function


def divides_by_zero(estimate, reference, mask, wavelengths):
    errors = squares(estimate, reference, mask)
    return Score(float((errors / reference[mask].astype(np.float64).mean(axis=1)).mean()), float(errors.size))


def leaves_out_in_silence(estimate, reference, mask, wavelengths):
    return replace(relative(estimate, reference, mask, wavelengths), left_out=0.0)


def passes_over_nan(estimate, reference, mask, wavelengths):
    return plain(np.nan_to_num(estimate, posinf=0.0), np.nan_to_num(reference, posinf=0.0), mask, wavelengths)


def spreads_nan(estimate, reference, mask, wavelengths):
    score = plain(estimate, reference, mask, wavelengths)
    everywhere = (estimate + reference).sum() * 0.0
    return replace(score, value=score.value + float(everywhere))


def median(estimate, reference, mask, wavelengths):
    errors = squares(estimate, reference, mask)
    return Score(float(np.median(errors)), float(errors.size))


def by_a_fixed_size(estimate, reference, mask, wavelengths):
    errors = squares(estimate, reference, mask)
    return Score(float(errors.sum()) / 960, float(errors.size))


def weighing(weight):
    def function(estimate, reference, mask, wavelengths):
        score = replace(plain(estimate, reference, mask, wavelengths), weight=weight(mask))
        return score if score.weight else replace(score, left_out=1.0)

    return function


def empty_is_nan(estimate, reference, mask, wavelengths):
    return plain(estimate, reference, mask, wavelengths) if mask.any() else Score(math.nan, 0.0, 1.0)


def empty_is_an_index_error(estimate, reference, mask, wavelengths):
    np.argwhere(mask)[0]
    return plain(estimate, reference, mask, wavelengths)


def too_much_left_out(estimate, reference, mask, wavelengths):
    return replace(plain(estimate, reference, mask, wavelengths), left_out=float(mask.sum()))


def neighbours(estimate, reference, mask, wavelengths):
    estimate[:, 1]  # an IndexError for an image of one column
    return 1.0


def of_31_bands(estimate, reference, mask, wavelengths):
    estimate[..., 30]
    return 1.0


def of_one_grid(estimate, reference, mask, wavelengths):
    return 1.0 if wavelengths[0] == 400.0 and len(wavelengths) == 31 else math.nan


def slow(estimate, reference, mask, wavelengths):
    if estimate.size > 1e6:
        raise MemoryError("every pixel against every pixel")
    return 1.0


FLOATS = "it gives a value, a weight and a share, as floats"
WRONG = [
    ("it says what it is", "give each as a bool", metric(symmetric=1)),
    ("it says what it is", "take letters, digits", metric(name="my metric")),
    ("it says what it is", "unit is ''; say it in one line", metric(unit="")),
    ("it gives a value, a weight and a share, as floats", r"wrap it: float\(value\)", metric(numpy_numbers)),
    ("a perfect estimate gets the best value", r"0\.01, and 0 is best; .*best=\.\.\.", metric(with_a_floor)),
    ("a perfect estimate gets the best value", "and 2 is best", metric(similarity, best=2.0, higher_is_better=True)),
    ("a worse estimate gets a worse value", "set higher_is_better=True, or", metric(similarity, best=1.0)),
    ("a worse estimate gets a worse value", "grow with the error", metric(scaled(lambda *_: 0.0))),
    ("estimate and reference may change places", "leave out symmetric=True", metric(relative, symmetric=True)),
    ("memory layout does not matter", "compute in float64", metric(scaled(by_layout))),
    ("float32 and float64 give the same", r"TypeError: only float32; .*astype", metric(of_one_type)),
    ("what lies outside the mask does not count", r"use .*estimate\[mask\]", metric(scaled(of_all_pixels))),
    ("the cubes are not changed, and may be read-only", "reference is changed .*; work on a copy", metric(writes)),
    ("the cubes are not changed, and may be read-only", "a read-only .* work on a copy", metric(flags_the_read_only)),
    ("the same cubes give the same score", "keep nothing between calls", metric(scaled(counting()))),
    ("black spectra give a number, or no weight", "RuntimeWarning.*; leave out what", metric(divides_by_zero)),
    ("black spectra give a number, or no weight", "weighs 0, .* leave out", metric(leaves_out_in_silence)),
    ("NaN is not passed over", "as if nothing were wrong; .*no nanmean", metric(passes_over_nan)),
    ("NaN is not passed over", r"passes over infinity: .*np.isfinite", metric(median)),
    ("NaN is not passed over", "not valid moves the value .*; look at the valid pixels only", metric(spreads_nan)),
    ("an image weighs what counts in it", "is a number above 0", metric(weighing(lambda mask: 0.0))),
    ("an image weighs what counts in it", "let the weight be", metric(weighing(lambda mask: 1.0 / mask.sum()))),
    ("an image weighs what counts in it", r"give Score\(0\.0, 0\.0, 1\.0\)", metric(empty_is_nan)),
    ("an image weighs what counts in it", "IndexError: .*; give Score", metric(empty_is_an_index_error)),
    ("an image weighs what counts in it", "it is a share of the valid values", metric(too_much_left_out)),
    ("an image of one pixel is scored", "IndexError: .*; take any height", metric(scaled(neighbours))),
    ("other bands are scored, or refused in a sentence", "IndexError: .* raise a", metric(scaled(of_31_bands))),
    ("other bands are scored, or refused in a sentence", "value nan; take the bands", metric(scaled(of_one_grid))),
    ("it is quick enough to be timed", "MemoryError: every pixel", metric(scaled(slow))),
]  # fmt: skip


@pytest.mark.parametrize(("promise", "remedy", "wrong"), WRONG, ids=[f"{row[0]} {n}" for n, row in enumerate(WRONG)])
def test_a_broken_promise_fails_its_own_check_and_no_other_and_says_what_to_change(promise, remedy, wrong):
    found = failures(wrong)
    assert list(found) == [promise]
    with pytest.raises(NotConforming, match=remedy):
        raise NotConforming(found[promise])


def test_every_promise_has_a_metric_that_breaks_it():
    assert {row[0] for row in WRONG} == {check.promise for check in metric_checks(metric())}


@pytest.mark.parametrize("right", [metric(symmetric=True), metric(relative), metric(similarity, higher_is_better=True)])
def test_a_right_metric_breaks_none(right):
    assert not failures(right)


def test_what_a_metric_does_not_claim_is_not_tried_and_the_reason_says_how_to_claim_it():
    found = outcomes(metric(similarity, higher_is_better=True))
    skipped = {promise: str(said) for promise, said in found.items() if isinstance(said, NotApplicable)}
    assert set(skipped) == {"a perfect estimate gets the best value", "estimate and reference may change places"}
    assert "Metric(..., best=1.0)" in skipped["a perfect estimate gets the best value"]
    assert "Metric(..., symmetric=True)" in skipped["estimate and reference may change places"]


def test_other_bands_may_be_refused_by_a_sentence():
    def refuses(estimate, reference, mask, wavelengths):
        if len(wavelengths) != 31:
            raise DataError("it needs 31 bands")
        return plain(estimate, reference, mask, wavelengths)

    assert outcomes(metric(refuses))["other bands are scored, or refused in a sentence"].startswith("refused: 16 bands")


def test_what_is_no_score_is_named():
    found = failures(metric(lambda *_: 0.25))
    assert list(found) == [FLOATS]
    assert "gave 0.25; return specrec.interfaces.Score" in found[FLOATS]


def test_a_function_of_other_arguments_is_told_which_once():
    found = failures(metric(lambda estimate, reference, mask: Score(0.25, 1.0)))
    assert list(found) == [FLOATS]
    assert found[FLOATS].endswith("; the function takes (estimate, reference, mask, wavelengths)")


def test_a_metric_that_ends_the_process_has_failed_once():
    assert list(failures(metric(lambda *_: sys.exit(3)))) == [FLOATS]


def test_an_infinite_best_value_is_declared():
    assert (
        "declare Metric(..., best=inf)"
        in failures(replace(PSNR, best=None))["black spectra give a number, or no weight"]
    )


def test_the_remarks_tell_time_and_how_parts_combine():
    found = outcomes(PSNR)
    assert found["it is quick enough to be timed"].endswith(" s per megapixel")
    assert found["an image weighs what counts in it"].startswith("the score of an image is not the weighted mean")
    assert "beside itself" not in found["an image weighs what counts in it"]
    fixed = outcomes(metric(by_a_fixed_size))["an image weighs what counts in it"]
    assert fixed.endswith(": is it a mean?")
    by_pixel = outcomes(next(one for one in specrec_metrics() if one.name == "rmse"))
    assert by_pixel["an image weighs what counts in it"].startswith("the score of an image is the weighted mean")


PSNR = next(one for one in specrec_metrics() if one.name == "psnr")
