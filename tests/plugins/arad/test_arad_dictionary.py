"""How `arad` learns its dictionary: the call of SPAMS, what repeats, what is left out, and what is printed."""

import subprocess
import sys

import numpy as np
import pytest
from arad_scenes import SMALL, make_scene, make_scenes, smooth_spectra

from specrec.errors import DataError
from specrec.interfaces import FitContext
from specrec.rendering import xyz_weights
from specrec.scenes import Scene, TrainingScene
from specrec_arad.dictionary import learn_atoms, pair_with_colours
from specrec_arad.method import Arad


@pytest.fixture(scope="module")
def scenes():
    return make_scenes()


@pytest.fixture(scope="module")
def fitted(scenes):
    pytest.importorskip("spams")
    return Arad(**SMALL).fit(scenes, FitContext(seed=3))


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


def test_colour_atoms_are_the_response_of_the_spectral_atoms_and_of_unit_length(fitted):
    np.testing.assert_allclose(fitted.spectral_atoms_ @ (xyz_weights() / 100.0), fitted.colour_atoms_, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(fitted.colour_atoms_, axis=1), 1.0, rtol=1e-12)


def test_an_atom_that_cannot_be_seen_is_put_away():
    spectra, colours = pair_with_colours(np.stack([np.zeros(31), np.ones(31)]))
    assert not spectra[0].any()
    assert not colours[0].any()
    assert np.isfinite(spectra).all()
