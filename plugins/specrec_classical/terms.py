"""Terms of polynomials and root-polynomials in three values, and sums of terms times spectra, pixel by pixel.

A term is four whole numbers (k, i, j, l): the k-th root of red^i green^j blue^l.
"""

from math import gcd

import numpy as np
from numpy.typing import NDArray

from specrec.compiled import compiled
from specrec.per_pixel import Rows

Terms = NDArray[np.int64]
"""(terms, 4): root, and exponents of red, green and blue."""
Matrix = NDArray[np.float64]

_TERMS = 4  # at a time: the sums are then written to memory a quarter as often
_BANDS = 16  # a multiple of it is vectorised without a remainder


def monomials(degree: int) -> Terms:
    """List all products of red, green and blue of degree 1 to `degree`; there is no constant.

    Examples
    --------
    >>> monomials(1).tolist()
    [[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]]
    >>> [len(monomials(degree)) for degree in range(1, 7)]
    [3, 9, 19, 34, 55, 83]
    """
    return np.array([(1, *exponents) for total in range(1, degree + 1) for exponents in _of_degree(total)])


def root_monomials(degree: int) -> Terms:
    """List the k-th roots of all products of degree k, for k from 1 to `degree`, each value once.

    The square root of red * red is red again, and left out: kept are the products whose exponents have no common
    factor.

    References
    ----------
    Finlayson, Mackiewicz and Hurlbert 2015, Color correction using root-polynomial regression,
    doi:10.1109/TIP.2015.2405336.

    Examples
    --------
    >>> root_monomials(2).tolist()[3:]
    [[2, 1, 1, 0], [2, 1, 0, 1], [2, 0, 1, 1]]
    >>> [len(root_monomials(degree)) for degree in range(1, 7)]
    [3, 6, 13, 22, 40, 55]
    """
    return np.array(
        [(k, *exponents) for k in range(1, degree + 1) for exponents in _of_degree(k) if gcd(*exponents) == 1]
    )


def operations(terms: Terms, bands: int) -> float:
    """Count the multiplications that terms take, and a product (multiplied and added) of each with every band.

    Examples
    --------
    >>> operations(monomials(1), 31), operations(monomials(2), 31)  # 3 x 62, and 9 x 62 and 6 products of two values
    (186.0, 564.0)
    """
    return float((terms[:, 1:].sum(axis=1) - 1).sum() + 2 * len(terms) * bands)


def _of_degree(total: int) -> list[tuple[int, int, int]]:
    pairs = [(red, green) for red in range(total, -1, -1) for green in range(total - red, -1, -1)]
    return [(red, green, total - red - green) for red, green in pairs]


def expand(values: Matrix, terms: Terms) -> Matrix:
    """Compute every term of every pixel: values (n, 3) -> (n, terms). Roots are of values from 0; others count as 0."""
    expanded = np.empty((len(values), len(terms)))
    _expand(values, terms, *_largest(terms), expanded)
    return expanded


def combine(values: Matrix, terms: Terms, coefficients: Matrix, constant: Matrix | None = None) -> Rows:
    """Add up terms times spectra: ``expand(values, terms) @ coefficients``, each pixel by itself to the last bit.

    Parameters
    ----------
    values
        (n, 3), float64.
    terms
        (terms, 4).
    coefficients
        (terms, bands), float64.
    constant
        (bands,): a spectrum that is added to every pixel.

    Returns
    -------
    (n, bands), float32.
    """
    bands = coefficients.shape[1]
    padded = np.pad(coefficients, ((0, -len(terms) % _TERMS), (0, -bands % _BANDS)))
    start = np.zeros(padded.shape[1])
    if constant is not None:
        start[:bands] = constant
    expanded = np.zeros((len(values), len(padded)))
    _expand(values, terms, *_largest(terms), expanded)
    spectra = np.empty((len(values), bands), dtype=np.float32)
    _add_up(expanded, padded, start, spectra)
    return spectra


def _largest(terms: Terms) -> tuple[int, int]:
    return int(terms[:, 0].max()), int(terms[:, 1:].max())


@compiled
def _powers(values: Matrix, pixel: int, table: Matrix) -> None:
    """Fill in the powers of the roots of a pixel's values: table[root, channel, exponent]."""
    for root in range(1, table.shape[0]):
        for channel in range(3):
            value = values[pixel, channel]
            if root > 1:
                value = max(value, 0.0) ** (1.0 / root)
            power = 1.0
            for exponent in range(table.shape[2]):
                table[root, channel, exponent] = power
                power *= value


@compiled
def _expand(values: Matrix, terms: Terms, roots: int, degree: int, expanded: Matrix) -> None:
    table = np.empty((roots + 1, 3, degree + 1))
    for pixel in range(values.shape[0]):
        _powers(values, pixel, table)
        for term in range(terms.shape[0]):
            power = table[terms[term, 0]]
            expanded[pixel, term] = power[0, terms[term, 1]] * power[1, terms[term, 2]] * power[2, terms[term, 3]]


@compiled
def _add_up(expanded: Matrix, coefficients: Matrix, start: Matrix, spectra: Rows) -> None:
    """A loop of its own: written into that of `_expand`, it is not vectorised and takes four times as long."""
    sums = np.empty(start.shape[0])
    for pixel in range(expanded.shape[0]):
        for band in range(sums.shape[0]):
            sums[band] = start[band]
        for term in range(0, coefficients.shape[0], _TERMS):
            first, second = expanded[pixel, term], expanded[pixel, term + 1]
            third, fourth = expanded[pixel, term + 2], expanded[pixel, term + 3]
            for band in range(sums.shape[0]):
                total = sums[band] + first * coefficients[term, band]
                total += second * coefficients[term + 1, band]
                total += third * coefficients[term + 2, band]
                sums[band] = total + fourth * coefficients[term + 3, band]
        for band in range(spectra.shape[1]):
            spectra[pixel, band] = sums[band]
