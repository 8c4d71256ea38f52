import numpy as np
import pytest
from classical_scenes import check_parts, check_round_trip, photo, pixels_of, scene_of, smooth_scene
from sklearn.kernel_ridge import KernelRidge

from specrec.errors import DataError, UsageError
from specrec.interfaces import FitContext
from specrec.rendering import decode_srgb, encode_srgb
from specrec_classical.kernel import RIDGES, WIDTHS, Kernel

GAUSSIAN = {"width": "0.3", "ridge": "0.01"}
CUBIC = {"kernel": "polynomial", "ridge": "0.01"}


@pytest.fixture(scope="module")
def scenes():
    return [smooth_scene(seed, name=f"s{seed}") for seed in range(3)]


def fitted(scenes, seed=0, **settings):
    return Kernel(**settings).fit(scenes, FitContext(seed=seed))


def all_colours(scenes):
    """Every distinct training colour and the mean of its spectra, one by one."""
    found = {}
    for scene in scenes:
        for colour, spectrum in zip(scene.rgb()[scene.mask], scene.cube()[scene.mask], strict=True):
            found.setdefault(tuple(colour), []).append(spectrum.astype(np.float64))
    return decode_srgb(list(found)), np.array([np.mean(spectra, axis=0) for spectra in found.values()])


@pytest.mark.parametrize("settings", [GAUSSIAN, CUBIC], ids=["gaussian", "polynomial"])
def test_it_equals_a_dense_solve_and_the_regression_of_scikit_learn(settings):
    coarse = [smooth_scene(seed, height=20, width=20) for seed in range(2)]
    method = fitted(coarse, **settings, pixels_per_scene=400, colours=1000)
    colours, spectra = all_colours(coarse)
    assert len(method.centres_) == len(colours)
    distances = np.linalg.norm(colours[:, np.newaxis] - colours, axis=-1)
    gram = np.exp(-(distances**2) / (2 * 0.3**2)) if settings is GAUSSIAN else (colours @ colours.T + 1) ** 3
    weights = np.linalg.solve(gram + 0.01 * np.eye(len(gram)), spectra)
    rest = np.linalg.norm(decode_srgb(photo())[..., np.newaxis, :] - colours, axis=-1)
    other = np.exp(-(rest**2) / (2 * 0.3**2)) if settings is GAUSSIAN else (decode_srgb(photo()) @ colours.T + 1) ** 3
    estimate = method.reconstruct(photo())
    np.testing.assert_allclose(estimate, other @ weights, rtol=0, atol=1e-6)
    kind = {"kernel": "rbf", "gamma": 1 / (2 * 0.3**2)} if settings is GAUSSIAN else {"kernel": "poly", "gamma": 1}
    theirs = KernelRidge(alpha=0.01, degree=3, coef0=1, **kind).fit(colours, spectra)
    predicted = theirs.predict(decode_srgb(photo()).reshape(-1, 3)).reshape(*photo().shape[:2], 31)
    np.testing.assert_allclose(estimate, predicted, rtol=0, atol=1e-6)


def test_with_a_tiny_ridge_it_interpolates_the_mean_spectra_of_the_training_colours():
    coarse = smooth_scene(5, height=12, width=12)
    colours, spectra = all_colours([coarse])
    method = fitted([coarse], width="0.05", ridge="1e-9")
    encoded = np.rint(encode_srgb(colours) * 255).astype(np.float32)[np.newaxis] / np.float32(255)
    np.testing.assert_allclose(method.reconstruct(encoded)[0], spectra, rtol=0, atol=1e-5)


def test_no_colour_has_two_kernels_and_there_are_no_more_than_asked_for(scenes):
    method = fitted(scenes, **GAUSSIAN, colours=200)
    assert method.centres_.shape == (200, 3)
    assert len(np.unique(method.centres_, axis=0)) == 200
    assert method.parameter_count == 200 * 34


def test_width_and_ridge_are_the_best_on_held_out_scenes(scenes):
    """The third of three scenes is held out: fitted to the other two, no candidate does better on its pixels."""
    whole = {"pixels_per_scene": 3000, "colours": 10000}
    small = [smooth_scene(seed, height=16, width=16, name=f"s{seed}") for seed in range(3)]
    chosen = fitted(small, **whole)
    _, _, spectra = pixels_of(small[2:])
    errors = {}
    for width in WIDTHS:
        for ridge in RIDGES:
            method = fitted(small[:2], width=str(width), ridge=str(ridge), **whole)
            estimate = method.reconstruct(small[2].rgb())[small[2].mask]
            errors[width, ridge] = np.square(estimate - spectra).mean()
    best = min(errors.values())
    assert errors[chosen.width_, chosen.ridge_] <= best * (1 + 1e-3)
    assert max(errors.values()) > 1.2 * best
    again = fitted(small, width=str(chosen.width_), ridge=str(chosen.ridge_), **whole)
    np.testing.assert_allclose(again.reconstruct(photo()), chosen.reconstruct(photo()), atol=1e-6)


def test_one_given_hyper_parameter_leaves_the_other_to_be_chosen(scenes):
    method = fitted(scenes, width="0.45", colours=100)
    assert method.width_ == 0.45
    assert method.ridge_ in RIDGES
    polynomial = fitted(scenes, kernel="polynomial", colours=100)
    assert polynomial.width_ == 0
    assert polynomial.ridge_ in RIDGES


def test_one_scene_is_enough():
    method = fitted([smooth_scene(3)], colours=100)
    assert method.width_ in WIDTHS
    single = fitted([scene_of(np.linspace(0, 1, 31).reshape(1, 1, 31))])
    assert np.isfinite(single.reconstruct(photo())).all()


def test_masked_pixels_teach_nothing(scenes):
    cube = scenes[0].scene.cube().copy()
    cube[~scenes[0].mask] = 0.123
    other = fitted([scene_of(cube, scenes[0].mask)], **GAUSSIAN)
    np.testing.assert_array_equal(other.weights_, fitted(scenes[:1], **GAUSSIAN).weights_)


@pytest.mark.parametrize("settings", [GAUSSIAN, {**CUBIC, "degree": 4}], ids=["gaussian", "polynomial"])
def test_an_image_in_parts_is_the_image_in_one(scenes, settings):
    check_parts(fitted(scenes, **settings))


@pytest.mark.parametrize("settings", [GAUSSIAN, CUBIC], ids=["gaussian", "polynomial"])
def test_state_comes_back_to_the_bit(scenes, settings, tmp_path):
    check_round_trip(fitted(scenes, **settings), tmp_path)


def test_a_state_that_does_not_fit_is_refused(scenes):
    arrays, config = fitted(scenes, **GAUSSIAN).state()
    with pytest.raises(ValueError, match="weights must be finite"):
        Kernel.from_state({}, {**arrays, "weights": arrays["weights"][:-1]}, config)
    with pytest.raises(KeyError):
        Kernel.from_state({}, arrays, {})


@pytest.mark.parametrize("words", ["wide", "0", "-1", "nan", "inf"])
@pytest.mark.parametrize("name", ["width", "ridge"])
def test_what_is_no_number_above_zero_is_refused(name, words):
    with pytest.raises(UsageError, match=rf"kernel\[{name}\] is auto or a number above 0, not '{words}'"):
        Kernel(**{name: words})


def test_training_without_light_or_scenes_is_a_data_error():
    with pytest.raises(DataError, match="no scenes"):
        fitted([])
    with pytest.raises(DataError, match="all black"):
        fitted([scene_of(np.zeros((3, 3, 31)), scaling="none")])


def test_an_8_bit_colour_among_others_has_the_kernels_of_one_among_its_like(scenes):
    method = fitted(scenes, **GAUSSIAN, colours=200)
    mixed = photo(3)
    mixed[::2] += np.float32(1e-4)
    whole = method.reconstruct(mixed)
    np.testing.assert_array_equal(whole[1::2], method.reconstruct(photo(3))[1::2])
    np.testing.assert_array_equal(whole[::2], method.reconstruct(mixed[::2]))
    direct = np.exp(-(np.linalg.norm(decode_srgb(mixed)[:, :, np.newaxis] - method.centres_, axis=-1) ** 2) / 0.18)
    np.testing.assert_allclose(whole, direct @ method.weights_, rtol=0, atol=1e-6)


def test_a_width_that_leaves_no_numbers_is_refused_before_anything_is_kept(scenes):
    method = Kernel(width="1e-200", ridge="0.1", colours=20)
    with np.errstate(all="ignore"), pytest.raises(DataError, match="no solution with width 1e-200"):
        method.fit(scenes, FitContext())


def test_kernels_that_are_all_alike_are_refused_in_one_sentence(scenes):
    with pytest.raises(DataError, match="raise the ridge"):
        Kernel(width="1e9", ridge="1e-300", colours=20).fit(scenes, FitContext())
