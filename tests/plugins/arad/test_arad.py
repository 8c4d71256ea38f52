"""The method `arad`: its dictionaries, its contract, and what it never does."""

import multiprocessing
import subprocess
import sys

import numpy as np
import pytest
from specrec.errors import DataError, UsageError
from specrec.interfaces import FitContext
from specrec.rendering import encode_srgb, xyz, xyz_weights
from specrec.scenes import Scene, TrainingScene
from specrec.spectra import WAVELENGTHS

from specrec_arad.dictionary import learn_atoms, pair_with_colours
from specrec_arad.method import Arad

SMALL = {"atoms": 40, "pixels_per_scene": 120, "batch": 64, "training_sparsity": 6}


def smooth_spectra(rng, count):
    """Positive spectra of low rank: a few broad bumps."""
    centres = np.linspace(400.0, 700.0, 8)
    bumps = np.exp(-0.5 * ((WAVELENGTHS - centres[:, np.newaxis]) / 40.0) ** 2)
    return rng.uniform(0.0, 1.0, (count, 8)) @ bumps


def make_scene(name, seed, kind="srgb8", shape=(24, 20), mask=None):
    cube = smooth_spectra(np.random.default_rng(seed), shape[0] * shape[1]).reshape(*shape, 31).astype(np.float32)
    scene = Scene(
        name=name,
        shape=cube.shape,
        wavelengths=WAVELENGTHS,
        quantity="radiance",
        provenance="made for a test",
        read=lambda window: cube if window is None else cube[window.slices],
        read_mask=None if mask is None else lambda: mask,
    )
    return TrainingScene(scene, input=kind)


def make_scenes(kind="srgb8"):
    return [make_scene(f"scene {seed}", seed, kind) for seed in (1, 2)]


@pytest.fixture(scope="module")
def scenes():
    return make_scenes()


@pytest.fixture(scope="module")
def fitted(scenes):
    pytest.importorskip("spams")
    return Arad(**SMALL).fit(scenes, FitContext(seed=3))


def by_hand(atoms=12, **settings):
    """A fitted method that needs no SPAMS."""
    spectral, colours = pair_with_colours(smooth_spectra(np.random.default_rng(5), atoms))
    return Arad.from_state({"atoms": atoms, **settings}, {"spectral_atoms": spectral, "colour_atoms": colours}, {})


# learning


def test_the_same_seed_learns_the_same_dictionary_to_the_bit(scenes, fitted):
    again = Arad(**SMALL).fit(scenes, FitContext(seed=3))
    other = Arad(**SMALL).fit(scenes, FitContext(seed=4))
    assert again.spectral_atoms_.tobytes() == fitted.spectral_atoms_.tobytes()
    assert again.colour_atoms_.tobytes() == fitted.colour_atoms_.tobytes()
    assert other.spectral_atoms_.tobytes() != fitted.spectral_atoms_.tobytes()


def test_the_number_of_threads_changes_no_bit(scenes, fitted):
    again = Arad(**SMALL).fit(scenes, FitContext(seed=3, threads=2))
    assert again.spectral_atoms_.tobytes() == fitted.spectral_atoms_.tobytes()


def test_a_second_fit_forgets_the_first(scenes, fitted):
    method = Arad(**SMALL).fit([make_scene("another", 9)], FitContext(seed=8))
    assert method.fit(scenes, FitContext(seed=3)) is method
    assert method.spectral_atoms_.tobytes() == fitted.spectral_atoms_.tobytes()


def test_spams_is_called_as_documented(monkeypatch):
    spams = pytest.importorskip("spams")
    calls = []

    def record(signals, **options):
        calls.append((signals, options))
        return options["D"]

    monkeypatch.setattr(spams, "trainDL", record)
    many = [make_scene(f"scene {seed}", seed, shape=(40, 40)) for seed in (1, 2)]
    method = Arad().fit(many, FitContext(seed=1))
    ((signals, options),) = calls
    initial = options.pop("D")
    assert options == {"mode": 3, "lambda1": 28, "batchsize": 512, "iter": 20, "numThreads": 1, "verbose": False}
    assert signals.shape == (31, 2000)
    assert initial.shape == (31, 500)
    for array in (signals, initial):
        assert array.dtype == np.float64
        assert array.flags.f_contiguous
    np.testing.assert_allclose(np.linalg.norm(initial, axis=0), 1.0, rtol=1e-12)
    directions = signals / np.linalg.norm(signals, axis=0)
    nearest = (directions.T @ initial).argmax(axis=0)  # every atom starts as one of the pixels, none twice
    np.testing.assert_allclose(directions[:, nearest], initial, atol=1e-12)
    assert len(set(nearest)) == 500
    assert method.parameter_count == 500 * 31


def test_black_pixels_are_no_atoms_and_teach_nothing():
    pytest.importorskip("spams")
    spectra = smooth_spectra(np.random.default_rng(1), 60)
    options = {"atoms": 20, "sparsity": 4, "iterations": 2, "batch": 16}
    with_black = np.insert(spectra, [0, 30, 60], 0.0, axis=0)
    first, second = (learn_atoms(values, np.random.default_rng(2), **options) for values in (spectra, with_black))
    assert first.tobytes() == second.tobytes()
    assert (np.linalg.norm(first, axis=1) > 0.5).all()


def test_fewer_usable_pixels_than_atoms_are_reported():
    spectra = np.zeros((50, 31))
    spectra[:30] = smooth_spectra(np.random.default_rng(1), 30)
    with pytest.raises(DataError, match="30 for 40"):
        learn_atoms(spectra, np.random.default_rng(0), atoms=40, sparsity=4, iterations=1, batch=16)


def test_a_dictionary_with_nan_is_an_error(monkeypatch, scenes):
    spams = pytest.importorskip("spams")
    monkeypatch.setattr(spams, "trainDL", lambda _signals, **options: options["D"] * np.nan)
    with pytest.raises(DataError, match="NaN"):
        Arad(**SMALL).fit(scenes, FitContext())


def test_masked_pixels_are_never_learnt_from():
    pytest.importorskip("spams")
    mask = np.zeros((24, 20), dtype=bool)
    mask[:8] = True
    other = make_scene("other", 4, mask=mask)
    poisoned = make_scene("other", 4, mask=mask).scene.cube().copy()
    poisoned[8:] = 1e6
    scene = Scene(**{**vars(other.scene), "read": lambda _window: poisoned})
    methods = [Arad(**SMALL).fit([one], FitContext()) for one in (other, TrainingScene(scene))]
    assert methods[0].spectral_atoms_.tobytes() == methods[1].spectral_atoms_.tobytes()


@pytest.mark.skipif(sys.platform == "win32", reason="the C library has another name there")
def test_learning_prints_nothing():
    pytest.importorskip("spams")
    program = (
        "import numpy as np, spams, ctypes\n"
        "from specrec_arad import dictionary\n"
        "learn = spams.trainDL\n"
        "def noisy(*given, **options):\n"
        "    ctypes.CDLL(None).puts(b'from C')\n"
        "    print('from Python')\n"
        "    return learn(*given, **{**options, 'verbose': True})\n"
        "spams.trainDL = noisy\n"
        "print('before')\n"
        "spectra = np.random.default_rng(0).uniform(0, 1, (60, 31))\n"
        "options = dict(atoms=20, sparsity=4, iterations=2, batch=16)\n"
        "dictionary.learn_atoms(spectra, np.random.default_rng(1), **options)\n"
        "print('after')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["before", "after"]


# the two dictionaries


def test_colour_atoms_are_the_response_of_the_spectral_atoms_and_of_unit_length(fitted):
    np.testing.assert_allclose(fitted.spectral_atoms_ @ (xyz_weights() / 100.0), fitted.colour_atoms_, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(fitted.colour_atoms_, axis=1), 1.0, rtol=1e-12)


def test_an_atom_that_cannot_be_seen_is_put_away():
    spectra, colours = pair_with_colours(np.stack([np.zeros(31), np.ones(31)]))
    assert not spectra[0].any()
    assert not colours[0].any()
    assert np.isfinite(spectra).all()


# reconstruction


def test_a_colour_in_the_dictionary_gives_the_spectrum_behind_it():
    method = by_hand(input="linear")
    amounts = np.linspace(0.1, 1.0, 12)[:, np.newaxis]
    cube = method.reconstruct((amounts * method.colour_atoms_).astype(np.float32)[np.newaxis])
    np.testing.assert_allclose(cube[0], amounts * method.spectral_atoms_, rtol=1e-5)


def test_the_estimate_has_the_colour_that_was_given():
    method = by_hand(input="linear")
    rgb = xyz(smooth_spectra(np.random.default_rng(6), 30).reshape(5, 6, 31)).astype(np.float32) / np.float32(100.0)
    np.testing.assert_allclose(xyz(method.reconstruct(rgb)) / 100.0, rgb, rtol=1e-5)


def test_srgb_is_made_linear_before_it_is_coded():
    from specrec.rendering import XYZ_TO_RGB

    rgb = np.random.default_rng(7).uniform(0.05, 0.95, (4, 5, 3)).astype(np.float32)
    cube = by_hand().reconstruct(rgb)
    np.testing.assert_allclose(encode_srgb(xyz(cube) / 100.0 @ XYZ_TO_RGB.T), rgb, atol=1e-5)


def test_both_inputs_give_nearly_the_same_cube_where_nothing_is_clipped():
    from specrec.rendering import XYZ_TO_RGB

    linear = xyz(0.2 * smooth_spectra(np.random.default_rng(8), 20).reshape(4, 5, 31)) / 100.0
    encoded = encode_srgb(linear @ XYZ_TO_RGB.T)
    inside = ((encoded > 0.0) & (encoded < 1.0)).all(axis=-1)
    cubes = [
        by_hand(input=kind).reconstruct(rgb.astype(np.float32)) for kind, rgb in (("linear", linear), ("srgb", encoded))
    ]
    assert inside.sum() > 10
    np.testing.assert_allclose(cubes[0][inside], cubes[1][inside], atol=1e-4)


def test_input_says_what_the_harness_shall_give():
    assert Arad().input == "srgb8"
    assert Arad(input="linear").input == "linear"


@pytest.mark.parametrize("kind", ["srgb", "linear"])
def test_black_gives_the_zero_spectrum(kind):
    assert not by_hand(input=kind).reconstruct(np.zeros((2, 3, 3), dtype=np.float32)).any()


def test_8_bit_images_and_images_between_the_levels_are_both_coded(fitted):
    rng = np.random.default_rng(9)
    image = rng.integers(0, 256, (9, 7, 3)).astype(np.float32) / np.float32(255.0)
    many = np.concatenate([image, image, image])  # each colour more than once: coded once
    assert fitted.reconstruct(many)[:9].tobytes() == fitted.reconstruct(image).tobytes()
    between = fitted.reconstruct(image * np.float32(0.999))
    assert np.abs(between - fitted.reconstruct(image)).max() > 0.0


# the contract


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (13, 5)])
def test_any_size_comes_back_as_float32_of_that_size(fitted, shape):
    rgb = np.random.default_rng(0).uniform(0.0, 1.0, (*shape, 3)).astype(np.float32)
    before = rgb.copy()
    cube = fitted.reconstruct(rgb)
    assert cube.shape == (*shape, 31)
    assert cube.dtype == np.float32
    assert np.array_equal(rgb, before)


def test_a_pixel_depends_on_its_own_colour_alone(fitted):
    rgb = np.random.default_rng(1).uniform(0.0, 1.0, (31, 17, 3)).astype(np.float32)
    whole = fitted.reconstruct(rgb)
    assert fitted.reconstruct(rgb[20:21, 4:5]).tobytes() == whole[20:21, 4:5].tobytes()
    assert fitted.reconstruct(rgb.transpose(1, 0, 2)).tobytes() == whole.transpose(1, 0, 2).tobytes()


def test_the_state_comes_back_equal(fitted):
    arrays, config = fitted.state()
    again = Arad.from_state(fitted.settings, {name: array.copy() for name, array in arrays.items()}, config)
    rgb = np.random.default_rng(2).uniform(0.0, 1.0, (6, 5, 3)).astype(np.float32)
    assert again.reconstruct(rgb).tobytes() == fitted.reconstruct(rgb).tobytes()
    assert all(array.dtype == np.float64 for array in arrays.values())


@pytest.mark.parametrize("spoil", ["missing", "shape", "nan"])
def test_a_state_that_does_not_fit_is_refused(spoil):
    arrays = by_hand().state()[0]
    if spoil == "missing":
        del arrays["colour_atoms"]
    elif spoil == "shape":
        arrays["spectral_atoms"] = arrays["spectral_atoms"][:, :30]
    else:
        arrays["colour_atoms"] = np.where(np.eye(12, 3) > 0, np.nan, arrays["colour_atoms"])
    with pytest.raises(ValueError, match=r"colour_atoms|spectral_atoms"):
        Arad.from_state({"atoms": 12}, arrays, {})


def test_nothing_works_before_a_fit():
    for call in (Arad().state, lambda: Arad().reconstruct(np.zeros((1, 1, 3), dtype=np.float32))):
        with pytest.raises(UsageError, match="not fitted"):
            call()


def test_a_sparsity_beyond_three_is_a_usage_error():
    with pytest.raises(UsageError, match="between 1 and 3"):
        Arad(sparsity=4)


def fit_in_a_child(queue):
    method = Arad(**SMALL).fit(make_scenes(), FitContext(seed=3))
    queue.put(method.spectral_atoms_)


def test_a_spawned_process_learns_the_same_dictionary(fitted):
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    child = spawn.Process(target=fit_in_a_child, args=(queue,))
    child.start()
    learnt = queue.get(timeout=60)
    child.join(timeout=60)
    assert learnt.tobytes() == fitted.spectral_atoms_.tobytes()


def test_offering_and_using_a_dictionary_imports_no_spams():
    program = (
        "import sys, numpy as np, specrec_arad\n"
        "(method,) = specrec_arad.specrec_reconstructors()\n"
        "from specrec_arad.dictionary import pair_with_colours\n"
        "spectral, colours = pair_with_colours(np.random.default_rng(0).uniform(0, 1, (9, 31)))\n"
        "arrays = {'spectral_atoms': spectral, 'colour_atoms': colours}\n"
        "fitted = method.from_state({'atoms': 9}, arrays, {})\n"
        "fitted.reconstruct(np.full((2, 2, 3), 0.5, dtype=np.float32))\n"
        "print(sorted({'spams', 'torch', 'colour', 'sklearn', 'scipy'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
