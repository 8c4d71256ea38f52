from itertools import product

import numpy as np
import pytest
from classical_scenes import check_parts, check_round_trip, photo, pixels_of, scene_of, smooth_scene

from specrec.errors import DataError, UsageError
from specrec.interfaces import FitContext
from specrec.rendering import decode_srgb, encode_srgb, srgb_to_xyz, xyz, xyz_weights
from specrec_classical.matrix_r import MatrixR, fundamentals

SETTINGS = [{}, {"degree": 2}, {"degree": 3, "signals": "srgb"}]
any_settings = pytest.mark.parametrize("settings", SETTINGS, ids=str)


@pytest.fixture(scope="module")
def scenes():
    return [smooth_scene(1), smooth_scene(2, height=280, width=300), smooth_scene(3)]


def fitted(scenes, **settings):
    return MatrixR(**settings).fit(scenes, FitContext())


def by_hand(scenes, image, signals="linear", degree=1):
    """The sum of the paper in its own matrices, with the terms in an order of their own."""

    def terms(encoded):
        values = decode_srgb(encoded) if signals == "linear" else np.asarray(encoded, dtype=np.float64)
        exponents = [e for e in product(range(degree + 1), repeat=3) if 1 <= sum(e) <= degree]
        return np.stack([np.prod(values**e, axis=-1) for e in exponents], axis=-1)

    _, _, spectra = pixels_of(scenes)
    encoded = np.concatenate([scene.rgb()[scene.mask] for scene in scenes])
    regression = np.linalg.lstsq(terms(encoded), spectra, rcond=None)[0]
    a = xyz_weights() / 100
    r = a @ np.linalg.inv(a.T @ a) @ a.T
    fundamental = srgb_to_xyz(image) @ (a @ np.linalg.inv(a.T @ a)).T
    return fundamental + terms(image) @ regression @ (np.eye(31) - r)


def test_the_matrix_r_is_a_projector_that_keeps_every_colour():
    stimuli, r = fundamentals()
    np.testing.assert_allclose(r @ r, r, atol=1e-13)
    np.testing.assert_allclose(r, r.T, atol=1e-15)
    spectra = np.random.default_rng(0).random((20, 31))
    np.testing.assert_allclose(xyz(spectra @ r), xyz(spectra), rtol=1e-12)
    np.testing.assert_allclose(xyz(spectra) / 100 @ stimuli, spectra @ r, atol=1e-12)


@any_settings
def test_it_equals_fundamental_stimulus_and_metameric_black_by_hand(scenes, settings):
    estimate = fitted(scenes, **settings).reconstruct(photo())
    np.testing.assert_allclose(estimate, by_hand(scenes, photo(), **settings), rtol=0, atol=2e-6)


@any_settings
def test_the_estimate_has_the_colour_of_its_pixel(scenes, settings):
    estimate = fitted(scenes, **settings).reconstruct(photo())
    np.testing.assert_allclose(xyz(estimate) / 100, srgb_to_xyz(photo()), rtol=0, atol=1e-6)


def test_the_metameric_black_has_no_colour(scenes):
    black = fitted(scenes, degree=3).black_
    assert np.abs(black).max() > 0.05
    np.testing.assert_allclose(xyz(black), 0.0, atol=1e-9)


def test_spectra_of_the_learnt_family_come_back():
    rng = np.random.default_rng(4)
    _, r = fundamentals()
    family = rng.random((3, 31)) / 40 + rng.normal(size=(3, 31)) @ (np.eye(31) - r) / 100
    family += 0.3 * np.eye(31)[[22, 14, 5]]  # so that the mixtures have colours of the gamut
    truth = rng.random((90, 90, 3)) @ family
    scene = scene_of(truth, scaling="none", quantisation="none")
    inside = (scene.rgb() > 0).all(-1) & (scene.rgb() < 1).all(-1)
    assert inside.mean() > 0.2
    scene = scene_of(truth, inside, scaling="none", quantisation="none")
    estimate = fitted([scene]).reconstruct(scene.rgb())
    np.testing.assert_allclose(estimate[inside], truth[inside], rtol=0, atol=1e-5)


def test_a_colour_outside_the_training_keeps_its_xyz_where_a_regression_does_not(scenes):
    dark = scene_of(0.3 * scenes[0].cube(), scenes[0].mask)
    colours = encode_srgb(np.full((1, 1, 3), 0.9)).astype(np.float32)
    method = fitted([dark], signals="srgb", degree=1)
    np.testing.assert_allclose(xyz(method.reconstruct(colours)) / 100, srgb_to_xyz(colours), atol=1e-6)


@any_settings
def test_an_image_in_parts_is_the_image_in_one(scenes, settings):
    check_parts(fitted(scenes[:1], **settings))


def test_state_comes_back_to_the_bit(scenes, tmp_path):
    check_round_trip(fitted(scenes[:1], degree=2), tmp_path)


def test_a_state_of_another_degree_is_refused(scenes):
    arrays, config = fitted(scenes[:1], degree=2).state()
    with pytest.raises(ValueError, match=r"black must be finite and of shape \(3, "):
        MatrixR.from_state({}, arrays, config)


def test_training_without_light_is_a_data_error():
    with pytest.raises(DataError, match="not black"):
        fitted([])
    with pytest.raises(DataError, match="not black"):
        fitted([scene_of(np.zeros((3, 3, 31)), scaling="none")])


def test_unknown_signals_and_degrees_are_refused():
    with pytest.raises(UsageError, match="signals"):
        MatrixR(signals="lab")
    with pytest.raises(UsageError, match="degree"):
        MatrixR(degree=4)
