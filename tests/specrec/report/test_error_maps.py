"""A metric is the mean of its map: both are computed apart from each other and agree."""

import numpy as np
import pytest

from specrec.rendering import render
from specrec.report.colours import brightness, on_standard_grid, picture
from specrec.report.error_maps import MAPPED, error_maps
from specrec.spectra import WAVELENGTHS


def pair(seed=0):
    rng = np.random.default_rng(seed)
    reference = rng.random((9, 11, 31), dtype=np.float32)
    reference[0, :4] = 0.0  # no length, and no band above 1/255
    reference[1, :, ::2] = 0.001
    estimate = (reference + rng.normal(0, 0.05, reference.shape)).astype(np.float32)
    estimate[2, 3] = 0.0
    mask = rng.random((9, 11)) < 0.8
    return estimate, reference, mask


@pytest.mark.parametrize("name", sorted(MAPPED))
def test_the_mean_of_a_map_is_the_metric(name):
    estimate, reference, mask = pair()
    values = error_maps(estimate, reference, mask, WAVELENGTHS)[name]
    score = MAPPED[name](estimate, reference, mask, WAVELENGTHS)
    known = np.isfinite(values)
    assert known.sum() == score.weight
    assert not known[~mask].any()
    assert values[known].mean() == pytest.approx(score.value, rel=1e-9)


def test_one_pixel_has_the_error_that_one_computes_by_hand():
    reference = np.full((1, 1, 31), 0.5, dtype=np.float32)
    maps = error_maps(reference * np.float32(0.8), reference, np.ones((1, 1), dtype=bool), WAVELENGTHS)
    assert maps["rmse"][0, 0] == pytest.approx(25.5, rel=1e-6)
    assert maps["rrmse"][0, 0] == pytest.approx(0.2, rel=1e-6)
    assert maps["gfc"][0, 0] == pytest.approx(1.0)
    assert maps["sam"][0, 0] == pytest.approx(0.0, abs=1e-6)


def test_other_wavelengths_have_every_map_but_that_of_colours():
    estimate, reference, mask = pair()
    assert set(error_maps(estimate[..., :8], reference[..., :8], mask, WAVELENGTHS[:8])) == set(MAPPED) - {"de2000"}


def test_a_cube_on_the_grid_is_rendered_as_specrec_renders():
    cube = np.random.default_rng(4).random((5, 6, 31), dtype=np.float32)
    valid = np.ones((5, 6), dtype=bool)
    valid[2, 2] = False
    image, words = picture(cube, valid, WAVELENGTHS)
    np.testing.assert_array_equal(image[valid], render(cube)[valid])
    assert not image[2, 2].any()
    assert words == "sRGB under illuminant E"


def test_a_finer_grid_is_interpolated_and_a_narrow_one_is_false_colours():
    fine = np.arange(390.0, 711.0, 5.0)
    cube = np.broadcast_to(fine / 1000.0, (2, 2, fine.size)).astype(np.float32)
    found = on_standard_grid(cube, fine)
    assert found is not None
    np.testing.assert_allclose(found[0, 0], WAVELENGTHS / 1000.0, rtol=1e-6)
    narrow = np.array([700.0, 800.0, 900.0])
    assert on_standard_grid(cube[..., :3], narrow) is None
    assert "red, green, blue show 700, 700, 700 nm" in picture(cube[..., :3], np.ones((2, 2), bool), narrow)[1]


def test_counts_of_a_camera_are_made_visible_and_scaled_cubes_are_left_alone():
    cube = np.random.default_rng(5).random((20, 20, 31), dtype=np.float32)
    valid = np.ones((20, 20), dtype=bool)
    assert brightness([(cube, valid, WAVELENGTHS)]) == 1.0
    gain = brightness([(cube * np.float32(4095.0), valid, WAVELENGTHS)])
    assert 1 / 4095 < gain < 3 / 4095
