"""K-SVD: a dictionary learnt by coding the signals and correcting one atom after the other (Aharon et al. 2006).

Coding is plain orthogonal matching pursuit in as many dimensions as the signals have, compiled, without a BLAS. The
best rank-1 approximation of what an atom has to explain comes from the eigenvectors of a small (bands x bands) matrix.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from specrec.compiled import compiled

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

NEGLIGIBLE = 1e-6
"""A residual this small beside its signal ends a pursuit; so does an atom that leaves no more beside those taken."""


class Codes(NamedTuple):
    """The sparse codes of n signals.

    Parameters
    ----------
    places
        (n, sparsity) positions in the dictionary; -1 where the pursuit had ended.
    coefficients
        (n, sparsity); 0 where the pursuit had ended.
    residuals
        (n, bands): what the code leaves of each signal.
    """

    places: Places
    coefficients: Floats
    residuals: Floats

    @property
    def errors(self) -> Floats:
        """(n,) squared lengths of the residuals."""
        squares: Floats = (self.residuals * self.residuals).sum(axis=1)
        return squares


def learn(
    signals: Floats,
    initial: Floats,
    *,
    sparsity: int,
    iterations: int,
    progress: Callable[[float], None] = lambda _done: None,
) -> tuple[Floats, list[float]]:
    """Learn a dictionary by K-SVD.

    An iteration codes every signal and then corrects every atom in turn, with its coefficients, to the best rank-1
    approximation of what the other atoms leave of the signals that use it. A signal keeps its former code where the new
    one is no better, so the error never rises. An atom that no signal uses becomes the signal that is represented
    worst, each signal once in an iteration.

    Parameters
    ----------
    signals
        (n, bands).
    initial
        (atoms, bands), each of unit length.
    sparsity
        At most this many atoms per signal; more than there are bands or atoms change nothing.
    iterations
        How often.
    progress
        Called with the fraction done.

    Returns
    -------
    The atoms (atoms, bands), each of unit length, and the summed squared error after each iteration. Nothing is random.

    References
    ----------
    Aharon, M., Elad, M. and Bruckstein, A. (2006), "K-SVD: an algorithm for designing overcomplete dictionaries for
    sparse representation", IEEE Transactions on Signal Processing 54(11), 4311-4322, doi:10.1109/TSP.2006.881199.

    Examples
    --------
    >>> signals = np.array([[2.0, 0.0], [1.0, 0.0], [0.0, 3.0], [0.0, 1.0]])
    >>> atoms, errors = learn(signals, np.array([[0.8, 0.6], [0.0, 1.0]]), sparsity=1, iterations=2)
    >>> np.abs(atoms).round(6).tolist(), round(errors[-1], 6)
    ([[1.0, 0.0], [0.0, 1.0]], 0.0)
    """
    from threadpoolctl import threadpool_limits

    atoms = initial.copy()
    codes: Codes | None = None
    errors = []
    with threadpool_limits(1):  # several threads may add up in another order
        for iteration in range(iterations):
            codes = _better(code(signals, atoms, sparsity), codes)
            _correct(atoms, codes, signals)
            errors.append(float(codes.errors.sum()))
            progress((iteration + 1) / iterations)
    return atoms, errors


def code(signals: Floats, atoms: Floats, sparsity: int) -> Codes:
    """Code signals (n, bands) over unit atoms (K, bands) by orthogonal matching pursuit.

    References
    ----------
    Pati, Y. C., Rezaiifar, R. and Krishnaprasad, P. S. (1993), doi:10.1109/ACSSC.1993.342465.

    Examples
    --------
    >>> found = code(np.array([[3.0, 0.8, 0.5]]), np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]), 2)
    >>> found.places.tolist(), found.coefficients.round(12).tolist(), found.residuals.round(12).tolist()
    ([[0, 1]], [[2.4, 1.0]], [[0.0, 0.0, 0.5]])
    """
    most = min(sparsity, *atoms.shape)
    places, coefficients = np.full((len(signals), most), -1, dtype=np.int64), np.zeros((len(signals), most))
    residuals = np.array(signals, dtype=np.float64, order="C")
    _pursue(residuals, np.ascontiguousarray(atoms), np.ascontiguousarray(atoms.T), places, coefficients)
    return Codes(places, coefficients, residuals)


def _better(new: Codes, former: Codes | None) -> Codes:
    if former is not None:
        kept = former.errors <= new.errors
        for array, before in zip(new, former, strict=True):
            array[kept] = before[kept]
    return new


def _correct(atoms: Floats, codes: Codes, signals: Floats) -> None:
    """Correct every atom, the coefficients and the residuals in place."""
    flat, coefficients = codes.places.ravel(), codes.coefficients.reshape(-1)
    order = np.argsort(flat, kind="stable")  # the slots of the first atom, of the second, ..
    bounds = np.searchsorted(flat[order], np.arange(len(atoms) + 1))
    replaced: list[int] = []
    for place, (start, stop) in enumerate(pairwise(bounds)):
        slots = order[start:stop]
        if len(slots) == 0:
            _replace(atoms, place, codes, signals, replaced)
            continue
        users = slots // codes.places.shape[1]
        wanted = codes.residuals[users] + coefficients[slots, np.newaxis] * atoms[place]
        leading = np.linalg.eigh(wanted.T @ wanted)[1][:, -1]
        if leading @ atoms[place] < 0.0:  # the sign is free: it stays
            leading = -leading
        amounts = wanted @ leading
        atoms[place], coefficients[slots] = leading, amounts
        codes.residuals[users] = wanted - amounts[:, np.newaxis] * leading


def _replace(atoms: Floats, place: int, codes: Codes, signals: Floats, replaced: list[int]) -> None:
    errors = codes.errors
    errors[replaced] = -1.0
    worst = int(errors.argmax())
    length = np.sqrt((signals[worst] * signals[worst]).sum())
    if length > 0.0:
        atoms[place] = signals[worst] / length
        replaced.append(worst)


@compiled
def _pursue(residuals: Floats, atoms: Floats, table: Floats, places: Places, coefficients: Floats) -> None:
    """Code signals in place: `residuals` (n, bands) holds them at first; `table` is `atoms` (K, bands) turned over."""
    bands, size, sparsity = residuals.shape[1], len(atoms), places.shape[1]
    scores = np.zeros(size)
    basis = np.zeros((sparsity, bands))  # the atoms taken, made orthogonal and of unit length
    triangle = np.zeros((sparsity, sparsity))  # atom t is the sum of triangle[j, t] times basis j
    amounts = np.zeros(sparsity)
    for row in range(len(residuals)):
        residual = residuals[row]
        smallest = NEGLIGIBLE * np.sqrt(_dot(residual, residual))
        taken = 0
        while taken < sparsity:
            remaining = np.sqrt(_dot(residual, residual))
            if not remaining > smallest:
                break
            _score(residual, table, scores)
            for t in range(taken):
                scores[places[row, t]] = 0.0
            best = 0
            for k in range(size):
                if abs(scores[k]) > abs(scores[best]):
                    best = k
            if not abs(scores[best]) > NEGLIGIBLE * remaining:
                break
            fresh = basis[taken]
            fresh[:] = atoms[best]
            triangle[:, taken] = 0.0
            for _ in range(2):  # the second time takes away what rounding left
                for t in range(taken):
                    part = _dot(basis[t], fresh)
                    triangle[t, taken] += part
                    _add(fresh, -part, basis[t])
            length = np.sqrt(_dot(fresh, fresh))
            if not length > NEGLIGIBLE:
                break
            triangle[taken, taken] = length
            for band in range(bands):
                fresh[band] /= length
            amounts[taken] = _dot(residual, fresh)
            _add(residual, -amounts[taken], fresh)
            places[row, taken] = best
            taken += 1
        for t in range(taken - 1, -1, -1):
            amount = amounts[t]
            for later in range(t + 1, taken):
                amount -= triangle[t, later] * coefficients[row, later]
            coefficients[row, t] = amount / triangle[t, t]


@compiled
def _score(vector: Floats, table: Floats, scores: Floats) -> None:
    """Fill in <atom, vector> of every atom, band after band, so that the inner loop runs over atoms."""
    scores[:] = 0.0
    for band in range(len(vector)):
        value, row = vector[band], table[band]
        for k in range(len(scores)):
            scores[k] += value * row[k]


@compiled
def _dot(left: Floats, right: Floats) -> float:
    total = 0.0
    for band in range(len(left)):
        total += left[band] * right[band]
    return total


@compiled
def _add(vector: Floats, amount: float, other: Floats) -> None:
    for band in range(len(vector)):
        vector[band] += amount * other[band]
