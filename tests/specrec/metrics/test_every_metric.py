"""What holds for every metric: layouts, masks, best and worse estimates, errors."""

import math
from pathlib import Path

import numpy as np
import pytest

from specrec.metrics import specrec_metrics
from specrec.registry import registry
from specrec.spectra import WAVELENGTHS

METRICS = {metric.name: metric for metric in specrec_metrics()}
every_metric = pytest.mark.parametrize("name", METRICS)


def example(height=40, width=30, seed=0):
    rng = np.random.default_rng(seed)
    reference = rng.random((height, width, 31), dtype=np.float32)
    reference[rng.random(reference.shape) < 0.05] = 0.0
    reference[:2, :3] = 0.0
    estimate = reference + np.float32(0.1) * rng.standard_normal(reference.shape, dtype=np.float32)
    estimate[1:3, 2:5] = 0.0
    return estimate, reference, rng.random((height, width)) < 0.7


def bands_first(array):
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 2, 0)), 0, 2)


def strided(array):
    wide = np.full((2 * array.shape[0], array.shape[1], 3 * array.shape[2]), np.nan, dtype=array.dtype)
    wide[::2, :, ::3] = array
    return wide[::2, :, ::3]


def backwards(array):
    return np.ascontiguousarray(array[::-1, ::-1, ::-1])[::-1, ::-1, ::-1]


def misaligned(array):
    buffer = np.empty(array.nbytes + 1, dtype=np.uint8)
    shifted = buffer[1:].view(array.dtype).reshape(array.shape)
    shifted[...] = array
    return shifted


@every_metric
@pytest.mark.parametrize("layout", [np.asfortranarray, bands_first, strided, backwards, misaligned])
def test_memory_layout_changes_no_bit_of_a_score(name, layout):
    estimate, reference, mask = example(150, 60)  # more than one block
    plain = METRICS[name](estimate, reference, mask, WAVELENGTHS)
    assert METRICS[name](layout(estimate), layout(reference), np.asfortranarray(mask), WAVELENGTHS) == plain
    assert METRICS[name](layout(estimate), reference, mask, WAVELENGTHS) == plain


@every_metric
def test_what_lies_outside_the_mask_does_not_count(name):
    estimate, reference, mask = example()
    plain = METRICS[name](estimate, reference, mask, WAVELENGTHS)
    other_estimate, other_reference = estimate.copy(), reference.copy()
    other_estimate[~mask], other_reference[~mask] = 7.0, 9.0
    assert METRICS[name](other_estimate, other_reference, mask, WAVELENGTHS) == plain


@every_metric
def test_the_cubes_are_not_changed(name):
    estimate, reference, mask = example()
    for array in (estimate, reference, mask):
        array.setflags(write=False)
    METRICS[name](estimate, reference, mask, WAVELENGTHS)


@every_metric
def test_a_perfect_estimate_gets_the_best_score_and_a_worse_one_a_worse_score(name):
    _, reference, mask = example()
    noise = np.random.default_rng(1).standard_normal(reference.shape, dtype=np.float32)
    scores = [
        METRICS[name](reference + np.float32(size) * noise, reference, mask, WAVELENGTHS).value
        for size in (0.0, 0.01, 0.1)
    ]
    assert scores == sorted(scores, reverse=METRICS[name].higher_is_better)
    assert len(set(scores)) == 3
    assert scores[0] == {"gfc": 1.0, "psnr": math.inf}.get(name, 0.0)


@every_metric
def test_estimates_are_not_clipped(name):
    reference = np.full((2, 2, 31), 0.9, dtype=np.float32)
    reference[..., 0] = 0.5
    mask = np.ones((2, 2), dtype=bool)
    inside, outside = reference.copy(), reference.copy()
    inside[..., 5], outside[..., 5] = 1.0, 1.3
    scores = [METRICS[name](estimate, reference, mask, WAVELENGTHS).value for estimate in (inside, outside)]
    assert scores[0] != scores[1]


@every_metric
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("is_valid", [True, False])
def test_a_number_that_is_none_is_an_error_that_says_where(name, bad, is_valid):
    estimate, reference, mask = example(150, 60)
    mask[140, 7] = is_valid
    estimate[140, 7, 30] = bad
    with pytest.raises(ValueError, match="the estimate holds NaN or infinity, first at row 140, column 7, band 30"):
        METRICS[name](estimate, reference, mask, WAVELENGTHS)
    with pytest.raises(ValueError, match="the reference holds NaN or infinity, first at row 140, column 7, band 30"):
        METRICS[name](reference, estimate, mask, WAVELENGTHS)


@every_metric
def test_shapes_that_differ_are_both_named(name):
    estimate, reference, mask = example()
    with pytest.raises(ValueError, match=r"\(40, 30, 30\).*\(40, 30, 31\)"):
        METRICS[name](estimate[..., 1:], reference, mask, WAVELENGTHS)
    with pytest.raises(ValueError, match=r"\(1, 30, 31\).*\(40, 30, 31\)"):  # would broadcast in silence
        METRICS[name](estimate[:1], reference, mask, WAVELENGTHS)
    with pytest.raises(ValueError, match=r"\(30, 40\).*\(40, 30\)"):
        METRICS[name](estimate, reference, mask.T, WAVELENGTHS)
    with pytest.raises(ValueError, match=r"\(height, width, bands\).*\(40, 30\)"):
        METRICS[name](estimate[..., 0], reference[..., 0], mask, WAVELENGTHS)


@every_metric
def test_a_mask_without_valid_pixels_or_of_numbers_is_an_error(name):
    estimate, reference, mask = example()
    with pytest.raises(ValueError, match="no valid pixel"):
        METRICS[name](estimate, reference, np.zeros_like(mask), WAVELENGTHS)
    with pytest.raises(ValueError, match="uint8"):
        METRICS[name](estimate, reference, mask.astype(np.uint8), WAVELENGTHS)


def test_ten_metrics_reach_the_registry():
    offered = registry().metrics
    assert set(METRICS) <= set(offered)
    assert len(METRICS) == 10
    assert all(offered[name].distribution == "specrec" for name in METRICS)


@every_metric
def test_every_metric_says_what_it_is(name):
    metric = METRICS[name]
    assert all((metric.unit, metric.scale, metric.definition, metric.reference))
    assert "doi:" in metric.reference
    assert "\n" not in metric.definition


@every_metric
def test_every_metric_has_a_line_in_the_documentation(name):
    page = Path(__file__).parents[3] / "docs" / "metrics.md"
    assert f"| [`{name}`](#" in page.read_text("utf-8")
