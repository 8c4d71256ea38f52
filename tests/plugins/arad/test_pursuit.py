"""The coding of colours: against a plain reference, against scikit-learn, and against rounding."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec_arad import pursuit
from specrec_arad.pursuit import Code, code, decode


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


@pytest.mark.parametrize("sparsity", [1, 2, 3])
def test_the_code_equals_a_plain_reference_in_float64(dictionary, sparsity):
    atoms, spectra = dictionary
    signals = np.random.default_rng(1).uniform(0.0, 1.0, (3000, 3))
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


def test_the_code_of_a_signal_depends_neither_on_the_others_nor_on_the_blocks(dictionary, monkeypatch):
    atoms, spectra = dictionary
    signals = np.random.default_rng(8).uniform(0.0, 1.0, (1009, 3))
    whole = code(signals, atoms, 3)
    alone = [code(signals[row : row + 1], atoms, 3) for row in range(0, 1009, 50)]
    monkeypatch.setattr(pursuit, "_SCORES_AT_A_TIME", 7 * len(atoms))
    monkeypatch.setattr(pursuit, "_SPECTRA_AT_A_TIME", 13)
    other = code(np.asfortranarray(signals), atoms, 3)
    assert np.array_equal(whole.atoms, other.atoms)
    assert whole.coefficients.tobytes() == other.coefficients.tobytes()
    assert np.array_equal(np.concatenate([one.coefficients for one in alone]), whole.coefficients[::50])
    assert decode(whole, spectra).tobytes() == decode(other, spectra).tobytes()


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
