import itertools

import numpy as np
import pytest

from specrec_classical.terms import combine, expand, monomials, root_monomials

VALUES = np.vstack([np.random.default_rng(0).random((300, 3)), [[0, 0, 0], [1, 1, 1], [0, 1, 0.5]]])
every = pytest.mark.parametrize("listed", [monomials, root_monomials])
degrees = pytest.mark.parametrize("degree", [1, 2, 3, 4, 5, 6])


def plain(values, terms):
    """The terms by the letter."""
    return np.stack([np.prod(values**exponents, axis=1) ** (1 / root) for root, *exponents in terms.tolist()], axis=1)


@every
@degrees
def test_terms_are_roots_of_products_of_powers(listed, degree):
    np.testing.assert_allclose(expand(VALUES, listed(degree)), plain(VALUES, listed(degree)), rtol=1e-12, atol=0)


@degrees
def test_monomials_are_all_products_up_to_the_degree_once(degree):
    everything = itertools.product(range(degree + 1), repeat=3)
    wanted = {(1, *exponents) for exponents in everything if 1 <= sum(exponents) <= degree}
    listed = [tuple(term) for term in monomials(degree).tolist()]
    assert len(listed) == len(set(listed))
    assert set(listed) == wanted


@degrees
def test_root_monomials_are_all_roots_of_products_each_value_once(degree):
    found = expand(VALUES, root_monomials(degree))
    for root in range(1, degree + 1):
        same = [term for term in monomials(degree) if term[1:].sum() == root]
        for term in same:
            wanted = plain(VALUES, np.array([[root, *term[1:]]]))
            assert np.isclose(found, wanted, rtol=1e-9).all(axis=0).sum() == 1


@degrees
def test_roots_grow_with_the_light(degree):
    terms = root_monomials(degree)
    np.testing.assert_allclose(expand(3.0 * VALUES, terms), 3.0 * expand(VALUES, terms), rtol=1e-12)


@every
@degrees
def test_combining_is_expanding_and_a_product(listed, degree):
    rng = np.random.default_rng(degree)
    terms = listed(degree)
    for bands in (1, 31, 32):
        coefficients, constant = rng.standard_normal((len(terms), bands)), rng.standard_normal(bands)
        found = combine(VALUES, terms, coefficients)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, plain(VALUES, terms) @ coefficients, rtol=1e-5, atol=1e-5)
        expected = plain(VALUES, terms) @ coefficients + constant
        np.testing.assert_allclose(combine(VALUES, terms, coefficients, constant), expected, rtol=1e-5, atol=1e-5)


@every
def test_each_pixel_is_combined_by_itself_to_the_last_bit(listed):
    terms = listed(5)
    coefficients = np.random.default_rng(1).standard_normal((len(terms), 31))
    whole = combine(VALUES, terms, coefficients)
    for row in (0, 1, 7, 302):
        np.testing.assert_array_equal(combine(VALUES[row : row + 1], terms, coefficients)[0], whole[row])


def test_a_negative_value_has_powers_and_counts_as_zero_under_a_root():
    values = np.array([[-0.5, 0.25, 1.0]])
    np.testing.assert_array_equal(expand(values, np.array([[1, 2, 1, 0]])), [[0.0625]])
    np.testing.assert_array_equal(expand(values, np.array([[2, 1, 1, 0], [2, 0, 1, 1]])), [[0.0, 0.5]])
