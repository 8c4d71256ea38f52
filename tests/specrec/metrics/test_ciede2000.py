import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.metrics.ciede2000 import ciede2000, sum_of_differences
from specrec.rendering import lab, white_point, xyz

# Table I of Sharma, Wu and Dalal (2005), doi:10.1002/col.20070: two Lab colours and their difference to 4 decimals.
SHARMA = [
    (50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425),
    (50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615),
    (50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412),
    (50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000),
    (50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000),
    (50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000),
    (50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669),
    (50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669),
    (50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792),
    (50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792),
    (50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195),
    (50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195),
    (50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045),
    (50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045),
    (50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461),
    (50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065),
    (50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492),
    (50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977),
    (50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030),
    (50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535),
    (50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000),
    (50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000),
    (50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000),
    (50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000),
    (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
    (63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630),
    (61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731),
    (35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645),
    (22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373),
    (36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146),
    (90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441),
    (90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381),
    (6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377),
    (2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082),
]


# The reference: the formula as Sharma, Wu and Dalal write it down, every angle in degrees. Hues that rounding alone
# puts on one side of opposite, or a mean hue on one side of 360 degrees, count as exactly there.


def plain_ciede2000(lab_1, lab_2):
    lightness_1, a_1, b_1 = (lab_1[..., axis].copy() for axis in range(3))
    lightness_2, a_2, b_2 = (lab_2[..., axis].copy() for axis in range(3))

    stretch = 1.0 + 0.5 * (1.0 - grey_to_chromatic((np.hypot(a_1, b_1) + np.hypot(a_2, b_2)) / 2.0))
    chroma_1, hue_1 = polar(a_1 * stretch, b_1)
    chroma_2, hue_2 = polar(a_2 * stretch, b_2)
    difference, mean_hue = hues(hue_1, hue_2, grey=(chroma_1 == 0.0) | (chroma_2 == 0.0))

    mean_lightness = (lightness_1 + lightness_2) / 2.0
    mean_chroma = (chroma_1 + chroma_2) / 2.0
    from_middle = np.square(mean_lightness - 50.0)
    # each difference over its weighting function S
    lightness = (lightness_2 - lightness_1) / (1.0 + 0.015 * from_middle / np.sqrt(20.0 + from_middle))
    chroma = (chroma_2 - chroma_1) / (1.0 + 0.045 * mean_chroma)
    hue = 2.0 * np.sqrt(chroma_1 * chroma_2) * sin(difference / 2.0)
    hue /= 1.0 + 0.015 * mean_chroma * hue_weight(mean_hue)
    # the rotation couples chroma and hue in the blue
    turn = 30.0 * np.exp(-np.square((mean_hue - 275.0) / 25.0))
    rotation = -sin(2.0 * turn) * 2.0 * grey_to_chromatic(mean_chroma)
    return np.sqrt(np.square(lightness) + np.square(chroma) + np.square(hue) + rotation * chroma * hue)


def grey_to_chromatic(chroma):
    """sqrt(C^7 / (C^7 + 25^7)): 0 for grey, towards 1 for saturated colours."""
    cubed = chroma * chroma * chroma
    seventh = cubed * cubed * chroma
    return np.sqrt(seventh / (seventh + 25.0**7))


def polar(a, b):
    """Chroma, and hue in degrees, 0..360; the hue of grey is 0."""
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360.0


def hues(hue_1, hue_2, grey):
    """Signed difference and mean of two hues along the shorter way; without a hue on one side, 0 and the other hue."""
    difference, total = hue_2 - hue_1, hue_1 + hue_2
    near = np.abs(difference) <= 180.0 + 1e-9
    shorter = np.where(near, difference, difference - np.copysign(360.0, difference))
    around = np.where(total < 360.0 - 1e-9, total + 360.0, total - 360.0)
    mean = np.where(near, total, around) / 2.0
    return np.where(grey, 0.0, shorter), np.where(grey, total, mean)


def hue_weight(hue):
    """T of the formula."""
    return (
        1.0
        - 0.17 * cos(hue - 30.0)
        + 0.24 * cos(2.0 * hue)
        + 0.32 * cos(3.0 * hue + 6.0)
        - 0.20 * cos(4.0 * hue - 63.0)
    )


def sin(degrees):
    return np.sin(np.radians(degrees))


def cos(degrees):
    return np.cos(np.radians(degrees))


@pytest.fixture(scope="module")
def colour():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import it warns of optional packages that are not needed here
        import colour
    return colour


@pytest.mark.parametrize("pair", SHARMA)
def test_a_published_pair_comes_out_to_the_fourth_decimal_in_both_orders(pair):
    first, second, published = pair[:3], pair[3:6], pair[6]
    assert ciede2000(first, second).item() == pytest.approx(published, abs=5.1e-5)
    assert ciede2000(second, first).item() == pytest.approx(published, abs=5.1e-5)


def test_all_34_pairs_are_in_the_table_and_go_through_at_once():
    table = np.array(SHARMA)
    assert table.shape == (34, 7)
    np.testing.assert_allclose(ciede2000(table[:, :3], table[:, 3:6]), table[:, 6], atol=5.1e-5)


def test_colour_science_agrees_on_the_published_pairs(colour):
    table = np.array(SHARMA)
    other = colour.difference.delta_E_CIE2000(table[:, :3], table[:, 3:6])
    np.testing.assert_allclose(ciede2000(table[:, :3], table[:, 3:6]), other, atol=1e-9)


def test_colour_science_agrees_on_random_colours(colour):
    rng = np.random.default_rng(0)
    low, high = np.array([0.0, -128.0, -128.0]), np.array([100.0, 128.0, 128.0])
    first, second = (rng.uniform(low, high, (20000, 3)) for _ in range(2))
    near = first + rng.normal(0.0, 1.0, first.shape)
    for other in (second, near):
        np.testing.assert_allclose(
            ciede2000(first, other), colour.difference.delta_E_CIE2000(first, other), rtol=1e-8, atol=1e-9
        )


def test_greys_differ_by_weighted_lightness_alone():
    # S_L at mean lightness 60: 1 + 0.015 * 100 / sqrt(120)
    expected = 20.0 / (1.0 + 0.015 * 100.0 / np.sqrt(120.0))
    assert ciede2000([50.0, 0.0, 0.0], [70.0, 0.0, 0.0]).item() == pytest.approx(expected, rel=1e-12)


coordinate = st.floats(-120.0, 120.0, allow_subnormal=False)


@given(st.tuples(coordinate, coordinate, coordinate), st.tuples(coordinate, coordinate, coordinate))
@settings(deadline=None)
def test_it_is_symmetric_finite_and_zero_for_equal_colours(first, second):
    difference = ciede2000(first, second).item()
    assert difference >= 0.0
    assert np.isfinite(difference)
    assert ciede2000(second, first).item() == pytest.approx(difference, rel=1e-9, abs=1e-12)
    assert ciede2000(first, first).item() == 0.0


def test_the_shape_of_the_pairs_is_kept_whatever_their_layout():
    rng = np.random.default_rng(1)
    first, second = rng.uniform(-50, 50, (2, 4, 5, 3))
    plain = ciede2000(first, second)
    assert plain.shape == (4, 5)
    assert ciede2000(first[0, 0], second[0, 0]).shape == ()
    np.testing.assert_array_equal(ciede2000(np.asfortranarray(first), second[::1]), plain)
    np.testing.assert_array_equal(ciede2000(first[::-1], second[::-1]), plain[::-1])


@pytest.mark.parametrize(("first", "second"), [((2, 3), (3, 3)), ((2, 4), (2, 4)), ((3,), (1, 3))])
def test_pairs_that_do_not_fit_are_an_error_with_both_shapes(first, second):
    with pytest.raises(ValueError, match="equal shapes") as error:
        ciede2000(np.zeros(first), np.zeros(second))
    assert str(first) in str(error.value)
    assert str(second) in str(error.value)


LOW, HIGH = np.array([0.0, -128.0, -128.0]), np.array([100.0, 128.0, 128.0])


def opposite(colours, rng):
    return colours * [1.0, -1.0, -1.0] * rng.uniform(0.1, 3.0, (len(colours), 1))


@pytest.mark.parametrize(
    "other",
    [
        lambda colours, rng: rng.uniform(LOW, HIGH, colours.shape),
        lambda colours, rng: colours + rng.normal(0.0, 1.0, colours.shape),
        lambda colours, rng: colours + rng.normal(0.0, 1e-6, colours.shape),
        opposite,
        lambda colours, rng: opposite(colours, rng) + rng.normal(0.0, 1e-3, colours.shape),
        lambda colours, rng: opposite(colours, rng) + rng.normal(0.0, 1e-9, colours.shape),
        lambda colours, rng: colours * [1.0, 1.0, -1.0],
        lambda colours, rng: colours * [1.0, -1.0, 1.0],
        lambda colours, rng: colours * [1.0, 0.0, 0.0],
        lambda colours, rng: colours * [1.0, 1e-9, -1e-9],
    ],
    ids=[
        "any",
        "near",
        "very near",
        "opposite",
        "nearly",
        "very nearly",
        "about red",
        "about yellow",
        "grey",
        "greyish",
    ],
)
def test_every_pair_comes_out_as_the_plain_formula_says(other):
    rng = np.random.default_rng(0)
    colours = rng.uniform(LOW, HIGH, (20000, 3))
    second = other(colours, rng)
    np.testing.assert_allclose(ciede2000(colours, second), plain_ciede2000(colours, second), atol=1e-10)


def test_whole_numbers_come_out_as_the_plain_formula_says_whatever_their_hues():
    rng = np.random.default_rng(1)
    first, second = rng.uniform(LOW, HIGH, (2, 20000, 3)).round(-1)
    np.testing.assert_allclose(ciede2000(first, second), plain_ciede2000(first, second), atol=1e-10)


def test_a_difference_of_spectra_is_that_of_their_lab_colours():
    rng = np.random.default_rng(2)
    pair = rng.random((2, 500, 31)) ** 4 * rng.choice([0.001, 0.1, 1.0, 30.0], (2, 500, 1))
    pair[1, :5] = -pair[1, :5]
    valid = rng.random(500) < 0.7
    labs = [lab(xyz(spectra)) for spectra in pair]
    found = sum_of_differences(xyz(pair[0]), xyz(pair[1]), white_point(), valid)
    assert found == pytest.approx(plain_ciede2000(*labs)[valid].sum(), rel=1e-12)
