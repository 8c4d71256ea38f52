import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.distinct import distinct_colours, sum_by_place


def colours_of(levels):
    return np.ascontiguousarray(levels).astype(np.float32) / np.float32(255)


def by_sorting(colours):
    """The plain way."""
    levels = np.rint(colours * 255).astype(np.int64)
    codes, places = np.unique(levels @ [1 << 16, 1 << 8, 1], return_inverse=True)
    return colours_of(np.stack([codes >> 16, (codes >> 8) & 255, codes & 255], axis=1)), places


@given(st.integers(0, 2**32), st.integers(1, 3000), st.sampled_from([1, 2, 9, 256]))
@settings(max_examples=60, deadline=None)
def test_colours_and_places_are_those_that_sorting_finds(seed, count, levels):
    colours = colours_of(np.random.default_rng(seed).integers(0, levels, (count, 3)))
    found, places = distinct_colours(colours)
    expected, expected_places = by_sorting(colours)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(places, expected_places)
    np.testing.assert_array_equal(found[places], colours)


def test_neighbouring_colours_fill_whole_words_of_the_table():
    level = np.arange(256)
    colours = colours_of(np.stack(np.meshgrid([0, 7, 255], [0, 255], level, indexing="ij"), axis=-1).reshape(-1, 3))
    shuffled = np.random.default_rng(0).permutation(colours)
    found, places = distinct_colours(shuffled)
    np.testing.assert_array_equal(found, colours)
    np.testing.assert_array_equal(found[places], shuffled)


@pytest.mark.parametrize("value", [0.3, -1 / 255, 256 / 255, np.nextafter(np.float32(0.2), np.float32(1)), 1e30, -1e30])
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_one_value_that_is_no_8_bit_level_is_enough(value, channel):
    colours = colours_of(np.random.default_rng(1).integers(0, 3, (50, 3)))
    assert distinct_colours(colours) is not None
    colours[31, channel] = value
    assert distinct_colours(colours) is None


def test_too_many_colours_are_given_up():
    colours = colours_of(np.array([[1, 2, 3], [1, 2, 3], [4, 5, 6]]))
    assert distinct_colours(colours, 1.5) is not None
    assert distinct_colours(colours, 1.51) is None


def test_sums_by_place_are_those_of_a_loop():
    rng = np.random.default_rng(2)
    rows, places = rng.random((500, 7), dtype=np.float32), rng.integers(0, 9, 500).astype(np.int32)
    expected = np.zeros((10, 7))
    for row, place in zip(rows, places, strict=True):
        expected[place] += row
    np.testing.assert_array_equal(sum_by_place(rows, places, 10), expected)
