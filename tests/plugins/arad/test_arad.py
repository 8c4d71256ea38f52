"""The method `arad`: what it reconstructs, and its contract."""

import multiprocessing
import re
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from arad_scenes import SMALL, make_scenes, smooth_spectra

from specrec.errors import UsageError
from specrec.interfaces import FitContext
from specrec.rendering import XYZ_TO_RGB, encode_srgb, xyz
from specrec.weights import find, load_file, read_card
from specrec_arad.dictionary import pair_with_colours
from specrec_arad.method import Arad, read_atoms


@pytest.fixture(scope="module")
def fitted():
    pytest.importorskip("spams")
    return Arad(**SMALL).fit(make_scenes(), FitContext(seed=3))


def by_hand(atoms=12, **settings):
    """A fitted method that needs no SPAMS."""
    spectral, colours = pair_with_colours(smooth_spectra(np.random.default_rng(5), atoms))
    return Arad.from_state({"atoms": atoms, **settings}, {"spectral_atoms": spectral, "colour_atoms": colours}, {})


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
    rgb = np.random.default_rng(7).uniform(0.05, 0.95, (4, 5, 3)).astype(np.float32)
    cube = by_hand().reconstruct(rgb)
    np.testing.assert_allclose(encode_srgb(xyz(cube) / 100.0 @ XYZ_TO_RGB.T), rgb, atol=1e-5)


def test_both_inputs_give_nearly_the_same_cube_where_nothing_is_clipped():
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


def test_unquantised_images_take_little_more_memory_than_the_cube():
    method = by_hand(atoms=200)
    rgb = np.random.default_rng(10).uniform(0.0, 1.0, (512, 256, 3)).astype(np.float32)
    method.reconstruct(rgb[:2, :2])  # compiled before
    tracemalloc.start()
    try:
        size = method.reconstruct(rgb).nbytes
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * size  # a table of scores would be 13 times the cube


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


@pytest.mark.parametrize("spoil", ["missing", "shape", "nan", "length"])
def test_a_state_that_does_not_fit_is_refused(spoil):
    arrays = by_hand().state()[0]
    if spoil == "missing":
        del arrays["colour_atoms"]
    elif spoil == "shape":
        arrays["spectral_atoms"] = arrays["spectral_atoms"][:, :30]
    elif spoil == "length":
        arrays["colour_atoms"] = 2.0 * arrays["colour_atoms"]
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


@pytest.mark.parametrize(
    "words", ["0", "-5", "07", "3.5", "many", "random-0", "random-", "random500", "100000", "5 ", "٣"]
)
def test_a_word_that_is_no_number_of_atoms_is_one_clear_error(words):
    with pytest.raises(UsageError, match=r"arad\[atoms\] takes a number from 1 to 99999, random, or .*not '") as raised:
        Arad(atoms=words)
    assert repr(words) in str(raised.value)


@pytest.mark.parametrize(
    ("words", "expected"),
    [("1", (1, False)), ("99999", (99999, False)), ("random", (500, True)), ("random-7", (7, True))],
)
def test_the_number_of_atoms_and_whether_they_are_random_is_read(words, expected):
    assert read_atoms(words) == expected


def test_random_atoms_that_shall_be_learnt_are_an_error():
    with pytest.raises(UsageError, match="learns nothing, so learning=ksvd"):
        Arad(atoms="random", learning="ksvd")


def test_the_shipped_weights_load_by_default_and_with_their_number_of_atoms():
    file = find("arad")
    assert read_card(file)["settings"]["atoms"] == 500  # a number, as before version 0.3; it is a word now
    rgb = np.random.default_rng(4).uniform(0.0, 1.0, (2, 3, 3)).astype(np.float32)
    plain, given = (load_file(file, "arad", settings) for settings in ({}, {"atoms": "500", "learning": "spams"}))
    assert plain.settings["atoms"] == "500"
    assert plain.reconstruct(rgb).tobytes() == given.reconstruct(rgb).tobytes()
    for settings in ({"atoms": "1000"}, {"atoms": "random"}, {"learning": "ksvd"}):
        with pytest.raises(UsageError, match="disagrees"):
            load_file(file, "arad", settings)


def test_without_spams_arad_is_listed_with_the_reason_and_everything_else_works():
    program = (
        "import importlib.util, sys\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *given: None if name == 'spams' else found(name, *given)\n"
        "from specrec.cli import main\n"
        "sys.argv = ['specrec', 'methods']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert re.search(r"arad: broken \(specrec\): .*'spams'", done.stdout), done.stdout + done.stderr
    assert "linear" in done.stdout


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
        "print(sorted({'spams', 'torch', 'colour', 'sklearn'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
