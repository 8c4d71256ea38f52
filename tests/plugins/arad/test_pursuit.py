"""The coding of colours: against a plain reference, against scikit-learn, and against rounding."""

import itertools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_pursuit import plain_code

from specrec_arad.pursuit import TOGETHER, Code, code, decode


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def dictionary():
    """Atoms in and around the positive octant, as colours are, with spectra behind them."""
    rng = np.random.default_rng(7)
    return unit(rng.uniform(-0.1, 1.0, (120, 3))), rng.uniform(0.0, 1.0, (120, 31))


def reference_spectra(signals, atoms, spectra, sparsity):
    """Orthogonal matching pursuit as a textbook has it: one signal at a time, least squares at every step."""
    out = np.zeros((len(signals), spectra.shape[1]))
    for row, signal in enumerate(signals):
        support, residual, weights = [], signal, np.zeros(0)
        while len(support) < sparsity and np.linalg.norm(residual) > 1e-9 * np.linalg.norm(signal):
            support.append(int(np.argmax(np.abs(atoms @ residual))))
            weights = np.linalg.lstsq(atoms[support].T, signal, rcond=None)[0]
            residual = signal - atoms[support].T @ weights
        out[row] = weights @ spectra[support]
    return out


def share_that_differs(estimate, reference, tolerance):
    size = np.maximum(np.linalg.norm(reference, axis=1), 1e-300)
    return np.mean(np.linalg.norm(estimate - reference, axis=1) > tolerance * size)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 120])
def test_the_compiled_code_equals_the_plain_one_to_the_bit(size):
    rng = np.random.default_rng(11)
    atoms = unit(rng.uniform(-0.1, 1.0, (size, 3)))
    signals = rng.uniform(0.0, 1.0, (1001, 3))
    signals[:10] = 0.0
    signals[10:200] = 0.7 * atoms[np.arange(190) % size]  # one atom is enough
    signals[200:400] = signals[:200].astype(np.float32)
    signals[400:500, 1:] = signals[400:500, :1]  # grey
    places, coefficients = plain_code(signals, atoms)
    found = code(signals, atoms, 3)
    assert np.array_equal(found.atoms, places)
    assert np.array_equal(found.coefficients, coefficients)


def test_the_compiled_sums_of_spectra_equal_plain_ones_to_the_bit(dictionary):
    atoms, spectra = dictionary
    found = code(np.random.default_rng(12).uniform(0.0, 1.0, (500, 3)), atoms, 3)
    (c1, c2, c3), (s1, s2, s3) = found.coefficients.T[..., np.newaxis], spectra[found.atoms.T]
    assert decode(found, spectra).tobytes() == (c1 * s1 + c2 * s2 + c3 * s3).astype(np.float32).tobytes()


@pytest.mark.parametrize("sparsity", [1, 2])
def test_a_lower_sparsity_ends_after_the_same_first_steps(dictionary, sparsity):
    atoms, _ = dictionary
    signals = np.random.default_rng(13).uniform(0.0, 1.0, (500, 3))
    assert np.array_equal(code(signals, atoms, sparsity).atoms, code(signals, atoms, 3).atoms[:, :sparsity])


@pytest.mark.parametrize("sparsity", [1, 2, 3])
def test_the_code_equals_a_plain_reference_in_float64(dictionary, sparsity):
    atoms, spectra = dictionary
    signals = np.random.default_rng(1).uniform(0.0, 1.0, (1000, 3))
    found = code(signals, atoms, sparsity)
    dense = np.zeros((len(signals), len(atoms)))
    np.put_along_axis(dense, found.atoms, found.coefficients, axis=1)
    assert (found.atoms >= 0).all()
    assert share_that_differs(dense @ spectra, reference_spectra(signals, atoms, spectra, sparsity), 1e-9) <= 0.001


@pytest.mark.parametrize("sparsity", [1, 2, 3])
def test_the_code_equals_that_of_scikit_learn(dictionary, sparsity):
    from sklearn.linear_model import orthogonal_mp

    atoms, _ = dictionary
    signals = np.random.default_rng(2).uniform(0.0, 1.0, (400, 3))
    found = code(signals, atoms, sparsity)
    dense = np.zeros((len(signals), len(atoms)))
    np.put_along_axis(dense, found.atoms, found.coefficients, axis=1)
    assert share_that_differs(dense, orthogonal_mp(atoms.T, signals.T, n_nonzero_coefs=sparsity).T, 1e-8) <= 0.005


def test_a_hand_computed_code():
    atoms = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    found = code([[3.0, 0.8, 0.5]], atoms, 3)
    # 3 e1 leads; what remains, (0, 0.8, 0.5), has 0.64 along the second atom and 0.5 along the third
    assert found.atoms.tolist() == [[0, 1, 2]]
    np.testing.assert_allclose(found.coefficients, [[2.4, 1.0, 0.5]], atol=1e-14)


def test_a_change_of_one_part_in_a_million_million_changes_no_spectrum(dictionary):
    atoms, spectra = dictionary
    rng = np.random.default_rng(3)
    signals = rng.uniform(0.0, 1.0, (20000, 3))
    moved = signals * (1.0 + 1e-12 * rng.standard_normal(signals.shape))
    before, after = (decode(code(values, atoms, 3), spectra) for values in (signals, moved))
    assert share_that_differs(after, before, 1e-4) <= 0.001


def test_float32_signals_are_coded_like_float64_signals(dictionary):
    atoms, spectra = dictionary
    signals = np.random.default_rng(4).uniform(0.0, 1.0, (20000, 3))
    before, after = (decode(code(values, atoms, 3), spectra) for values in (signals, signals.astype(np.float32)))
    assert share_that_differs(after, before, 1e-4) <= 0.001


def test_a_signal_that_is_an_atom_takes_that_atom_alone_even_when_rounded(dictionary):
    atoms, _ = dictionary
    found = code((0.7 * atoms).astype(np.float32), atoms, 3)
    assert found.atoms.tolist() == [[position, -1, -1] for position in range(len(atoms))]
    np.testing.assert_allclose(found.coefficients[:, 0], 0.7, rtol=1e-6)
    assert not found.coefficients[:, 1:].any()


def test_a_signal_in_the_plane_of_two_atoms_takes_no_third_even_when_rounded():
    atoms = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    rng = np.random.default_rng(5)
    signals = rng.uniform(0.5, 1.0, (50, 2)) @ atoms[:2]
    signals[:, 2] = 2e-7 * rng.standard_normal(50)  # as large as the rounding of a decoded float32 colour
    assert (code(signals, atoms, 3).atoms[:, 2] == -1).all()


def test_a_residual_just_above_the_threshold_does_take_a_third_atom():
    atoms = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = code([[1.0, 0.5, 2e-6]], atoms, 3)
    assert found.atoms.tolist() == [[0, 1, 2]]
    assert found.coefficients[0, 2] == pytest.approx(2e-6)


def test_black_gives_the_zero_spectrum(dictionary):
    atoms, spectra = dictionary
    found = code(np.zeros((2, 3)), atoms, 3)
    assert (found.atoms == -1).all()
    assert not decode(found, spectra).any()


def test_equal_scores_go_to_the_atom_that_comes_first():
    atoms = np.array([[0.0, 0.0, 1.0], [0.6, 0.8, 0.0], [0.6, 0.8, 0.0], [0.8, 0.6, 0.0]])
    assert code([[0.6, 0.8, 0.0]], atoms, 1).atoms.tolist() == [[1]]
    assert code([[1.0, 1.0, 0.0]], atoms, 1).atoms.tolist() == [[1]]


def test_an_atom_of_length_zero_is_never_taken():
    atoms = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    assert code([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]], atoms, 3).atoms.tolist() == [[1, -1, -1], [-1, -1, -1]]


def test_a_dictionary_that_spans_a_plane_gives_finite_codes_of_two_atoms():
    rng = np.random.default_rng(6)
    atoms = unit(rng.uniform(0.0, 1.0, (40, 2)) @ np.array([[0.9, 0.3, 0.1], [0.2, 0.7, 0.6]]))
    found = code(rng.uniform(0.0, 1.0, (500, 3)), atoms, 3)
    assert (found.atoms[:, 2] == -1).all()
    assert np.abs(found.coefficients).max() < 10.0


def test_the_code_of_a_signal_depends_neither_on_the_others_nor_on_its_place(dictionary):
    atoms, spectra = dictionary
    signals = np.random.default_rng(8).uniform(0.0, 1.0, (1009, 3))
    whole = code(signals, atoms, 3)
    for start, stop in ((0, 1), (500, 501), (1008, 1009), (3, TOGETHER + 4), (200, 1009)):
        part = code(np.asfortranarray(signals[start:stop]), atoms, 3)
        assert np.array_equal(part.atoms, whole.atoms[start:stop])
        assert part.coefficients.tobytes() == whole.coefficients[start:stop].tobytes()
        assert decode(part, spectra).tobytes() == decode(whole, spectra)[start:stop].tobytes()


def test_several_threads_get_the_code_of_one_to_the_bit(dictionary):
    atoms, _ = dictionary
    signals = np.random.default_rng(10).uniform(0.0, 1.0, (40, 500, 3))
    alone = [code(block, atoms, 3) for block in signals]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda block: code(block, atoms, 3), signals))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one.atoms, other.atoms)
        assert one.coefficients.tobytes() == other.coefficients.tobytes()


def test_another_kernel_of_the_blas_and_more_threads_change_no_bit(dictionary, tmp_path):
    atoms, spectra = dictionary
    signals = np.random.default_rng(14).uniform(0.0, 1.0, (2000, 3))
    np.savez(tmp_path / "given.npz", signals=signals, atoms=atoms, spectra=spectra)
    program = (
        "import sys, numpy as np\n"
        "from specrec_arad.pursuit import code, decode\n"
        "given = np.load(sys.argv[1])\n"
        "found = code(given['signals'], given['atoms'], 3)\n"
        "sys.stdout.buffer.write(found.coefficients.tobytes() + decode(found, given['spectra']).tobytes())\n"
    )
    other = {"OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "given.npz"],
        capture_output=True,
        check=True,
        env={**os.environ, **other, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    found = code(signals, atoms, 3)
    assert done.stdout == found.coefficients.tobytes() + decode(found, spectra).tobytes()


def test_signals_and_atoms_are_not_changed(dictionary):
    atoms, spectra = dictionary
    signals = np.random.default_rng(9).uniform(0.0, 1.0, (10, 3))
    copies = signals.copy(), atoms.copy(), spectra.copy()
    decode(code(signals, atoms, 3), spectra)
    assert all(np.array_equal(*pair) for pair in zip((signals, atoms, spectra), copies, strict=True))


def test_no_signals_give_an_empty_code(dictionary):
    atoms, spectra = dictionary
    found = code(np.zeros((0, 3)), atoms, 3)
    assert found.atoms.shape == found.coefficients.shape == (0, 3)
    assert decode(found, spectra).shape == (0, 31)


@pytest.mark.parametrize(
    ("signals", "atoms", "sparsity", "words"),
    [
        (np.ones((4, 2)), np.eye(3), 3, "signals"),
        (np.ones(3), np.eye(3), 3, "signals"),
        (np.ones((4, 3)), np.ones((5, 31)), 3, "atoms"),
        (np.ones((4, 3)), np.ones((0, 3)), 3, "atoms"),
        (np.ones((4, 3)), np.eye(3), 4, "1 to 3"),
        (np.ones((4, 3)), np.eye(3), 0, "1 to 3"),
    ],
)
def test_other_shapes_are_refused(signals, atoms, sparsity, words):
    with pytest.raises(ValueError, match=words):
        code(signals, atoms, sparsity)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 40),
    size=st.integers(1, 30),
    scale=st.sampled_from([1e-30, 1e-3, 1.0, 1e6]),
)
def test_three_atoms_never_leave_more_than_they_found(seed, count, size, scale):
    rng = np.random.default_rng(seed)
    atoms = unit(rng.standard_normal((size, 3)))
    signals = scale * rng.standard_normal((count, 3))
    lengths = [np.linalg.norm(signals, axis=1)]
    for sparsity in (1, 2, 3):
        found: Code = code(signals, atoms, sparsity)
        used = np.where(found.atoms[..., np.newaxis] >= 0, atoms[found.atoms], 0.0)
        lengths.append(np.linalg.norm(signals - (found.coefficients[..., np.newaxis] * used).sum(axis=1), axis=1))
    for before, after in itertools.pairwise(lengths):
        assert (after <= before + 1e-9 * lengths[0]).all()
