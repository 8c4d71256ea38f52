"""What the page holds is what the cubes hold, to half a step of 16 bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from specrec.report.packing import pack_bytes, pack_cube, pack_map, unpack_bytes, unpack_cube, unpack_map

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 7))
VALUES = st.floats(-1e6, 1e6, width=32)


@given(SHAPES.flatmap(lambda shape: arrays(np.float32, shape, elements=VALUES)))
def test_a_cube_comes_back_to_within_half_a_step(cube):
    packed = pack_cube(cube, np.ones(cube.shape[:2], dtype=bool))
    error = np.abs(unpack_cube(packed) - cube).max()
    span = float(cube.max()) - float(cube.min())
    assert error <= span / 131070 * (1 + 1e-6) + 1e-12
    assert packed["step"] == (span / 65535 or 1.0)


def test_pixels_without_a_spectrum_do_not_widen_the_range():
    cube = np.random.default_rng(0).random((4, 5, 6), dtype=np.float32)
    valid = np.ones((4, 5), dtype=bool)
    cube[1, 2], valid[1, 2] = np.nan, False
    cube[3, 0], valid[3, 0] = 1e9, False
    packed = pack_cube(cube, valid)
    assert packed["step"] < 1 / 65535
    np.testing.assert_allclose(unpack_cube(packed)[valid], cube[valid], atol=packed["step"] / 2)


@given(arrays(np.float64, (3, 4), elements=st.one_of(st.just(np.nan), st.floats(-1e3, 1e3))))
def test_a_map_comes_back_and_nan_stays_nan(values):
    packed = pack_map(values)
    back = unpack_map(packed)
    np.testing.assert_array_equal(np.isnan(back), np.isnan(values))
    np.testing.assert_allclose(back, values, atol=packed["step"] / 2 * (1 + 1e-6), equal_nan=True)


def test_bytes_come_back_as_they_are():
    values = np.random.default_rng(1).integers(0, 256, (3, 4, 3)).astype(np.uint8)
    np.testing.assert_array_equal(unpack_bytes(pack_bytes(values)), values)


def test_many_pixels_of_few_spectra_take_little_room():
    few = np.random.default_rng(2).random((4, 31), dtype=np.float32)
    cube = few[np.random.default_rng(3).integers(0, 4, (64, 64))]
    assert len(pack_cube(cube, np.ones((64, 64), dtype=bool))["data"]) < 0.2 * cube.size


@pytest.mark.parametrize("value", [0.0, -3.5, 4095.0])
def test_a_constant_cube_is_exact(value):
    cube = np.full((2, 3, 4), value, dtype=np.float32)
    np.testing.assert_array_equal(unpack_cube(pack_cube(cube, np.ones((2, 3), dtype=bool))), cube)
