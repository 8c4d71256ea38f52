"""Resampling against numerical quadrature, and the properties that every matrix of weights has."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specrec.errors import DataError, UsageError
from specrec.resampling import common_grid, covered, resampling
from specrec.spectra import WAVELENGTHS

ICVL = np.linspace(397.32, 1003.58, 519)


def by_quadrature(source, values, target, method):
    """The definition, band by band, with the mean as a sum over 20,001 points."""
    out = []
    for index, band in enumerate(target):
        band = min(max(band, source[0]), source[-1])
        near = [abs(target[other] - target[index]) for other in (index - 1, index + 1) if 0 <= other < len(target)]
        half = sum(near) / len(near) / 2 if near and method == "mean" else 0.0
        half = min(half, band - source[0], source[-1] - band)
        points = np.linspace(band - half, band + half, 20_001)
        heights = np.interp(points, source, values)
        out.append((heights[:-1] + heights[1:]).mean() / 2)
    return np.array(out)


def grids(least=2, most=40, low=380, high=1000):
    tenths = st.lists(st.integers(low * 10, high * 10), min_size=least, max_size=most, unique=True)
    return tenths.map(lambda values: np.sort(values) / 10.0)


@st.composite
def pairs(draw):
    """A source and a target that it covers."""
    source = draw(grids())
    inside = st.floats(source[0], source[-1]).map(lambda value: round(value, 3))
    target = np.unique(np.clip(draw(st.lists(inside, min_size=1, max_size=20)), source[0], source[-1]))
    return source, target[np.append(True, np.diff(target) > 1e-2)]


methods = st.sampled_from(["auto", "mean", "linear"])


@pytest.mark.parametrize("method", ["mean", "linear"])
@pytest.mark.parametrize(
    ("source", "target"),
    [
        (ICVL, WAVELENGTHS),
        (np.arange(395.0, 720, 5), WAVELENGTHS),
        (np.linspace(399.1, 712, 28) ** 1.01, np.arange(430.0, 700, 10)),
        (np.array([400.0, 430, 470, 555, 700]), np.array([400.0, 402, 430, 600, 650, 700])),
    ],
)
def test_the_weights_are_what_numerical_quadrature_gives(source, target, method):
    values = np.random.default_rng(0).random(source.size)
    expected = by_quadrature(source, values, target, method)
    np.testing.assert_allclose(values @ resampling(source, target, method).weights, expected, rtol=0, atol=2e-7)


@given(pairs(), methods)
def test_weights_are_never_negative_and_sum_to_one(pair, method):
    weights = resampling(*pair, method).weights
    assert weights.shape == (pair[0].size, pair[1].size)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=0), 1.0, rtol=0, atol=1e-13)


@given(pairs(), methods, st.floats(-2, 2), st.floats(-2, 2))
def test_constant_and_linear_spectra_are_exact(pair, method, level, slope):
    source, target = pair
    found = resampling(source, target, method).apply(level + slope * (source - 500.0))
    expected = level + slope * (target - 500.0)
    np.testing.assert_allclose(found, expected, rtol=3e-7, atol=3e-7 * (abs(level) + 500 * abs(slope)) + 1e-30)


@given(pairs(), methods, st.floats(0, 1, width=32))
def test_a_constant_spectrum_keeps_its_bits(pair, method, level):
    found = resampling(*pair, method).apply(np.full(pair[0].size, level, dtype=np.float32))
    np.testing.assert_array_equal(found, np.float32(level))


@given(grids(least=1), methods, st.integers(0, 9))
def test_the_same_grid_gives_the_same_bits(grid, method, seed):
    cube = np.random.default_rng(seed).standard_normal((2, 3, grid.size)).astype(np.float32)
    cube[0, 0, 0] = -0.0
    found = resampling(grid, grid + 1e-9, method)
    assert found.method == "none"
    assert found.apply(cube).tobytes() == cube.tobytes()


def test_bands_that_both_grids_share_keep_their_bits_where_lines_are_read():
    cube = np.random.default_rng(0).random((4, 5, 31), dtype=np.float32)
    found = resampling(WAVELENGTHS, np.arange(400.0, 701, 5), "linear").apply(cube)
    np.testing.assert_array_equal(found[..., ::2], cube)


def test_a_window_gives_the_same_bits_as_the_whole():
    cube = np.random.default_rng(0).random((60, 50, 519), dtype=np.float32)  # several blocks
    way = resampling(ICVL, WAVELENGTHS)
    whole = way.apply(cube)
    np.testing.assert_array_equal(way.apply(cube[7:31, 11:12]), whole[7:31, 11:12])
    np.testing.assert_array_equal(way.apply(cube[59, 49]), whole[59, 49])
    assert whole.dtype == np.float32


def test_narrow_bands_are_averaged_and_coarse_ones_interpolated():
    assert resampling(ICVL, WAVELENGTHS).method == "mean"
    assert resampling(np.arange(400.0, 701, 5), WAVELENGTHS).method == "mean"
    assert resampling(np.arange(400.0, 709, 6), WAVELENGTHS).method == "linear"
    assert resampling(np.linspace(400, 710, 28), WAVELENGTHS).method == "linear"
    assert resampling(WAVELENGTHS, [550.0]).method == "linear"


def test_the_mean_of_narrow_bands_carries_less_noise_than_single_bands_do():
    noise = np.random.default_rng(0).standard_normal((4000, 519))
    averaged, picked = (resampling(ICVL, WAVELENGTHS, method).apply(noise) for method in ("mean", "linear"))
    assert averaged.std() < 0.5 * picked.std()  # 8.5 bands of 1.17 nm lie in 10 nm: a third is expected


def test_fine_structure_does_not_turn_into_false_structure():
    ripple = np.cos(2 * np.pi * ICVL / 9.0)  # a period of 9 nm, seen every 10 nm, looks like one of 90 nm
    inner = slice(1, None)  # at 400 nm the interval is cut to the source's range
    assert abs(resampling(ICVL, WAVELENGTHS, "linear").apply(ripple))[inner].max() > 0.9
    assert abs(resampling(ICVL, WAVELENGTHS, "mean").apply(ripple))[inner].max() < 0.15


def test_nothing_is_extrapolated_unasked():
    harvard = np.arange(420.0, 721, 10)
    with pytest.raises(UsageError, match=r"scene\.mat covers 420-720 nm, and the grid asks for 400, 410 nm") as refusal:
        resampling(harvard, WAVELENGTHS, where="scene.mat")
    assert "--grid 420:10:700 or common" in str(refusal.value)
    assert "--extrapolate nearest" in str(refusal.value)
    with pytest.raises(UsageError, match=r"400, 410, 420, 430, 440, 450 and 22 more nm"):
        resampling([680.0, 690.0, 700.0], WAVELENGTHS)


@pytest.mark.parametrize("method", ["mean", "linear"])
def test_the_last_band_is_repeated_when_asked_and_the_bands_are_named(method):
    source = np.arange(420.0, 691, 2 if method == "mean" else 10)
    values = np.random.default_rng(0).random((3, source.size), dtype=np.float32)
    way = resampling(source, WAVELENGTHS, method, extrapolate="nearest")
    assert way.extrapolated == (400.0, 410.0, 700.0)
    found = way.apply(values)
    np.testing.assert_array_equal(found[:, :2], values[:, :1].repeat(2, axis=1))
    np.testing.assert_array_equal(found[:, -1], values[:, -1])
    assert resampling(source, WAVELENGTHS[2:30], method, extrapolate="nearest").extrapolated == ()


def test_a_source_of_one_band_serves_that_band_alone():
    assert resampling([550.0], [550.0, 560.0], extrapolate="nearest").extrapolated == (560.0,)
    with pytest.raises(UsageError, match="560 nm"):
        resampling([550.0], [550.0, 560.0])


def test_the_common_grid_is_the_covered_part_of_the_standard_one():
    np.testing.assert_array_equal(common_grid(np.arange(420.0, 721, 10)), np.arange(420.0, 701, 10))
    np.testing.assert_array_equal(common_grid(ICVL), WAVELENGTHS)
    assert covered([400.0000005, 410], [400.0]).all()
    with pytest.raises(UsageError, match=r"swir\.hdr \(2 bands, 900-1700 nm\) covers no band of 400"):
        common_grid([900.0, 1700.0], "swir.hdr")


def test_grids_and_spectra_that_are_none_are_refused():
    with pytest.raises(DataError, match=r"scene\.mat: wavelengths must increase"):
        resampling([500.0, 400.0], WAVELENGTHS, where="scene.mat")
    with pytest.raises(DataError, match="the target grid: wavelengths must be a list of finite numbers"):
        resampling(WAVELENGTHS, [np.nan])
    with pytest.raises(ValueError, match="spectra of 31 bands are expected"):
        resampling(WAVELENGTHS, [500.0]).apply(np.zeros((2, 30)))
    with pytest.raises(ValueError, match="not 'cubic'"):
        resampling(WAVELENGTHS, [500.0], "cubic")


@pytest.mark.parametrize(("step", "method"), [(1.25, "mean"), (5.0, "mean"), (5.5, "linear"), (20.0, "linear")])
def test_narrow_bands_are_averaged_and_coarse_ones_joined_by_lines_also_where_some_are_missing(step, method):
    source = np.arange(390.0, 721.0, step)
    missing = np.delete(source, slice(source.size // 2, source.size // 2 + 2))
    assert resampling(source, WAVELENGTHS).method == method
    assert resampling(missing, WAVELENGTHS).method == method
