"""Orthogonal matching pursuit of colours: which few atoms add up to each 3-dimensional signal, many signals at once.

Plain orthogonal matching pursuit (Pati, Rezaiifar and Krishnaprasad 1993): take the atom with the largest
|<atom, residual>|, fit the signal on all atoms taken so far, repeat. Three dimensions allow two short cuts that change
nothing but the cost:

- the coefficients have a closed form (three vectors are made orthogonal by hand);
- after two atoms the residual lies on the one line orthogonal to both, so the third atom depends on the pair alone and
  is looked up once per distinct pair. Rounding in a small residual cannot change it.

Every product of three terms is written out and nothing goes through a BLAS, so that a signal's code depends on
that signal alone: not on the number of threads, the processor's kernels or the other signals of the call.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

NEGLIGIBLE = 1e-6
"""A residual this small beside its signal is rounding, and an atom this far from a right angle to it does not help.

A float32 signal is rounded by up to 6e-8 of its length, a decoded float32 sRGB value by about 1.5e-7: a residual of
that size points anywhere and must not pick an atom. With the factor of about seven that lies between, what is left
out stays below 1e-5 of the signal wherever the atom left out leans towards the residual by a tenth or more.
"""

_SCORES_AT_A_TIME = 1 << 15  # 256 kB of scores and as much to work in: both stay in a 1 MB second-level cache
_SPECTRA_AT_A_TIME = 1 << 10  # 31 bands of them in float64 are 254 kB


class Code(NamedTuple):
    """Which atoms make up each signal, and how much of each.

    Parameters
    ----------
    atoms
        (n, sparsity) positions in the dictionary, in the order they were taken; -1 where the pursuit had ended.
    coefficients
        (n, sparsity) float64; 0 where the pursuit had ended.
    """

    atoms: NDArray[np.intp]
    coefficients: Floats


def code(signals: ArrayLike, atoms: ArrayLike, sparsity: int) -> Code:
    """Code 3-dimensional signals over a dictionary.

    Equal scores go to the atom that comes first. A signal is coded with fewer atoms than `sparsity` where its residual
    is negligible before (see `NEGLIGIBLE`); a zero signal gets none.

    Parameters
    ----------
    signals
        (n, 3), finite, any real type.
    atoms
        (K, 3), each of length 1, or of length 0 for one that shall never be taken.
    sparsity
        At most this many atoms per signal, 1 to 3.

    Returns
    -------
    The atoms of each signal and their coefficients.

    Raises
    ------
    ValueError
        For other shapes, or a sparsity that is none of 1, 2, 3.

    References
    ----------
    Pati, Y. C., Rezaiifar, R. and Krishnaprasad, P. S. (1993), doi:10.1109/ACSSC.1993.342465.

    Examples
    --------
    >>> dictionary = [[1.0, 0.0, 0.0], [0.0, 0.6, 0.8], [0.0, 1.0, 0.0]]
    >>> found = code([[0.0, 1.5, 2.0], [3.0, 1.0, 0.0]], dictionary, sparsity=2)
    >>> found.atoms.tolist()
    [[1, -1], [0, 2]]
    >>> found.coefficients.round(12).tolist()
    [[2.5, 0.0], [3.0, 1.0]]
    """
    values, dictionary = np.asarray(signals, dtype=np.float64), np.asarray(atoms, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != 3:
        raise ValueError(f"signals have the shape (n, 3), these {values.shape}")
    if dictionary.ndim != 2 or dictionary.shape[1] != 3 or len(dictionary) == 0:
        raise ValueError(f"atoms have the shape (K, 3), these {dictionary.shape}")
    if sparsity not in (1, 2, 3):
        raise ValueError(f"a colour is coded with 1 to 3 atoms, not {sparsity}")
    signal = np.ascontiguousarray(values.T)  # (3, n): one coordinate after the other
    table = np.ascontiguousarray(dictionary.T)  # (3, K)

    length = _length(signal)
    first, score = _best(signal, table)
    live = score > NEGLIGIBLE * length  # False where a pursuit has ended; its further coefficients are 0
    a1 = table[:, first]
    z1 = np.where(live, _dot(signal, a1), 0.0)
    supports = [np.where(live, first, -1)]
    if sparsity == 1:
        return _code(supports, [z1])

    residual = signal - z1 * a1
    remaining = _length(residual)
    second, score = _best(residual, table)
    live &= (remaining > NEGLIGIBLE * length) & (score > NEGLIGIBLE * remaining)
    a2 = table[:, second]
    g21 = _dot(a2, a1)
    q2 = a2 - g21 * a1  # the part of the second atom at a right angle to the first
    z2 = _quotient(_dot(residual, q2), _dot(q2, q2), live)
    supports.append(np.where(live, second, -1))
    if sparsity == 2:
        return _code(supports, [z1 - g21 * z2, z2])

    normal, lean, third = _third_atoms(table, first, second)
    component = _dot(signal, normal)
    live &= (np.abs(component) > NEGLIGIBLE * length) & (np.abs(lean) > NEGLIGIBLE)
    a3 = table[:, third]
    c3 = _quotient(component, lean, live)
    c2 = z2 - c3 * _quotient(_dot(a3, q2), _dot(q2, q2), live)
    c1 = z1 - g21 * c2 - _dot(a3, a1) * c3
    supports.append(np.where(live, third, -1))
    return _code(supports, [c1, c2, c3])


def decode(found: Code, spectral_atoms: Floats) -> NDArray[np.float32]:
    """Add up the spectral atoms of a code.

    Parameters
    ----------
    found
        What `code` gave for n signals.
    spectral_atoms
        (K, bands) float64: the spectra behind the atoms of the code.

    Returns
    -------
    (n, bands) float32, summed in float64.
    """
    count = len(found.atoms)
    spectra = np.empty((count, spectral_atoms.shape[1]), dtype=np.float32)
    for start in range(0, count, _SPECTRA_AT_A_TIME):
        rows = slice(start, start + _SPECTRA_AT_A_TIME)
        total = np.zeros((len(spectra[rows]), spectral_atoms.shape[1]))
        for column in range(found.atoms.shape[1]):
            # -1 takes the last atom, times 0
            total += found.coefficients[rows, column, np.newaxis] * spectral_atoms[found.atoms[rows, column]]
        spectra[rows] = total
    return spectra


def _best(vectors: Floats, table: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Return the position of the largest |<atom, vector>| for each vector of (3, n), and that value."""
    count, size = vectors.shape[1], table.shape[1]
    rows = max(1, min(_SCORES_AT_A_TIME // size, count))
    best, score = np.empty(count, dtype=np.intp), np.empty(count)
    scores, terms = np.empty((rows, size)), np.empty((rows, size))
    for start in range(0, count, rows):
        block = vectors[:, start : start + rows, np.newaxis]
        total, term = scores[: block.shape[1]], terms[: block.shape[1]]
        np.multiply(block[0], table[0], out=total)
        total += np.multiply(block[1], table[1], out=term)
        total += np.multiply(block[2], table[2], out=term)
        np.abs(total, out=total)
        winner = total.argmax(axis=1)  # the first of equals
        best[start : start + rows] = winner
        score[start : start + rows] = total[np.arange(len(total)), winner]
    return best, score


def _third_atoms(
    table: Floats, first: NDArray[np.intp], second: NDArray[np.intp]
) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Return for each pair its unit normal (3, n), and the atom that leans most along it with its signed cosine."""
    size = table.shape[1]
    pairs, place = np.unique(first * size + second, return_inverse=True)
    one, two = table[:, pairs // size], table[:, pairs % size]
    cross = np.stack(
        [
            one[1] * two[2] - one[2] * two[1],
            one[2] * two[0] - one[0] * two[2],
            one[0] * two[1] - one[1] * two[0],
        ]
    )
    length = _length(cross)
    normal = _quotient(cross, length, length > 0.0)
    third = _best(normal, table)[0]
    lean = _dot(normal, table[:, third])
    return normal[:, place], lean[place], third[place]


def _dot(left: Floats, right: Floats) -> Floats:
    """Products of vectors (3, n), each always summed in the same order."""
    total: Floats = left[0] * right[0] + left[1] * right[1] + left[2] * right[2]
    return total


def _length(vectors: Floats) -> Floats:
    length: Floats = np.sqrt(_dot(vectors, vectors))
    return length


def _quotient(numerator: Floats, denominator: Floats, wanted: NDArray[np.bool_]) -> Floats:
    """Divide where `wanted`, else 0."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=wanted)


def _code(supports: list[NDArray[np.intp]], coefficients: list[Floats]) -> Code:
    return Code(np.stack(supports, axis=1), np.stack(coefficients, axis=1))
