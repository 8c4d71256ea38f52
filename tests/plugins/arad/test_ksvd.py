"""K-SVD: against plain least squares and a plain SVD, and on data whose dictionary is known."""

from itertools import pairwise

import numpy as np
import pytest

from specrec_arad import ksvd


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def sparse_signals(rng, atoms, count, sparsity):
    """Signals that are sums of a few atoms each."""
    signals = np.zeros((count, atoms.shape[1]))
    for row in range(count):
        support = rng.choice(len(atoms), sparsity, replace=False)
        signals[row] = rng.standard_normal(sparsity) @ atoms[support]
    return signals


def plain_code(signals, atoms, sparsity):
    """Orthogonal matching pursuit as a textbook has it: one signal at a time, least squares at every step."""
    codes = np.zeros((len(signals), len(atoms)))
    for code, signal in zip(codes, signals, strict=True):
        support, residual = [], signal
        for _ in range(sparsity):
            support.append(int(np.argmax(np.abs(atoms @ residual))))
            weights = np.linalg.lstsq(atoms[support].T, signal, rcond=None)[0]
            residual = signal - weights @ atoms[support]
        code[support] = weights
    return codes


def dense(codes, size):
    """The codes as a table (n, size)."""
    table = np.zeros((len(codes.places), size + 1))
    np.put_along_axis(table, codes.places, codes.coefficients, axis=1)
    return table[:, :size]


@pytest.mark.parametrize(("sparsity", "size"), [(1, 60), (4, 60), (9, 60), (3, 5)])
def test_the_code_equals_a_plain_reference(sparsity, size):
    rng = np.random.default_rng(0)
    atoms, signals = unit(rng.standard_normal((size, 12))), rng.standard_normal((300, 12))
    found = ksvd.code(signals, atoms, sparsity)
    np.testing.assert_allclose(dense(found, size), plain_code(signals, atoms, sparsity), atol=1e-9)
    np.testing.assert_allclose(found.residuals, signals - dense(found, size) @ atoms, atol=1e-12)


def test_as_many_atoms_as_dimensions_leave_nothing():
    rng = np.random.default_rng(1)
    atoms, signals = unit(rng.uniform(0.0, 1.0, (60, 12))), rng.uniform(0.0, 1.0, (50, 12))
    found = ksvd.code(signals, atoms, 28)
    assert found.places.shape == (50, 12)
    assert found.errors.max() < 1e-12
    np.testing.assert_allclose(dense(found, 60) @ atoms, signals, atol=1e-6)


def test_a_pursuit_ends_where_nothing_is_left():
    atoms = np.eye(5)
    found = ksvd.code(np.array([[0.0, 2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]]), atoms, 3)
    assert found.places.tolist() == [[1, -1, -1], [-1, -1, -1]]
    assert found.coefficients.tolist() == [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


def test_parallel_atoms_are_not_taken_together():
    atoms = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    found = ksvd.code(np.array([[3.0, 1.0, 1.0]]), atoms, 3)
    assert found.places.tolist() == [[0, 2, -1]]
    assert found.residuals.tolist() == [[0.0, 0.0, 1.0]]


def test_the_first_atom_is_corrected_as_a_plain_svd_would():
    rng = np.random.default_rng(2)
    atoms, signals = unit(rng.standard_normal((6, 9))), rng.standard_normal((40, 9))
    codes = ksvd.code(signals, atoms, 2)
    amounts = dense(codes, 6)
    users = amounts[:, 0] != 0.0
    others = amounts[:, 1:] @ atoms[1:]
    left, sizes, _ = np.linalg.svd((signals - others)[users].T)
    corrected = atoms.copy()
    ksvd._correct(corrected, codes, signals)
    assert abs(left[:, 0] @ corrected[0]) == pytest.approx(1.0, abs=1e-12)
    assert corrected[0] @ atoms[0] > 0.0
    assert np.linalg.norm(dense(codes, 6)[users, 0]) == pytest.approx(sizes[0], rel=1e-12)
    np.testing.assert_allclose(codes.residuals, signals - dense(codes, 6) @ corrected, atol=1e-12)


def test_a_known_dictionary_is_found_again():
    # the experiment of Aharon et al. 2006, section V, with 30 atoms in place of 50 and without noise
    rng = np.random.default_rng(3)
    truth = unit(rng.standard_normal((30, 20)))
    signals = sparse_signals(rng, truth, 1500, 3)
    learnt, errors = ksvd.learn(signals, unit(signals[:30]), sparsity=3, iterations=60)
    # the measure of the paper: an atom counts as found where 1 - |<atom, atom>| < 0.01; it found nine of ten
    before, after = (np.abs(atoms @ truth.T).max(axis=0) > 0.99 for atoms in (unit(signals[:30]), learnt))
    assert not before.any()
    assert after.mean() > 0.85
    assert errors[-1] < 0.1 * errors[0]


def test_the_error_never_rises():
    rng = np.random.default_rng(4)
    signals = rng.uniform(0.0, 1.0, (400, 31))
    _, errors = ksvd.learn(signals, unit(signals[:50]), sparsity=4, iterations=15)
    assert len(errors) == 15
    assert all(later <= former * (1 + 1e-12) for former, later in pairwise(errors))
    first = ksvd.code(signals, unit(signals[:50]), 4).errors.sum()
    assert errors[0] < first


def test_a_signal_keeps_its_former_code_where_the_new_one_is_worse():
    two = np.zeros((2, 1), dtype=np.int64)
    former = ksvd.Codes(two, np.array([[1.0], [1.0]]), np.array([[0.1, 0.0], [0.5, 0.0]]))
    new = ksvd.Codes(two + 1, np.array([[2.0], [2.0]]), np.array([[0.2, 0.0], [0.4, 0.0]]))
    kept = ksvd._better(new, former)
    assert kept.places.tolist() == [[0], [1]]
    assert kept.coefficients.tolist() == [[1.0], [2.0]]
    assert kept.residuals[:, 0].tolist() == [0.1, 0.4]


def test_atoms_that_no_signal_uses_become_the_signals_that_are_represented_worst():
    signals = np.array([[5.0, 0.0, 0.0], [4.0, 0.1, 0.0], [3.0, 0.0, 2.0], [3.0, 1.0, 0.0]])
    initial = np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    atoms, _ = ksvd.learn(signals, initial, sparsity=1, iterations=1)
    left = signals - (signals @ atoms[0])[:, np.newaxis] * atoms[0]
    worst = np.argsort(-np.linalg.norm(left, axis=1))
    np.testing.assert_allclose(atoms[1:], unit(signals[worst[:3]]))
    assert worst[0] == 2


def test_the_same_signals_give_the_same_atoms_to_the_bit_whatever_the_number_of_threads():
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(5)
    signals = rng.uniform(0.0, 1.0, (300, 31))
    before = signals.copy()
    runs = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            runs.append(ksvd.learn(signals, unit(signals[:40]), sparsity=6, iterations=4)[0])
    assert runs[0].tobytes() == runs[1].tobytes()
    assert np.array_equal(signals, before)
