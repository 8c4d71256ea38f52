"""The compiled passes against numpy with temporaries, and several metrics together against each alone."""

import math
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from specrec.interfaces import Score
from specrec.metrics import specrec_metrics
from specrec.metrics.together import FamilyMember, score_all
from specrec.spectra import WAVELENGTHS

METRICS = {metric.name: metric for metric in specrec_metrics()}


# The references: numpy, all valid pixels at once, a temporary for every step.


def mean(numbers, valid):
    return Score(float(numbers.mean()), float(len(numbers)), 1.0 - len(numbers) / valid)


def squares(rows):
    return np.square(rows).sum(axis=1)


def numpy_rmse(e, r):
    return mean(np.sqrt(squares(e - r) / r.shape[1]) * 255.0, len(r))


def numpy_rrmse(e, r):
    bright = r >= 1.0 / 255.0
    bands = bright.sum(axis=1)
    ratio = np.divide(e - r, r, out=np.zeros_like(r), where=bright)
    numbers = np.sqrt(squares(ratio)[bands > 0] / bands[bands > 0])
    return Score(float(numbers.mean()), float(len(numbers)), 1.0 - float(bands.sum()) / r.size)


def numpy_rrmse_norm(e, r):
    lit = squares(r) > 0.0
    return mean(np.sqrt(squares(e - r)[lit] / squares(r)[lit]), len(r))


def cosines(e, r):
    lengths = np.sqrt(squares(e) * squares(r))
    return np.minimum(np.abs((e * r).sum(axis=1))[lengths > 0.0] / lengths[lengths > 0.0], 1.0)


def numpy_gfc(e, r):
    return mean(cosines(e, r), len(r))


def numpy_sam(e, r):
    return mean(np.arccos(cosines(e, r)), len(r))


def numpy_rmse_arad2016(e, r):
    return Score(math.sqrt(np.square(e - r).mean()) / float(r.max()) * 255.0, float(len(r)))


def numpy_mrae_ntire2018(e, r):
    return Score(float((np.abs(e - r) / (r + 2.0**-52)).mean()), 1.0)


def numpy_mrae_ntire2020(e, r):
    positive = r > 0.0
    return Score(float((np.abs(e - r)[positive] / r[positive]).mean()), 1.0, 1.0 - float(positive.mean()))


def numpy_psnr(e, r):
    return Score(-10.0 * math.log10(np.square(e - r).mean()), float(len(r)))


NUMPY = {
    "rmse": numpy_rmse,
    "rrmse": numpy_rrmse,
    "rrmse@norm": numpy_rrmse_norm,
    "gfc": numpy_gfc,
    "sam": numpy_sam,
    "rmse@arad2016": numpy_rmse_arad2016,
    "mrae@ntire2018": numpy_mrae_ntire2018,
    "mrae@ntire2020": numpy_mrae_ntire2020,
    "psnr": numpy_psnr,
}


def example(shape, kinds=("f4", "f4"), seed=0):
    rng = np.random.default_rng(seed)
    reference = rng.random(shape)
    reference[rng.random(shape) < 0.05] = 0.0
    reference[rng.random(shape[:2]) < 0.05] = 0.0
    estimate = reference + 0.1 * rng.standard_normal(shape)
    estimate[rng.random(shape[:2]) < 0.05] = 0.0
    return estimate.astype(kinds[0]), reference.astype(kinds[1]), rng.random(shape[:2]) < 0.8


@pytest.mark.parametrize("name", NUMPY)
@pytest.mark.parametrize("kinds", [("f4", "f4"), ("f8", "f8"), ("f4", "f8"), (">f4", "f2")])
@pytest.mark.parametrize("shape", [(97, 113, 31), (70, 3, 5), (1, 200, 8), (40, 40, 33)])
def test_a_score_is_that_of_numpy_with_temporaries(name, kinds, shape):
    estimate, reference, mask = example(shape, kinds)
    e, r = (cube[mask].astype(np.float64) for cube in (estimate, reference))
    expected, score = NUMPY[name](e, r), METRICS[name](estimate, reference, mask, WAVELENGTHS)
    assert score.value == pytest.approx(expected.value, rel=1e-12)
    assert score.weight == expected.weight
    assert score.left_out == pytest.approx(expected.left_out, abs=1e-15)


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_metrics_scored_together_are_to_the_bit_what_each_gives_alone(layout):
    estimate, reference, mask = example((97, 113, 31))
    alone = {name: metric(estimate, reference, mask, WAVELENGTHS) for name, metric in METRICS.items()}
    assert score_all(METRICS, layout(estimate), reference, mask, WAVELENGTHS) == alone
    some = {name: METRICS[name] for name in ("gfc", "psnr", "rmse")}
    assert score_all(some, estimate, reference, mask, WAVELENGTHS) == {name: alone[name] for name in some}


def test_a_family_reads_the_cubes_once():
    read = []

    def family(estimate, reference, mask, wavelengths, names):
        read.append(list(names))
        return {"a": Score(1.0, 1.0), "b": Score(2.0, 1.0)}

    metrics = {
        "first": replace(METRICS["rmse"], name="first", function=FamilyMember(family, "a")),
        "other": METRICS["rmse"],
        "second": replace(METRICS["rmse"], name="second", function=FamilyMember(family, "b")),
    }
    cube, mask = np.full((2, 2, 31), 0.5, np.float32), np.ones((2, 2), dtype=bool)
    scores = score_all(metrics, cube, cube, mask, WAVELENGTHS)
    assert scores == {"first": Score(1.0, 1.0), "other": Score(0.0, 4.0), "second": Score(2.0, 1.0)}
    assert read == [["a", "b"]]


def test_a_metric_of_another_function_does_not_get_the_score_of_the_family():
    cube, mask = np.full((2, 2, 31), 0.5, np.float32), np.ones((2, 2), dtype=bool)
    mine = replace(METRICS["rmse"], function=lambda *given: Score(7.0, 1.0))
    scores = score_all({"rmse": mine, "gfc": METRICS["gfc"]}, cube, cube, mask, WAVELENGTHS)
    assert scores["rmse"] == Score(7.0, 1.0)


def test_a_metric_that_raises_stops_no_other():
    def raises(*given):
        raise RuntimeError("no luck")

    cube, mask = np.full((2, 2, 31), 0.5, np.float32), np.ones((2, 2), dtype=bool)
    metrics = {"mine": replace(METRICS["rmse"], function=raises), "rmse": METRICS["rmse"]}
    scores = score_all(metrics, cube, cube, mask, WAVELENGTHS)
    assert str(scores["mine"]) == "no luck"
    assert scores["rmse"] == Score(0.0, 4.0)
    broken = score_all({"rmse": METRICS["rmse"], "psnr": METRICS["psnr"]}, cube * np.nan, cube, mask, WAVELENGTHS)
    assert all("the estimate holds NaN" in str(error) for error in broken.values())


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_no_temporary_is_as_large_as_a_cube(layout):
    estimate, reference, mask = example((600, 500, 31))
    estimate, reference = layout(estimate), layout(reference)
    score_all(METRICS, estimate[:2], reference[:2], mask[:2], WAVELENGTHS)  # compiles
    tracemalloc.start()
    score_all(METRICS, estimate, reference, mask, WAVELENGTHS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < estimate.nbytes / 5


def test_values_too_large_for_their_squares_are_not_taken_for_infinity():
    reference = np.full((2, 3, 4), 1e200)
    assert METRICS["mrae@ntire2020"](1.5 * reference, reference, np.ones((2, 3), bool), WAVELENGTHS).value == 0.5


def test_the_compiler_is_not_loaded_before_a_score_is_asked_for():
    code = (
        "import sys, specrec; from specrec.registry import registry; registry().metrics; print('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"
