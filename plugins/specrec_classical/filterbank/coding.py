"""The compiled inner loop: the few prototypes nearest to each pixel, and the spectrum they add up to."""

import math

import numpy as np
from numpy.typing import NDArray

from specrec.compiled import compiled

Floats = NDArray[np.float64]


@compiled
def positions(descriptors: NDArray[np.float32], axes: Floats, origin: Floats) -> NDArray[np.float32]:
    """Project descriptors (d, n) on axes (d, m) and subtract the origin's projection (m,): (n, m) float32."""
    length, count = descriptors.shape
    width = axes.shape[1]
    found = np.empty((count, width), dtype=np.float32)
    total = np.empty(width)
    for pixel in range(count):
        for axis in range(width):
            total[axis] = -origin[axis]
        for place in range(length):
            value = descriptors[place, pixel]
            for axis in range(width):
                total[axis] += value * axes[place, axis]
        for axis in range(width):
            found[pixel, axis] = total[axis]
    return found


@compiled
def code(
    points: NDArray[np.float32], prototypes: NDArray[np.float32], sparsity: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Code points (n, m) over their nearest prototypes (m, K): localised soft assignment.

    A prototype at the distance d from a point has the weight exp(-d^2 / 2) there, and all but the `sparsity` nearest
    have none; equal distances go to the prototype that comes first. Weights add up to 1.

    Returns
    -------
    Prototypes (n, sparsity), nearest first, and their weights, float32.

    References
    ----------
    Liu, Wang and Liu 2011, In defense of soft-assignment coding, doi:10.1109/ICCV.2011.6126534.
    """
    count, width = points.shape
    size = prototypes.shape[1]
    atoms = np.zeros((count, sparsity), dtype=np.int32)
    weights = np.empty((count, sparsity), dtype=np.float32)
    squares = np.empty(size, dtype=np.float32)
    nearest = np.empty(sparsity, dtype=np.float32)
    for pixel in range(count):
        squares[:] = np.float32(0.0)
        for axis in range(width):
            value = points[pixel, axis]
            for atom in range(size):
                apart = value - prototypes[axis, atom]
                squares[atom] += apart * apart
        nearest[:] = np.float32(np.inf)
        for atom in range(size):
            square = squares[atom]
            if square < nearest[sparsity - 1]:
                place = sparsity - 1
                while place > 0 and square < nearest[place - 1]:
                    nearest[place] = nearest[place - 1]
                    atoms[pixel, place] = atoms[pixel, place - 1]
                    place -= 1
                nearest[place] = square
                atoms[pixel, place] = atom
        total = 0.0
        for place in range(sparsity):
            total += math.exp(-0.5 * (float(nearest[place]) - float(nearest[0])))
        for place in range(sparsity):
            weights[pixel, place] = math.exp(-0.5 * (float(nearest[place]) - float(nearest[0]))) / total
    return atoms, weights


@compiled
def decode(points: NDArray[np.float32], atoms: NDArray[np.int32], weights: NDArray[np.float32], maps: Floats) -> Floats:
    """Add up what prototypes say of points: (n, bands).

    Parameters
    ----------
    points
        (n, m).
    atoms, weights
        What `code` gave.
    maps
        (K, 1 + m, bands): a constant and a slope along every axis.
    """
    count, width = points.shape
    bands = maps.shape[2]
    found = np.zeros((count, bands))
    for pixel in range(count):
        for place in range(atoms.shape[1]):
            atom, weight = atoms[pixel, place], float(weights[pixel, place])
            for band in range(bands):
                found[pixel, band] += weight * maps[atom, 0, band]
            for axis in range(width):
                share = weight * points[pixel, axis]
                for band in range(bands):
                    found[pixel, band] += share * maps[atom, 1 + axis, band]
    return found
