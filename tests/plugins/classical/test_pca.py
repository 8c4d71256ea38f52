import numpy as np
import pytest
from classical_scenes import photo, pixels_of, scene_of, smooth_scene

from specrec.errors import DataError
from specrec.interfaces import FitContext
from specrec.registry import registry
from specrec.rendering import XYZ_TO_RGB, decode_srgb, xyz
from specrec.scenes import TrainingScene
from specrec_classical.pca import Pca

centred = pytest.mark.parametrize("centred", [False, True])


@pytest.fixture(scope="module")
def scenes():
    return [smooth_scene(1), smooth_scene(2, width=300, height=280)]


def by_hand(scenes, centred, colours):
    """The weights of the three components that solve for each pixel's linear RGB, one pixel after the other."""
    _, _, spectra = pixels_of(scenes)
    mean = spectra.mean(axis=0) if centred else np.zeros(31)
    components = np.linalg.svd(spectra - mean, full_matrices=False)[2][:3]
    to_rgb = xyz(np.eye(31)) / 100 @ XYZ_TO_RGB.T
    estimates = []
    for pixel in decode_srgb(colours).reshape(-1, 3):
        weights = np.linalg.solve((components @ to_rgb).T, pixel - mean @ to_rgb)
        estimates.append(mean + weights @ components)
    return np.reshape(estimates, (*colours.shape[:2], 31))


@centred
def test_components_of_all_pixels_at_once_give_the_same_estimate(centred, scenes):
    colours = photo(3, 7, 5)
    estimate = Pca(centred=centred).fit(scenes, FitContext()).reconstruct(colours)
    np.testing.assert_allclose(estimate, by_hand(scenes, centred, colours), rtol=1e-5, atol=1e-6)


@centred
def test_the_estimate_has_the_colour_of_the_pixel(centred, scenes):
    colours = photo(4)
    estimate = Pca(centred=centred).fit(scenes, FitContext()).reconstruct(colours)
    np.testing.assert_allclose(xyz(estimate) / 100 @ XYZ_TO_RGB.T, decode_srgb(colours), rtol=0, atol=1e-6)


def test_a_world_of_three_spectra_is_recovered():
    rng = np.random.default_rng(5)
    base = smooth_scene(6).scene.cube()[:1, :3].reshape(3, 31)
    cube = (rng.random((40, 30, 3)) @ base / 3).astype(np.float32)
    scene = TrainingScene(scene_of(cube).scene, scaling="none", quantisation="none")
    estimate = Pca().fit([scene], FitContext()).reconstruct(scene.rgb())
    np.testing.assert_allclose(estimate, cube, rtol=0, atol=1e-3)


def test_around_black_twice_the_light_is_twice_the_spectrum(scenes):
    method = Pca().fit(scenes, FitContext())
    assert not method.reconstruct(np.zeros((1, 1, 3), np.float32)).any()
    mean = Pca(centred=True).fit(scenes, FitContext())
    black = mean.reconstruct(np.zeros((1, 1, 3), np.float32))
    assert np.abs(black).max() > 1e-3
    np.testing.assert_allclose(xyz(black), 0.0, atol=1e-4)


def test_invalid_pixels_teach_nothing(scenes):
    cube = scenes[0].scene.cube().copy()
    cube[~scenes[0].mask] = 0.123
    again = Pca().fit([scene_of(cube, scenes[0].mask)], FitContext()).coefficients_
    np.testing.assert_array_equal(again, Pca().fit(scenes[:1], FitContext()).coefficients_)


def test_fewer_than_three_spectra_are_a_data_error():
    rng = np.random.default_rng(7)
    grey = rng.random((9, 9, 1)) * np.ones(31)
    for cube in (grey, grey + rng.random((9, 9, 1)) * np.linspace(0, 1, 31)):
        with pytest.raises(DataError, match="three independent training spectra"):
            Pca().fit([TrainingScene(scene_of(cube.astype(np.float64)).scene)], FitContext())
    with pytest.raises(DataError, match="three independent training spectra"):
        Pca().fit([], FitContext())


def test_components_whose_colours_lie_in_a_plane_are_a_data_error():
    blacks = np.linalg.svd(xyz(np.eye(31)).T)[2][3:5]  # two spectra without colour
    cube = np.random.default_rng(8).random((9, 9, 3)) @ np.vstack([np.ones(31), blacks])
    scene = TrainingScene(scene_of(cube).scene, scaling="none")
    with pytest.raises(DataError, match="lie in a plane"):
        Pca().fit([scene], FitContext())


def test_it_is_offered_and_counts_what_it_learns(scenes):
    assert registry().reconstructor("pca") is Pca
    method = Pca().fit(scenes, FitContext())
    assert method.parameter_count == 4 * 31
    again = Pca.from_state({}, *method.state())
    np.testing.assert_array_equal(again.reconstruct(photo()), method.reconstruct(photo()))
    with pytest.raises(ValueError, match="constant must be finite and of shape"):
        Pca.from_state({}, {"coefficients": np.ones((3, 31)), "constant": np.ones(30)}, {})
