"""Gaussian bumps around points of a colour space, for all colours and all centres at once."""

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def gaussians(colours: Matrix, centres: Matrix, width: float) -> Matrix:
    """Return exp(-|colour - centre|^2 / (2 width^2)) of colours (n, d) and centres (k, d): (n, k).

    One matrix product gives all exponents: 2 colour . centre - |colour|^2 - |centre|^2, each over 2 width^2.

    Examples
    --------
    >>> gaussians(np.array([[0.0, 0.0], [0.3, 0.4]]), np.array([[0.0, 0.0]]), 0.5).round(6).tolist()
    [[1.0], [0.606531]]
    """
    ones = np.ones((len(colours), 1))
    left = np.hstack([colours, np.square(colours).sum(axis=1, keepdims=True), ones])
    right = np.vstack([2.0 * centres.T, -np.ones(len(centres)), -np.square(centres).sum(axis=1)])
    exponents = left @ (right / (2.0 * width**2))
    return np.exp(exponents, out=exponents)
