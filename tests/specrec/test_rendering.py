import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.rendering import (
    RGB_TO_XYZ,
    XYZ_TO_RGB,
    _thresholds,
    cmfs,
    decode_srgb,
    encode_srgb,
    lab,
    linear_srgb,
    quantise,
    render,
    rendering_id,
    srgb_to_xyz,
    xyz,
    xyz_weights,
)


@pytest.fixture(scope="module")
def colour() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says on import which optional packages are missing
        return pytest.importorskip("colour")


def test_the_check_vector_of_a_flat_spectrum() -> None:
    tristimulus = xyz(np.ones(31))
    np.testing.assert_allclose(tristimulus, [99.93414, 100.0, 99.93526], atol=1e-5)
    np.testing.assert_allclose(tristimulus / 100 @ XYZ_TO_RGB.T, [1.20299, 0.94901, 0.90798], atol=1e-5)
    assert render(np.ones((1, 1, 31)))[0, 0].tolist() == [255, 249, 244]  # red clips


def test_the_observer_is_that_of_an_independent_source(colour: object) -> None:
    shape = colour.SpectralShape(400, 700, 10)  # type: ignore[attr-defined] # imported when there
    published = colour.MSDS_CMFS["CIE 1964 10 Degree Standard Observer"].copy().align(shape).values  # type: ignore[attr-defined]
    np.testing.assert_allclose(cmfs(), published, rtol=1e-12)
    assert cmfs()[:, 1].sum() == pytest.approx(11.66070744, abs=5e-9)
    assert 100 / (cmfs()[:, 1].sum() * 10) == pytest.approx(0.857580901627, abs=5e-13)


def test_rendering_agrees_with_colour_science(colour: object) -> None:
    cube = np.random.default_rng(0).random((40, 50, 31))
    linear = colour.XYZ_to_RGB  # type: ignore[attr-defined] # imported when there
    srgb = colour.RGB_COLOURSPACES["sRGB"]  # type: ignore[attr-defined] # imported when there
    encoded = linear(xyz(cube) / 100, srgb, chromatic_adaptation_transform=None, apply_cctf_encoding=False)
    expected = np.rint(255 * srgb.cctf_encoding(np.clip(encoded, 0, 1)))
    difference = np.abs(render(cube).astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.02  # the matrices may differ in their last digits


def test_lab_agrees_with_colour_science(colour: object) -> None:
    values = xyz(np.random.default_rng(0).random((500, 31)) ** 6)
    white = xyz(np.ones(31))
    expected = colour.XYZ_to_Lab(values / 100, colour.XYZ_to_xy(white / 100))  # type: ignore[attr-defined]
    np.testing.assert_allclose(lab(values), expected, atol=1e-6)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_encoding_and_decoding_are_inverse(values: list[float]) -> None:
    # the standard's own constants leave a gap of a few 1e-8 where the two segments meet
    np.testing.assert_allclose(decode_srgb(encode_srgb(values)), values, atol=1e-7)


def test_srgb_to_xyz_undoes_the_rendering_where_nothing_clips() -> None:
    cube = 0.2 + 0.3 * np.random.default_rng(0).random((10, 31))
    encoded = encode_srgb(xyz(cube) / 100 @ XYZ_TO_RGB.T)
    np.testing.assert_allclose(srgb_to_xyz(encoded), xyz(cube) / 100, atol=1e-7)
    np.testing.assert_allclose(RGB_TO_XYZ @ XYZ_TO_RGB, np.eye(3), atol=1e-12)


def test_rounding_and_truncating_are_named_options() -> None:
    levels = np.array([0.0, 0.4999, 0.5001, 254.5001, 255.0]) / 255
    assert quantise(levels).tolist() == [0, 0, 1, 255, 255]
    assert quantise(levels, "truncate").tolist() == [0, 0, 0, 254, 255]
    assert len({rendering_id(how) for how in ("round", "truncate", "none")}) == 3


def test_scales_are_a_factor_or_the_range_of_the_cube() -> None:
    cube = np.random.default_rng(0).random((4, 5, 31)) * 3 + 1
    scaled = (cube - cube.min()) / (cube.max() - cube.min())
    np.testing.assert_array_equal(render(cube, scale="minmax"), render(scaled))
    np.testing.assert_array_equal(render(cube, scale=0.25), render(cube * 0.25))
    with pytest.raises(DataError, match="a constant cube"):
        render(np.ones((2, 2, 31)), scale="minmax")


def test_the_memory_layout_does_not_matter() -> None:
    cube = np.random.default_rng(0).random((6, 5, 31))
    for layout in (
        np.asfortranarray(cube),
        cube.transpose(2, 0, 1).copy().transpose(1, 2, 0),
        np.repeat(cube, 2, 1)[:, ::2],
    ):
        np.testing.assert_array_equal(render(layout), render(cube))


@pytest.mark.parametrize("bands", [30, 33])
def test_bands_off_the_grid_are_refused(bands: int) -> None:
    with pytest.raises(DataError, match="rendering needs"):
        render(np.ones((2, 2, bands)))
    with pytest.raises(DataError, match=f"{bands} bands, 400-"):
        render(np.ones((2, 2, bands)), 400 + 5.0 * np.arange(bands))


def test_the_sums_of_a_pixel_run_over_the_bands_in_their_order() -> None:
    cube = np.random.default_rng(0).random((9, 31))
    for spectrum, found in zip(cube, xyz(cube), strict=True):
        expected = np.zeros(3)
        for value, weight in zip(spectrum, xyz_weights(), strict=True):
            expected += value * weight
        assert found.tolist() == expected.tolist()


def chain(cube: NDArray[Any], how: Literal["round", "truncate"]) -> NDArray[np.uint8]:
    """The reference: every step by itself, with a power for every value."""
    return quantise(encode_srgb(linear_srgb(xyz(cube) / 100.0)), how)


@pytest.mark.parametrize("how", ["round", "truncate"])
@pytest.mark.parametrize("kind", ["f4", "f8", ">f4", "f2", "u1"])
def test_the_one_pass_renders_every_value_as_the_chain_of_steps_does(
    how: Literal["round", "truncate"], kind: str
) -> None:
    rng = np.random.default_rng(0)
    cube = rng.random((150, 200, 31)) * rng.choice([0.001, 0.1, 1.0, 3.0], (150, 200, 1)) - 0.05
    cube = np.abs(cube).astype(kind) if kind == "u1" else cube.astype(kind)
    np.testing.assert_array_equal(render(cube, quantisation=how), chain(cube, how))


@pytest.mark.parametrize("how", ["round", "truncate"])
def test_a_threshold_is_the_least_value_of_its_level(how: Literal["round", "truncate"]) -> None:
    starts, thresholds = _thresholds(how)
    # a library's power may err by a last digit, so the next few values may have any of the two levels
    steps = np.concatenate([np.arange(-500, -8), [-1, 0], np.arange(8, 500)])
    near = (thresholds[1:256].view(np.int64)[:, None] + steps).view(np.float64)
    expected = np.arange(1, 256)[:, None] - (near < thresholds[1:256, None])
    np.testing.assert_array_equal(quantise(encode_srgb(near), how), expected)
    cells = np.floor(thresholds[1:256] * (len(starts) - 1))
    assert (np.diff(cells) >= 1).all(), "a cell holds two thresholds"
    assert starts[-1] == 255
    assert np.isinf(thresholds[256])


@pytest.mark.parametrize("how", ["round", "truncate"])
def test_a_value_on_a_threshold_or_beside_it_gets_the_level_of_the_formula(
    how: Literal["round", "truncate"],
) -> None:
    from specrec.tristimulus import write_levels

    starts, thresholds = _thresholds(how)
    # as above, not the values right after a threshold
    values = (thresholds[1:-1].view(np.int64)[:, None] + [-1, 0, 8]).view(np.float64).reshape(-1)
    values = values[values * 100.0 / 100.0 == values]  # the loop divides by 100
    assert len(values) > 600
    spectra = np.zeros((len(values), 31))
    spectra[:, 0] = values * 100.0
    weights = np.zeros((32, 3))
    weights[0] = 1.0
    levels = np.empty((len(values), 3), dtype=np.uint8)
    write_levels(spectra, weights, np.zeros(3), 1.0, np.eye(3), starts, thresholds, levels)
    expected = quantise(encode_srgb(values), how)
    np.testing.assert_array_equal(levels, np.repeat(expected[:, np.newaxis], 3, axis=1))


def test_a_part_of_a_cube_is_rendered_to_the_bit_as_in_the_whole() -> None:
    cube = np.random.default_rng(0).random((300, 300, 31), dtype=np.float32)
    whole, levels = xyz(cube), render(cube)
    for rows, columns in ((slice(250, 300), slice(None)), (slice(3, 130), slice(17, 18)), (slice(7, 8), slice(0, 291))):
        np.testing.assert_array_equal(xyz(cube[rows, columns]), whole[rows, columns])
        np.testing.assert_array_equal(render(cube[rows, columns]), levels[rows, columns])
    np.testing.assert_array_equal(xyz(cube[5, 6]), whole[5, 6])
    np.testing.assert_array_equal(xyz(cube.reshape(-1, 31)[::-1]), whole.reshape(-1, 3)[::-1])
    assert xyz(cube[:0]).shape == (0, 300, 3)


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_no_temporary_is_as_large_as_a_cube(layout: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
    cube = layout(np.random.default_rng(0).random((600, 500, 31), dtype=np.float32))
    render(cube[:2])  # compiles
    tracemalloc.start()
    render(cube)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < cube.nbytes / 5


def test_a_cube_stays_writable_and_need_not_be() -> None:
    cube = np.full((3, 4, 31), 0.5)
    render(cube)
    assert cube.flags.writeable
    cube.setflags(write=False)
    assert render(cube)[0, 0].tolist() == [204, 183, 180]


def test_what_is_no_number_is_black() -> None:
    cube = np.full((1, 2, 31), 0.5)
    cube[0, 1, 3] = np.nan
    assert render(cube).tolist() == [[[204, 183, 180], [0, 0, 0]]]
