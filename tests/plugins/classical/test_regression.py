"""`polynomial` and `root-polynomial`, and the ridge that they choose."""

import numpy as np
import pytest
from classical_scenes import photo, pixels_of, scene_of, smooth_scene

from specrec.errors import DataError, UsageError
from specrec.interfaces import FitContext
from specrec.registry import registry
from specrec.rendering import decode_srgb
from specrec.scenes import TrainingScene
from specrec.spectra import WAVELENGTHS
from specrec_classical.linear import Linear
from specrec_classical.polynomial import Polynomial
from specrec_classical.regression import RIDGES
from specrec_classical.root_polynomial import RootPolynomial
from specrec_classical.terms import expand, monomials, root_monomials

both = pytest.mark.parametrize("kind", [Polynomial, RootPolynomial])


@pytest.fixture(scope="module")
def scenes():
    return [smooth_scene(seed, name=f"scene{seed}") for seed in range(7)]


def matrix_of(method, scenes):
    """All terms of all valid pixels at once, and their spectra."""
    encoded, linear, spectra = pixels_of(scenes)
    degree = method.settings["degree"]
    if isinstance(method, RootPolynomial):
        return expand(linear, root_monomials(degree)), spectra
    return expand(linear if method.settings["values"] == "linear" else encoded, monomials(degree)), spectra


@both
@pytest.mark.parametrize("degree", [1, 2, 4])
def test_without_a_ridge_it_is_plain_least_squares(kind, degree, scenes):
    method = kind(degree=degree, ridge="0").fit(scenes, FitContext())
    rows, spectra = matrix_of(method, scenes)
    expected = np.linalg.lstsq(rows, spectra, rcond=None)[0]
    np.testing.assert_allclose(rows @ method.coefficients_, rows @ expected, rtol=0, atol=1e-9)
    tolerance = 1e-14 * np.linalg.cond(rows) * np.abs(expected).max()
    np.testing.assert_allclose(method.coefficients_, expected, rtol=0, atol=tolerance)


def test_degree_6_keeps_to_the_plain_solution_too(scenes):
    method = Polynomial(degree=6, ridge=0).fit(scenes, FitContext())
    rows, spectra = matrix_of(method, scenes)
    expected = np.linalg.lstsq(rows, spectra, rcond=None)[0]
    np.testing.assert_allclose(rows @ method.coefficients_, rows @ expected, rtol=0, atol=1e-8)


def test_a_polynomial_of_degree_1_in_linear_values_is_linear(scenes):
    method = Polynomial(degree=1, values="linear", ridge="0").fit(scenes, FitContext())
    linear = Linear().fit(scenes, FitContext())
    np.testing.assert_allclose(method.coefficients_, linear.coefficients_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(method.reconstruct(photo()), linear.reconstruct(photo()), rtol=0, atol=1e-6)
    roots = RootPolynomial(degree=1, ridge="0").fit(scenes, FitContext())
    np.testing.assert_array_equal(roots.coefficients_, method.coefficients_)


@both
def test_a_given_ridge_is_used_and_kept(kind, scenes):
    method = kind(degree=3, ridge=0.01).fit(scenes, FitContext())
    rows, spectra = matrix_of(method, scenes)
    scale = np.sqrt(np.square(rows).mean(axis=0))
    scaled = rows / scale
    gram = scaled.T @ scaled / len(rows) + 0.01 * np.eye(rows.shape[1])
    expected = np.linalg.solve(gram, scaled.T @ spectra / len(rows)) / scale[:, np.newaxis]
    np.testing.assert_allclose(method.coefficients_, expected, rtol=1e-8, atol=1e-10)
    assert method.state()[1] == {"ridge": 0.01}


def ridge_by_hand(method, scenes):
    """Every fifth scene is held out in turn; the least product of squared errors wins."""
    logarithms = np.zeros(len(RIDGES))
    for part in range(5):
        held = [scene for number, scene in enumerate(scenes) if number % 5 == part]
        rest = [scene for scene in scenes if scene not in held]
        if not held:
            continue
        rows, spectra = matrix_of(method, rest)
        others, their_spectra = matrix_of(method, held)
        scale = np.sqrt(np.square(rows).mean(axis=0))
        for index, ridge in enumerate(RIDGES):
            damping = np.sqrt(ridge * len(rows)) * np.diag(scale)
            solution = np.linalg.lstsq(
                np.vstack([rows, damping]), np.vstack([spectra, np.zeros((rows.shape[1], 31))]), rcond=None
            )[0]
            logarithms[index] += np.log(np.square(others @ solution - their_spectra).sum())
    return RIDGES[int(np.argmin(logarithms))]


def noisy_scene(seed):
    """Few colours and much noise: what a large ridge is good for."""
    rng = np.random.default_rng(seed)
    means = np.exp(-(((WAVELENGTHS - rng.uniform(420, 680, (6, 1))) / 60) ** 2))
    cube = means[rng.integers(0, 6, (7, 6))] * rng.uniform(0.2, 1.0, (7, 6, 1)) + 0.1 * rng.random((7, 6, 31))
    return TrainingScene(scene_of(cube.astype(np.float32), name=f"noisy{seed}").scene, quantisation="none")


@both
@pytest.mark.parametrize("count", [2, 4, 7])
def test_the_ridge_is_that_which_carries_over_to_scenes_held_out(kind, count):
    scenes = [noisy_scene(seed) for seed in range(count)]
    method = kind(degree=3).fit(scenes, FitContext())
    assert method.ridge_ == ridge_by_hand(method, scenes)
    assert method.ridge_ > 0.0 or count == 7
    again = kind(degree=3, ridge=method.ridge_).fit(scenes, FitContext())
    np.testing.assert_array_equal(again.coefficients_, method.coefficients_)


@both
def test_one_scene_is_held_out_in_strips(kind):
    scene = smooth_scene(1)
    method = kind().fit([scene], FitContext())
    assert method.ridge_ in RIDGES
    rows, spectra = matrix_of(method, [scene])
    plain = np.linalg.lstsq(rows, spectra, rcond=None)[0]
    assert np.square(rows @ (method.coefficients_ - plain)).mean() < 1e-3


@both
def test_one_row_of_pixels_leaves_nothing_to_hold_out(kind):
    method = kind().fit([smooth_scene(1, height=1, width=200)], FitContext())
    assert method.ridge_ == 0.0


def test_a_world_of_cubes_is_recovered_by_degree_3_alone():
    truth = np.random.default_rng(0).random((19, 31)) / 10
    method = Polynomial.from_state({"degree": 3}, {"coefficients": truth}, {"ridge": 0.0})
    expected = expand(photo().reshape(-1, 3).astype(np.float64), monomials(3)) @ truth
    np.testing.assert_allclose(method.reconstruct(photo()).reshape(-1, 31), expected, atol=1e-6)


def test_a_change_of_exposure_changes_the_scale_alone(scenes):
    method = RootPolynomial().fit(scenes, FitContext())
    bright = np.full((1, 1, 3), [0.9, 0.6, 0.7], np.float32)
    dark = bright.copy()
    dark[...] = ((decode_srgb(bright) / 4) ** (1 / 2.4) * 1.055 - 0.055).astype(np.float32)
    np.testing.assert_allclose(4 * method.reconstruct(dark), method.reconstruct(bright), rtol=1e-4, atol=1e-6)
    assert not method.reconstruct(np.zeros((1, 1, 3), np.float32)).any()
    other = Polynomial().fit(scenes, FitContext())
    assert np.abs(4 * other.reconstruct(dark) - other.reconstruct(bright)).max() > 0.01


@both
def test_more_terms_fit_the_training_pixels_better(kind, scenes):
    rows = []
    for degree in (1, 2, 4):
        estimate = kind(degree=degree, ridge=0).fit(scenes[:1], FitContext()).reconstruct(scenes[0].rgb())
        rows.append(np.square(estimate - scenes[0].cube())[scenes[0].mask].mean())
    assert rows == sorted(rows, reverse=True)


@both
def test_ridges_that_are_none_are_refused_before_any_work(kind):
    for ridge in ("-1", "nan", "inf", "much", -0.5):
        with pytest.raises(UsageError, match=rf"{kind.name}\[ridge\] is auto or a number of at least 0, not"):
            kind(ridge=ridge)
    with pytest.raises(UsageError, match="degree"):
        kind(degree=7)


@both
def test_it_is_offered_under_its_name_with_its_terms(kind, scenes):
    assert registry().reconstructor(kind.name) is kind
    counts = {Polynomial: [3, 9, 19, 34, 55, 83], RootPolynomial: [3, 6, 13, 22, 40, 55]}[kind]
    assert [len(kind(degree=degree).terms()) for degree in range(1, 7)] == counts
    assert kind(degree=2).fit(scenes[:1], FitContext()).parameter_count == 31 * counts[1]


@both
def test_training_without_light_is_a_data_error(kind):
    black = TrainingScene(scene_of(np.zeros((3, 3, 31), dtype=np.float32)).scene, scaling="none")
    for scenes in ([], [black]):
        with pytest.raises(DataError, match=f"{kind.name} needs training pixels that are not black"):
            kind().fit(scenes, FitContext())


@both
def test_a_state_that_does_not_fit_is_refused(kind, scenes):
    arrays, config = kind(degree=2).fit(scenes[:1], FitContext()).state()
    assert kind.from_state({"degree": 2}, arrays, config).state()[1] == config
    with pytest.raises(ValueError, match="coefficients must be finite and of shape"):
        kind.from_state({"degree": 3}, arrays, config)
