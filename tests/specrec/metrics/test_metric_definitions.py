"""Each metric on numbers worked out by hand, and its zero and weight rules."""

import math

import numpy as np
import pytest

from specrec.errors import DataError
from specrec.interfaces import Score
from specrec.metrics.challenges import mrae_ntire2018, mrae_ntire2020, psnr, rmse_arad2016
from specrec.metrics.colour_difference import de2000
from specrec.metrics.spectral import gfc, rmse, rrmse, rrmse_norm, sam


def cube(*pixels):
    """One row of pixels, float32."""
    return np.array([pixels], dtype=np.float32)


def valid(*pixels):
    return np.array([pixels], dtype=bool)


def test_rmse_is_the_mean_of_the_roots_and_not_the_root_of_the_mean():
    reference = cube([0.5, 0.5], [0.5, 0.5], [0.5, 0.5])
    estimate = cube([0.5, 0.5], [0.75, 0.25], [0.0, 0.0])
    assert rmse(estimate, reference, valid(1, 1, 1)) == Score(255 * (0 + 0.25 + 0.5) / 3, 3.0, 0.0)
    assert rmse(estimate, reference, valid(1, 1, 0)) == Score(255 * 0.25 / 2, 2.0, 0.0)


def test_rrmse_leaves_out_dark_bands_and_counts_them():
    reference = cube([0.5, 0.25, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0])
    estimate = cube([0.25, 0.25, 0.9, 0.0], [0.5, 1.5, 0.5, 1.5])
    expected = (math.sqrt((0.5**2 + 0) / 2) + 0.5) / 2
    assert rrmse(estimate, reference, valid(1, 1)) == Score(pytest.approx(expected, rel=1e-15), 2.0, 0.25)


def test_rrmse_takes_the_weight_of_a_pixel_without_a_band_left():
    reference = cube([0.001, 0.003], [0.5, 0.5])
    estimate = cube([0.9, 0.9], [0.25, 0.25])
    assert rrmse(estimate, reference, valid(1, 1)) == Score(0.5, 1.0, 0.5)


def test_rrmse_keeps_a_reference_of_exactly_one_8_bit_level():
    level = np.float32(1) / np.float32(255)
    reference = cube([level], [np.nextafter(level, np.float32(0))])
    assert rrmse(2 * reference, reference, valid(1, 1)) == Score(1.0, 1.0, 0.5)


def test_rrmse_norm_is_length_over_length_and_leaves_out_black_references():
    reference = cube([3.0, 4.0], [0.0, 0.0])
    estimate = cube([3.0, 6.0], [1.0, 0.0])
    assert rrmse_norm(estimate, reference, valid(1, 1)) == Score(pytest.approx(0.4, rel=1e-15), 1.0, 0.5)


def test_gfc_is_the_absolute_cosine_and_leaves_out_black_on_either_side():
    reference = cube([3.0, 4.0], [3.0, 4.0], [0.0, 0.0], [1.0, 1.0])
    estimate = cube([4.0, 3.0], [-6.0, -8.0], [1.0, 0.0], [0.0, 0.0])
    assert gfc(estimate, reference, valid(1, 1, 1, 1)) == Score(pytest.approx((0.96 + 1.0) / 2, rel=1e-15), 2.0, 0.5)


def test_sam_is_the_angle_of_gfc_in_radians():
    reference = cube([1.0, 0.0], [1.0, 0.0], [0.0, 0.0])
    estimate = cube([1.0, 1.0], [0.0, 7.0], [1.0, 0.0])
    score = sam(estimate, reference, valid(1, 1, 1))
    assert score == Score(pytest.approx((math.pi / 4 + math.pi / 2) / 2, rel=1e-7), 2.0, pytest.approx(1 / 3))


def test_equal_spectra_fit_exactly():
    spectra = np.random.default_rng(0).random((20, 30, 31), dtype=np.float32)
    mask = np.ones((20, 30), dtype=bool)
    assert gfc(spectra, spectra, mask).value == 1.0
    assert sam(spectra, spectra, mask).value == 0.0


def test_tiny_spectra_are_not_taken_for_black():
    tiny = np.full((1, 1, 31), 1e-44, dtype=np.float32)
    assert gfc(tiny, tiny, valid(1)) == Score(1.0, 1.0, 0.0)


def test_rmse_arad2016_pools_and_divides_by_the_maximum_of_the_valid_reference():
    reference = cube([0.5, 0.25], [0.0, 0.25], [1.0, 1.0])
    estimate = cube([0.5, 0.75], [0.5, 0.25], [0.0, 0.0])
    expected = math.sqrt((0.25 + 0.25) / 4) / 0.5 * 255
    assert rmse_arad2016(estimate, reference, valid(1, 1, 0)) == Score(pytest.approx(expected, rel=1e-15), 2.0, 0.0)


def test_mrae_ntire2018_counts_zeros_over_two_to_the_minus_52():
    reference, estimate = cube([0.5, 0.0]), cube([0.75, 0.25])
    expected = (0.25 / (0.5 + 2**-52) + 0.25 * 2**52) / 2
    assert mrae_ntire2018(estimate, reference, valid(1)) == Score(pytest.approx(expected, rel=1e-15), 1.0, 0.0)


def test_mrae_ntire2020_leaves_zeros_out_and_counts_them():
    reference, estimate = cube([0.5, 0.0], [0.25, 0.25]), cube([0.75, 0.25], [0.25, 0.5])
    assert mrae_ntire2020(estimate, reference, valid(1, 1)) == Score(0.5, 1.0, 0.25)


def test_psnr_pools_and_is_infinite_for_identical_cubes():
    reference = cube([0.5, 0.5], [0.5, 0.5])
    estimate = cube([0.5, 0.5], [0.75, 0.25])
    assert psnr(estimate, reference, valid(1, 1)) == Score(pytest.approx(10 * math.log10(4 / 0.125)), 2.0, 0.0)
    assert psnr(reference, reference, valid(1, 1)) == Score(math.inf, 2.0, 0.0)


def test_de2000_of_two_greys_is_their_weighted_lightness():
    reference, estimate = np.full((1, 2, 31), 0.5, np.float32), np.full((1, 2, 31), 0.25, np.float32)
    lighter, darker = (116 * np.cbrt(y) - 16 for y in (0.5, 0.25))
    square = ((lighter + darker) / 2 - 50) ** 2
    expected = (lighter - darker) / (1 + 0.015 * square / math.sqrt(20 + square))
    score = de2000(estimate, reference, valid(1, 0))
    assert score.value == pytest.approx(expected, rel=1e-9)
    assert score.weight == 1.0


def test_de2000_sees_no_difference_between_metamers_that_rmse_sees():
    from specrec.rendering import cmfs

    flat = np.full(31, 0.5)
    wave = 0.3 * np.cos(np.arange(31.0))
    black = wave - cmfs() @ np.linalg.lstsq(cmfs(), wave, rcond=None)[0]
    reference, estimate = flat.reshape(1, 1, 31), (flat + black).reshape(1, 1, 31)
    assert de2000(estimate, reference, valid(1)).value < 1e-8
    assert rmse(estimate, reference, valid(1)).value > 10


def test_de2000_needs_the_grid_of_the_observer():
    spectra = np.ones((1, 1, 4), dtype=np.float32)
    with pytest.raises(DataError, match="4 bands, 400-700 nm"):
        de2000(spectra, spectra, valid(1), np.array([400.0, 500.0, 600.0, 700.0]))


@pytest.mark.parametrize(
    ("metric", "left_out"),
    [(rrmse, 1.0), (rrmse_norm, 1.0), (gfc, 1.0), (sam, 1.0), (rmse_arad2016, 1.0), (mrae_ntire2020, 1.0)],
)
def test_a_black_reference_leaves_nothing_to_average(metric, left_out):
    black = np.zeros((2, 2, 31), dtype=np.float32)
    assert metric(black + 1, black, np.ones((2, 2), dtype=bool)) == Score(0.0, 0.0, left_out)
