import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specrec.cubes.coding import NO_VALUE, SPAN, Coding, choose_coding, decode
from specrec.errors import DataError, UsageError


def as_cube(*values):
    return np.array(values, dtype=np.float32).reshape(1, 1, -1)


def test_the_default_span_of_uint16_makes_every_level_exact_in_float32():
    coding = choose_coding("uint16")
    levels = np.arange(NO_VALUE, dtype=np.uint16).reshape(1, -1, 1)
    values = decode(levels, coding.scale, coding.offset)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, levels.astype(np.float32) * np.float32(coding.scale) + np.float32(-1))
    np.testing.assert_array_equal(coding.encode(values, "here"), levels)
    assert (values.min(), values.max()) == SPAN
    assert {0.0, 1.0} <= set(values.ravel().tolist())


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_a_value_of_any_span_comes_back_within_half_a_step(low, width, shares):
    coding = choose_coding("uint16", (low, low + width))
    values = np.clip((low + width * np.array(shares)).astype(np.float32), low, low + width).reshape(1, 1, -1)
    values = np.where(values < low, np.nextafter(values, np.inf), values).astype(np.float32)
    try:
        back = decode(coding.encode(values, "here"), coding.scale, coding.offset)
    except DataError:  # float32 is coarser than the steps of a narrow span far from 0
        assert np.spacing(np.float32(abs(low) + width)) > coding.scale / 2
    else:
        room = coding.scale / 2 * (1 + 1e-6) + np.spacing(np.float32(abs(low) + width))
        np.testing.assert_allclose(back, values, rtol=0, atol=room)


@pytest.mark.parametrize(("value", "said"), [(-1.0001, "-1.0001"), (3.0, "3"), (40.0, "40")])
def test_a_value_outside_the_span_is_named_and_never_clipped(value, said):
    words = f"cube: the value {said} lies outside -1 to 2.99988.*write float32, .*`specrec convert A B --dtype uint16`"
    with pytest.raises(DataError, match=words):
        choose_coding("uint16").encode(as_cube(0.5, value, 0.1), "cube")
    choose_coding("uint16", (-2, 50)).encode(as_cube(0.5, value, 0.1), "cube")


def test_a_value_outside_the_span_is_found_in_a_later_part(monkeypatch):
    monkeypatch.setattr("specrec.cubes.coding._AT_ONCE", 4)
    cube = np.zeros((9, 2, 1), np.float32)
    np.testing.assert_array_equal(choose_coding("uint16").encode(cube, "cube"), np.full(cube.shape, 16384))
    cube[7, 1] = 4.0
    with pytest.raises(DataError, match="the value 4 lies"):
        choose_coding("uint16").encode(cube, "cube")


def test_float16_refuses_what_it_does_not_hold():
    coding = choose_coding("float16")
    assert coding.encode(as_cube(65504.0, -65504.0), "cube").dtype == np.float16
    with pytest.raises(DataError, match="cube: float16 holds values up to 65504, not -70000; write float32"):
        coding.encode(as_cube(1.0, -70000.0), "cube")


def test_float32_is_stored_as_it_is():
    values = as_cube(1.0, 1e30)
    assert choose_coding("float32") == Coding()
    assert Coding().encode(values, "cube") is values
    assert decode(values) is values


@pytest.mark.parametrize("span", [(1.0, 1.0), (2.0, 1.0), (0.0, float("inf")), (float("nan"), 1.0)])
def test_a_span_that_is_none_is_a_usage_error(span):
    with pytest.raises(UsageError, match="from a lower to a higher"):
        choose_coding("uint16", span)


def test_an_unknown_type_lists_the_valid_ones():
    with pytest.raises(UsageError, match="stored as float32, float16, uint16, not as 'float64'"):
        choose_coding("float64")
