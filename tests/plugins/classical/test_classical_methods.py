import numpy as np
import pytest
from classical_scenes import photo, pixels_of, scene_of, smooth_scene

from specrec.errors import DataError, UsageError
from specrec.interfaces import FitContext
from specrec.registry import registry
from specrec.rendering import decode_srgb, srgb_to_xyz
from specrec.scenes import TrainingScene
from specrec.spectra import WAVELENGTHS
from specrec_classical.linear import Linear
from specrec_classical.mean import Mean

both = pytest.mark.parametrize("kind", [Linear, Mean])


@pytest.fixture(scope="module")
def scenes():
    return [smooth_scene(1), smooth_scene(2, width=300, height=280), smooth_scene(3)]


def test_linear_equals_plain_least_squares(scenes):
    _, linear, spectra = pixels_of(scenes)
    assert len(linear) > 65536  # more than one block
    expected = np.linalg.lstsq(linear, spectra, rcond=None)[0]
    fitted = Linear().fit(scenes, FitContext())
    np.testing.assert_allclose(fitted.coefficients_, expected, rtol=0, atol=1e-9)
    estimate = fitted.reconstruct(photo())
    np.testing.assert_allclose(estimate, decode_srgb(photo()) @ expected, rtol=0, atol=1e-6)


def test_linear_equals_plain_least_squares_where_colours_are_nearly_grey():
    rng = np.random.default_rng(4)
    grey = rng.random((200, 200, 1)) * np.linspace(0.8, 1.0, 31)
    scene = scene_of((grey + 0.02 * rng.random((200, 200, 31))).astype(np.float32))
    _, linear, spectra = pixels_of([scene])
    expected = np.linalg.lstsq(linear, spectra, rcond=None)[0]
    np.testing.assert_allclose(Linear().fit([scene], FitContext()).coefficients_, expected, rtol=0, atol=1e-9)


def test_linear_takes_the_shortest_solution_where_all_colours_lie_on_a_line():
    cube = np.linspace(0, 1, 400).reshape(20, 20, 1) * np.linspace(0.2, 1.0, 31)
    scene = TrainingScene(scene_of(cube.astype(np.float32)).scene, quantisation="none")
    _, linear, spectra = pixels_of([scene])
    expected = np.linalg.lstsq(linear, spectra, rcond=1e-6)[0]
    np.testing.assert_allclose(Linear().fit([scene], FitContext()).coefficients_, expected, rtol=0, atol=1e-6)


def test_linear_recovers_a_linear_world_exactly():
    rng = np.random.default_rng(5)
    truth = rng.random((3, 31))
    truth /= truth.sum()
    colours = photo(6, levels=256)
    method = Linear.from_state({}, {"coefficients": truth}, {})
    np.testing.assert_allclose(method.reconstruct(colours), decode_srgb(colours) @ truth, atol=1e-7)


def test_mean_is_the_mean_spectrum_by_luminance(scenes):
    encoded, linear, spectra = pixels_of(scenes)
    luminance = srgb_to_xyz(encoded)[:, 1]
    expected = spectra.mean(axis=0) / luminance.mean()
    fitted = Mean().fit(scenes, FitContext())
    np.testing.assert_allclose(fitted.spectrum_, expected, rtol=1e-9)
    colours = photo()
    by_hand = srgb_to_xyz(colours)[..., 1:2] * expected
    np.testing.assert_allclose(fitted.reconstruct(colours), by_hand, rtol=1e-6, atol=1e-7)
    assert fitted.reconstruct(np.zeros((1, 1, 3), np.float32)).max() == 0.0
    assert len(linear) == len(spectra)


def test_linear_fits_its_training_pixels_better_than_mean(scenes):
    errors = {}
    for kind in (Linear, Mean):
        estimate = kind().fit(scenes, FitContext()).reconstruct(scenes[0].rgb())
        errors[kind] = np.square(estimate - scenes[0].cube())[scenes[0].mask].mean()
    assert errors[Linear] < 0.7 * errors[Mean]


@both
def test_invalid_pixels_teach_nothing(kind):
    scene = smooth_scene(7)
    fitted = kind().fit([scene], FitContext()).state()[0]
    cube = scene.scene.cube().copy()
    cube[~scene.mask] = 0.123
    again = kind().fit([scene_of(cube, scene.mask)], FitContext()).state()[0]
    for name, array in fitted.items():
        np.testing.assert_array_equal(again[name], array)


@both
def test_state_comes_back_to_the_bit(kind, scenes, tmp_path):
    from specrec.weights import load_file, make_card, save

    fitted = kind().fit(scenes[:1], FitContext())
    path = tmp_path / "weights.safetensors"
    save(fitted, path, make_card(fitted, wavelengths=WAVELENGTHS, scenes=["scene"], seed=0))
    loaded = load_file(path, fitted.name)
    for name, array in fitted.state()[0].items():
        np.testing.assert_array_equal(loaded.state()[0][name], array)
    np.testing.assert_array_equal(loaded.reconstruct(photo()), fitted.reconstruct(photo()))


@both
def test_an_image_in_parts_is_the_image_in_one(kind, scenes):
    fitted = kind().fit(scenes[:1], FitContext())
    colours = photo(8, height=130, width=97)
    whole = fitted.reconstruct(colours)
    np.testing.assert_array_equal(whole[:1], fitted.reconstruct(colours[:1]))
    np.testing.assert_array_equal(whole[5:111, 13:96], fitted.reconstruct(colours[5:111, 13:96]))
    np.testing.assert_array_equal(whole[77:78, 31:32], fitted.reconstruct(colours[77:78, 31:32]))
    repeated = np.tile(colours, (2, 1, 1))  # two pixels of every colour: each is coded once
    np.testing.assert_array_equal(fitted.reconstruct(repeated)[130:], whole)


@both
def test_a_refit_forgets_and_nothing_is_random(kind, scenes):
    method = kind().fit(scenes[1:], FitContext(seed=1))
    method.fit(scenes[:1], FitContext(seed=2))
    again = kind().fit(scenes[:1], FitContext(seed=3))
    np.testing.assert_array_equal(method.reconstruct(photo()), again.reconstruct(photo()))


@both
def test_before_fit_it_says_what_to_do(kind):
    with pytest.raises(UsageError, match="is not fitted; call fit or load weights first"):
        kind().reconstruct(photo())
    with pytest.raises(UsageError, match="is not fitted"):
        kind().state()


@both
def test_training_without_light_is_a_data_error(kind):
    with pytest.raises(DataError, match="not black"):
        kind().fit([], FitContext())
    black = TrainingScene(scene_of(np.zeros((3, 3, 31), dtype=np.float32)).scene, scaling="none")
    with pytest.raises(DataError, match="not black"):
        kind().fit([black], FitContext())


@both
def test_a_state_that_does_not_fit_is_refused(kind):
    (name,) = kind().fit([smooth_scene(9)], FitContext()).state()[0]
    with pytest.raises(ValueError, match="shape"):
        kind.from_state({}, {name: np.zeros((2, 2, 31))}, {})
    shape = (3, 31) if kind is Linear else (31,)
    with pytest.raises(ValueError, match="finite"):
        kind.from_state({}, {name: np.full(shape, np.nan)}, {})
    with pytest.raises(ValueError, match="wanted are the arrays"):
        kind.from_state({}, {}, {})


@both
def test_it_is_offered_with_its_summary_and_source_and_takes_no_parameters(kind):
    assert registry().reconstructor(kind.name) is kind
    assert kind.summary
    assert kind.reference
    with pytest.raises(UsageError, match="no parameter"):
        kind(alpha=1)


@both
def test_progress_names_the_scenes(kind, scenes):
    told = []
    kind().fit(scenes, FitContext(progress=lambda fraction, words: told.append((fraction, words))))
    assert told[0] == (0.0, "scene")
    assert told[-1][0] == 1.0
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)


def test_the_parameters_counted_are_the_numbers_learnt(scenes):
    assert Linear().fit(scenes[:1], FitContext()).parameter_count == 93
    assert Mean().fit(scenes[:1], FitContext()).parameter_count == 31
