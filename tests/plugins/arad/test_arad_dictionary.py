"""How `arad` learns its dictionary: the call of SPAMS, what repeats, what is left out, and what is printed."""

import subprocess
import sys

import numpy as np
import pytest
from arad_scenes import SMALL, make_scene, make_scenes, smooth_spectra

from specrec.errors import DataError, PluginError
from specrec.interfaces import FitContext
from specrec.rendering import xyz_weights
from specrec.scenes import Scene, TrainingScene
from specrec_arad import ksvd
from specrec_arad.dictionary import draw_atoms, learn_with_spams, pair_with_colours, usable_spectra
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
    spectra = smooth_spectra(np.random.default_rng(1), 60)
    with_black = np.insert(spectra, [0, 30, 60], 0.0, axis=0)
    assert usable_spectra(with_black, 20).tobytes() == spectra.tobytes()


def test_fewer_usable_pixels_than_atoms_are_reported():
    spectra = np.zeros((50, 31))
    spectra[:30] = smooth_spectra(np.random.default_rng(1), 30)
    assert len(usable_spectra(spectra, 30)) == 30
    with pytest.raises(DataError, match="30 for 40"):
        usable_spectra(spectra, 40)


def test_drawn_atoms_are_different_pixels_of_unit_length():
    spectra = smooth_spectra(np.random.default_rng(1), 60)
    atoms = draw_atoms(spectra, 60, np.random.default_rng(2))
    directions = spectra / np.linalg.norm(spectra, axis=1, keepdims=True)
    nearest = (atoms @ directions.T).argmax(axis=1)
    assert sorted(nearest) == list(range(60))
    np.testing.assert_allclose(atoms, directions[nearest], rtol=1e-12)


@pytest.mark.parametrize(("atoms", "count"), [("random-40", 40), ("random", 500)])
def test_random_atoms_are_training_pixels_as_they_are_and_need_no_spams(monkeypatch, atoms, count):
    monkeypatch.setitem(sys.modules, "spams", None)  # importing it fails
    many = [make_scene(f"scene {seed}", seed) for seed in (1, 2)]
    method = Arad(atoms=atoms, pixels_per_scene=480).fit(many, FitContext(seed=3))
    assert method.spectral_atoms_.shape == (count, 31)
    pixels = np.concatenate([scene.cube().reshape(-1, 31) for scene in many]).astype(np.float64)
    directions = pixels / np.linalg.norm(pixels, axis=1, keepdims=True)
    drawn = method.spectral_atoms_ / np.linalg.norm(method.spectral_atoms_, axis=1, keepdims=True)
    assert (drawn @ directions.T).max(axis=1).min() == pytest.approx(1.0, abs=1e-12)
    again = Arad(atoms=atoms, pixels_per_scene=480).fit(many, FitContext(seed=3))
    assert again.spectral_atoms_.tobytes() == method.spectral_atoms_.tobytes()


def test_k_svd_learns_without_spams_from_the_same_start(monkeypatch, scenes):
    monkeypatch.setitem(sys.modules, "spams", None)
    told = []
    method = Arad(**{**SMALL, "training_sparsity": 3}, learning="ksvd").fit(
        scenes, FitContext(seed=3, progress=lambda done, _words: told.append(done))
    )
    start = Arad(**{**SMALL, "atoms": "random-40"}).fit(scenes, FitContext(seed=3))
    assert method.spectral_atoms_.shape == (40, 31)
    assert not np.allclose(method.spectral_atoms_, start.spectral_atoms_, rtol=1e-2)
    errors = [step["rmse"] for step in method.history_]
    assert len(errors) == 5
    assert errors == sorted(errors, reverse=True)
    assert told == sorted(told)
    assert len(told) > 5
    again = Arad(**{**SMALL, "training_sparsity": 3}, learning="ksvd").fit(scenes, FitContext(seed=3, threads=2))
    assert again.spectral_atoms_.tobytes() == method.spectral_atoms_.tobytes()


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


def test_learning_improves_on_where_it_starts():
    pytest.importorskip("spams")
    spectra = smooth_spectra(np.random.default_rng(1), 400)
    start = draw_atoms(spectra, 30, np.random.default_rng(2))
    learnt = learn_with_spams(spectra, start, sparsity=3, iterations=5, batch=64)
    assert ksvd.code(spectra, learnt, 3).errors.sum() < 0.8 * ksvd.code(spectra, start, 3).errors.sum()


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
        "atoms = dictionary.draw_atoms(spectra, 20, np.random.default_rng(1))\n"
        "dictionary.learn_with_spams(spectra, atoms, sparsity=4, iterations=2, batch=16)\n"
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


def test_fewer_atoms_than_the_sparsity_of_training_are_learnt_all_the_same():
    """SPAMS itself writes beyond its arrays there, so it runs in a process of its own."""
    code = (
        "import numpy as np; from specrec_arad.dictionary import learn_with_spams; "
        "rng = np.random.default_rng(0); spectra = rng.random((300, 31)); "
        "atoms = spectra[:5] / np.linalg.norm(spectra[:5], axis=1, keepdims=True); "
        "found = learn_with_spams(spectra, atoms, sparsity=28, iterations=2, batch=64); "
        "assert found.shape == (5, 31) and np.isfinite(found).all()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_spams_that_does_not_import_is_one_sentence_with_a_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "spams", None)
    with pytest.raises(PluginError, match=r"does not import .*; install spams-bin again, or take"):
        learn_with_spams(np.ones((3, 31)), np.ones((2, 31)), sparsity=1, iterations=1, batch=1)
