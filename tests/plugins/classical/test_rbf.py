import numpy as np
import pytest
from classical_scenes import BUMPS, check_parts, check_round_trip, photo, pixels_of, scene_of, smooth_scene
from scipy.spatial.distance import cdist

from specrec.errors import DataError, UsageError
from specrec.interfaces import FitContext
from specrec.rendering import decode_srgb, xyz
from specrec_classical.rbf import RIDGES, Rbf
from specrec_classical.shades_of_grey import shade_of_grey

ALL = {"pixels_per_scene": 10000}


@pytest.fixture(scope="module")
def scenes():
    return [smooth_scene(seed, name=f"s{seed}") for seed in range(3)]


def fitted(scenes, seed=0, **settings):
    return Rbf(**settings).fit(scenes, FitContext(seed=seed))


def lit_scene(seed, light):
    """Random pale reflectances of three dimensions, so that a colour tells them, under a light of luminance 0.5."""
    reflectances = (0.3 + smooth_scene(seed, basis=BUMPS[:, ::2]).scene.cube()) / 2
    return scene_of(reflectances * light * 50 / xyz(light)[1], scaling="none", quantisation="none")


def design(colours, method):
    """The functions of the paper around the centres of a method, and a constant."""
    squares = cdist(colours.reshape(-1, 3) / method.light_, method.centres_, "sqeuclidean")
    width = cdist(method.centres_, method.centres_).max() / np.sqrt(2 * len(method.centres_))
    return np.hstack([np.exp(-squares / (2 * width**2)), np.ones((len(squares), 1))])


@pytest.mark.parametrize("balance", ["training", "none"])
def test_it_equals_plain_least_squares_on_the_same_functions(scenes, balance):
    method = fitted(scenes, white_balance=balance, ridge="1e-4", **ALL)
    assert method.centres_.shape == (45, 3)
    _, colours, spectra = pixels_of(scenes)
    functions = design(colours, method)
    damping = 1e-4 * len(functions) * np.diag([*[1.0] * 45, 0.0])
    expected = np.linalg.solve(functions.T @ functions + damping, functions.T @ spectra)
    np.testing.assert_allclose(method.weights_, expected, rtol=0, atol=1e-7)
    estimate = method.reconstruct(photo()).reshape(-1, 31)
    np.testing.assert_allclose(estimate, design(decode_srgb(photo()), method) @ expected, rtol=0, atol=1e-6)


def test_with_next_to_no_ridge_it_is_least_squares(scenes):
    method = fitted(scenes, centres=10, ridge="1e-20", **ALL)
    _, colours, spectra = pixels_of(scenes)
    expected = np.linalg.lstsq(design(colours, method), spectra, rcond=None)[0]
    np.testing.assert_allclose(method.weights_, expected, rtol=0, atol=1e-6)


def test_with_as_many_centres_as_distinct_colours_it_interpolates():
    cube = np.random.default_rng(3).random((5, 6, 5)) @ BUMPS.T
    scene = scene_of(cube)
    method = fitted([scene], ridge="1e-20")
    assert len(method.centres_) == 30
    np.testing.assert_allclose(method.reconstruct(scene.rgb()), scene.cube(), rtol=0, atol=1e-4)


def test_the_centres_are_those_of_k_means_over_the_balanced_pixels(scenes):
    method = fitted(scenes, centres=12, **ALL)
    colours = pixels_of(scenes)[1]
    np.testing.assert_allclose(method.light_, shade_of_grey(colours), rtol=1e-12)
    balanced = colours / method.light_
    nearest = cdist(balanced, method.centres_).argmin(axis=1)
    means = np.array([balanced[nearest == k].mean(axis=0) for k in range(12)])
    np.testing.assert_allclose(method.centres_, means, atol=0.01)


def test_the_ridge_is_the_best_on_held_out_scenes(scenes):
    method = fitted(scenes, **ALL)
    functions = [design(pixels_of([scene])[1], method) for scene in scenes]
    spectra = [pixels_of([scene])[2] for scene in scenes]
    errors = []
    for ridge in RIDGES:
        kept = np.vstack(functions[:2])
        damping = ridge * len(kept) * np.diag([*[1.0] * 45, 0.0])
        weights = np.linalg.solve(kept.T @ kept + damping, kept.T @ np.vstack(spectra[:2]))
        errors.append(np.square(functions[2] @ weights - spectra[2]).mean())
    assert method.ridge_ == RIDGES[int(np.argmin(errors))]


def test_shades_of_grey_is_the_minkowski_mean():
    pixels = np.random.default_rng(0).random((100_000, 3)) * [0.2, 0.5, 1.0]
    means = np.mean(pixels**6, axis=0) ** (1 / 6)
    np.testing.assert_allclose(shade_of_grey(pixels), means / means.mean(), rtol=1e-12)
    np.testing.assert_array_equal(shade_of_grey(np.zeros((4, 3))), 1.0)
    assert shade_of_grey(np.array([[1.0, 0.0, 0.0]])).min() == 0.01


def test_balanced_by_its_image_it_follows_a_light_between_those_it_learnt():
    """Trained under two lights; under their mean the image's own light helps, and that of the training cannot."""
    reddish, bluish, between = (1 + slope * np.linspace(-1, 1, 31) for slope in (0.5, -0.5, 0.0))
    training = [lit_scene(seed, light) for seed in range(3) for light in (reddish, bluish)]
    test = lit_scene(9, between)
    errors = {}
    for balance in ("image", "training"):
        estimate = fitted(training, white_balance=balance).reconstruct(test.rgb())
        errors[balance] = np.sqrt(np.square(estimate - test.cube())[test.mask].mean())
    assert errors["image"] < 0.5 * errors["training"]


def test_balanced_by_its_image_it_equals_the_steps_by_hand(scenes):
    method = fitted(scenes, white_balance="image")
    light = shade_of_grey(decode_srgb(photo()).reshape(-1, 3))
    squares = cdist(decode_srgb(photo()).reshape(-1, 3) / light, method.centres_, "sqeuclidean")
    functions = np.hstack([np.exp(-squares / (2 * method.width_**2)), np.ones((len(squares), 1))])
    expected = (functions @ method.weights_) * (light @ method.lights_)
    np.testing.assert_allclose(method.reconstruct(photo()).reshape(-1, 31), expected, rtol=0, atol=1e-6)


def test_balanced_by_its_image_it_declares_that_it_sees_all_of_it(scenes):
    method = fitted(scenes, white_balance="image")
    assert method.receptive_field is None
    assert not method.tiles_exactly
    changed = photo()
    changed[0, 0] = [1, 0, 0]
    assert (method.reconstruct(changed) != method.reconstruct(photo()))[5:].any()
    assert Rbf().receptive_field == 1
    assert Rbf().tiles_exactly


def test_a_reconstruction_does_not_change_the_method(scenes):
    method = fitted(scenes, white_balance="image")
    first = method.reconstruct(photo(1))
    method.reconstruct(photo(2) * np.float32([1, 0.5, 0.2]))
    np.testing.assert_array_equal(method.reconstruct(photo(1)), first)


def test_before_fit_it_says_what_to_do():
    with pytest.raises(UsageError, match="rbf is not fitted; call fit or load weights first"):
        Rbf(white_balance="image").reconstruct(photo())


def test_an_image_in_parts_is_the_image_in_one(scenes):
    check_parts(fitted(scenes))


@pytest.mark.parametrize("balance", ["training", "image", "none"])
def test_state_comes_back_to_the_bit(scenes, balance, tmp_path):
    check_round_trip(fitted(scenes, white_balance=balance), tmp_path)


def test_a_state_that_does_not_fit_is_refused(scenes):
    arrays, config = fitted(scenes).state()
    with pytest.raises(ValueError, match="of every centre and of the constant"):
        Rbf.from_state({}, {**arrays, "weights": arrays["weights"][:-1]}, config)
    with pytest.raises(ValueError, match="wanted are the arrays"):
        Rbf.from_state({"white_balance": "image"}, arrays, config)


def test_the_same_seed_gives_the_same_bits_and_another_another(scenes):
    one, again, other = fitted(scenes, 1), fitted(scenes, 1), fitted(scenes, 2)
    np.testing.assert_array_equal(one.weights_, again.weights_)
    assert not np.array_equal(one.centres_, other.centres_)


def test_one_colour_is_enough():
    method = fitted([scene_of(np.linspace(0, 1, 31).reshape(1, 1, 31))])
    assert np.isfinite(method.reconstruct(photo())).all()
    assert method.width_ == 1


def test_training_without_light_or_scenes_is_a_data_error():
    with pytest.raises(DataError, match="no scenes"):
        fitted([])
    with pytest.raises(DataError, match="all black"):
        fitted([scene_of(np.zeros((3, 3, 31)), scaling="none")])


@pytest.mark.parametrize("words", ["much", "0", "-1"])
def test_a_ridge_that_is_no_number_above_zero_is_refused(words):
    with pytest.raises(UsageError, match=r"rbf\[ridge\] is auto or a number above 0"):
        Rbf(ridge=words)
