"""Orthogonal matching pursuit of colours: which few atoms add up to each 3-dimensional signal, many signals at once.

Plain orthogonal matching pursuit (Pati, Rezaiifar and Krishnaprasad 1993): take the atom with the largest
|<atom, residual>|, fit the signal on all atoms taken so far, repeat. Three dimensions allow two short cuts that change
nothing but the cost:

- the coefficients have a closed form (three vectors are made orthogonal by hand);
- after two atoms the residual lies on the one line orthogonal to both, so the third atom is the one that leans most
  along that normal. Rounding in a small residual cannot change it.

The loops are compiled. They walk a few dozen signals at a time, so that these and their best scores stay in the
first-level cache while every atom passes by; no table of scores is ever in memory. Every product of three terms is
written out and nothing goes through a BLAS, so that a signal's code depends on that signal alone: not on the number of
threads, the processor's kernels or the other signals of the call.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.compiled import compiled

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Vector = tuple[float, float, float]

NEGLIGIBLE = 1e-6
"""A residual this small beside its signal is rounding, and an atom this far from a right angle to it does not help.

A float32 signal is rounded by up to 6e-8 of its length, a decoded float32 sRGB value by about 1.5e-7: a residual of
that size points anywhere and must not pick an atom. With the factor of about seven that lies between, what is left
out stays below 1e-5 of the signal wherever the atom left out leans towards the residual by a tenth or more.
"""

TOGETHER = 64
"""Signals that walk past the atoms together: they, their best scores and atoms are 2.5 kB."""

_ABREAST = 4  # atoms that a signal meets before its best score is put back


class Code(NamedTuple):
    """Which atoms make up each signal, and how much of each.

    Parameters
    ----------
    atoms
        (n, sparsity) positions in the dictionary, in the order they were taken; -1 where the pursuit had ended.
    coefficients
        (n, sparsity) float64; 0 where the pursuit had ended.
    """

    atoms: Places
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
    values, dictionary = np.ascontiguousarray(signals, dtype=np.float64), np.asarray(atoms, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != 3:
        raise ValueError(f"signals have the shape (n, 3), these {values.shape}")
    if dictionary.ndim != 2 or dictionary.shape[1] != 3 or len(dictionary) == 0:
        raise ValueError(f"atoms have the shape (K, 3), these {dictionary.shape}")
    if sparsity not in (1, 2, 3):
        raise ValueError(f"a colour is coded with 1 to 3 atoms, not {sparsity}")
    # zeros at the end are atoms that are never taken
    table = np.zeros((-(-len(dictionary) // _ABREAST) * _ABREAST, 3))
    table[: len(dictionary)] = dictionary
    found = Code(np.empty((len(values), sparsity), dtype=np.int64), np.empty((len(values), sparsity)))
    _pursue(values, table, found.atoms, found.coefficients)
    return found


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
    spectra = np.empty((len(found.atoms), spectral_atoms.shape[1]), dtype=np.float32)
    _add_up(found.atoms, found.coefficients, np.ascontiguousarray(spectral_atoms), spectra)
    return spectra


@compiled
def _pursue(signals: Floats, table: Floats, atoms: Places, coefficients: Floats) -> None:
    """Code signals (n, 3) over a table (a multiple of `_ABREAST`, 3); the sparsity is that of the arrays filled in."""
    sparsity = atoms.shape[1]
    x, y, z = np.zeros(TOGETHER), np.zeros(TOGETHER), np.zeros(TOGETHER)  # what is held against the atoms
    score, winner = np.zeros(TOGETHER), np.zeros(TOGETHER, dtype=np.int64)
    for start in range(0, len(signals), TOGETHER):
        count = min(TOGETHER, len(signals) - start)
        for i in range(count):
            x[i], y[i], z[i] = _row(signals, start + i)
        _find_best(x, y, z, table, score, winner)
        for i in range(count):
            row, signal = start + i, _row(signals, start + i)
            atoms[row], coefficients[row] = -1, 0.0
            x[i], y[i], z[i] = 0.0, 0.0, 0.0  # where a pursuit has ended nothing scores any more
            if score[i] > NEGLIGIBLE * _length(signal):
                one = _row(table, winner[i])
                atoms[row, 0], coefficients[row, 0] = winner[i], _dot(signal, one)
                x[i], y[i], z[i] = _without(signal, one, coefficients[row, 0])
        if sparsity == 1:
            continue
        _find_best(x, y, z, table, score, winner)
        for i in range(count):
            row, signal, residual = start + i, _row(signals, start + i), (x[i], y[i], z[i])
            x[i], y[i], z[i] = 0.0, 0.0, 0.0
            remaining = _length(residual)
            if remaining > NEGLIGIBLE * _length(signal) and score[i] > NEGLIGIBLE * remaining:
                one, two = _row(table, atoms[row, 0]), _row(table, winner[i])
                upright = _without(two, one, _dot(two, one))
                amount = _dot(residual, upright) / _dot(upright, upright)
                atoms[row, 1], coefficients[row, 1] = winner[i], amount
                coefficients[row, 0] -= _dot(two, one) * amount
                x[i], y[i], z[i] = _normal(one, two)
        if sparsity == 2:
            continue
        _find_best(x, y, z, table, score, winner)
        for i in range(count):
            row, signal, normal = start + i, _row(signals, start + i), (x[i], y[i], z[i])
            if abs(_dot(signal, normal)) > NEGLIGIBLE * _length(signal) and score[i] > NEGLIGIBLE:
                one, two = _row(table, atoms[row, 0]), _row(table, atoms[row, 1])
                three = _row(table, winner[i])
                upright = _without(two, one, _dot(two, one))
                amount = _dot(signal, normal) / _dot(normal, three)
                second = coefficients[row, 1] - amount * (_dot(three, upright) / _dot(upright, upright))
                first = _dot(signal, one) - _dot(two, one) * second - _dot(three, one) * amount
                atoms[row, 2] = winner[i]
                coefficients[row, 0], coefficients[row, 1], coefficients[row, 2] = first, second, amount


@compiled
def _find_best(x: Floats, y: Floats, z: Floats, table: Floats, score: Floats, winner: Places) -> None:
    """Find the first atom with the largest |<atom, vector>| for each of a few vectors, and that value."""
    for i in range(TOGETHER):
        score[i], winner[i] = 0.0, 0
    for k in range(0, len(table), _ABREAST):
        x0, y0, z0 = _row(table, k)
        x1, y1, z1 = _row(table, k + 1)
        x2, y2, z2 = _row(table, k + 2)
        x3, y3, z3 = _row(table, k + 3)
        for i in range(TOGETHER):  # a fixed number, without a branch: this loop becomes vector instructions
            best, place = score[i], winner[i]
            s0 = abs(x[i] * x0 + y[i] * y0 + z[i] * z0)
            place, best = (k, s0) if s0 > best else (place, best)
            s1 = abs(x[i] * x1 + y[i] * y1 + z[i] * z1)
            place, best = (k + 1, s1) if s1 > best else (place, best)
            s2 = abs(x[i] * x2 + y[i] * y2 + z[i] * z2)
            place, best = (k + 2, s2) if s2 > best else (place, best)
            s3 = abs(x[i] * x3 + y[i] * y3 + z[i] * z3)
            place, best = (k + 3, s3) if s3 > best else (place, best)
            score[i], winner[i] = best, place


@compiled
def _add_up(atoms: Places, coefficients: Floats, spectral_atoms: Floats, spectra: NDArray[np.float32]) -> None:
    """Write the sums of spectral atoms (K, bands) into `spectra` (n, bands)."""
    bands = spectra.shape[1]
    total = np.zeros(bands)
    for row in range(len(atoms)):
        total[:] = 0.0
        for column in range(atoms.shape[1]):
            place, amount = atoms[row, column], coefficients[row, column]
            if place >= 0:
                for band in range(bands):
                    total[band] += amount * spectral_atoms[place, band]
        for band in range(bands):
            spectra[row, band] = total[band]


@compiled
def _row(rows: Floats, place: int) -> Vector:
    return rows[place, 0], rows[place, 1], rows[place, 2]


@compiled
def _dot(left: Vector, right: Vector) -> float:
    return left[0] * right[0] + left[1] * right[1] + left[2] * right[2]


@compiled
def _length(vector: Vector) -> float:
    return math.sqrt(_dot(vector, vector))


@compiled
def _without(vector: Vector, atom: Vector, amount: float) -> Vector:
    return vector[0] - amount * atom[0], vector[1] - amount * atom[1], vector[2] - amount * atom[2]


@compiled
def _normal(one: Vector, two: Vector) -> Vector:
    """Return the unit vector at a right angle to both; 0 if they are parallel."""
    x, y, z = one[1] * two[2] - one[2] * two[1], one[2] * two[0] - one[0] * two[2], one[0] * two[1] - one[1] * two[0]
    length = _length((x, y, z))
    return (x / length, y / length, z / length) if length > 0.0 else (0.0, 0.0, 0.0)
