"""The coding of `specrec_arad.pursuit` in plain numpy: every score in one table, step after step.

The compiled code adds the same terms in the same order, so the two are equal to the last bit.
"""

import numpy as np

from specrec_arad.pursuit import NEGLIGIBLE


def dot(left, right):
    return left[..., 0] * right[..., 0] + left[..., 1] * right[..., 1] + left[..., 2] * right[..., 2]


def length(vectors):
    return np.sqrt(dot(vectors, vectors))


def best(vectors, atoms):
    """The first atom with the largest |<atom, vector>|, and that value."""
    scores = np.abs(dot(vectors[:, np.newaxis], atoms))
    winner = scores.argmax(axis=1)
    return winner, scores[np.arange(len(scores)), winner]


def quotient(numerator, denominator, wanted):
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=wanted)


def plain_code(signals, atoms):
    """Return atoms (n, 3) and coefficients (n, 3) of three steps, as `code` does with sparsity 3."""
    long = length(signals)
    first, score = best(signals, atoms)
    live = score > NEGLIGIBLE * long
    a1 = atoms[first]
    z1 = np.where(live, dot(signals, a1), 0.0)
    places = [np.where(live, first, -1)]

    residual = signals - z1[:, np.newaxis] * a1
    remaining = length(residual)
    second, score = best(residual, atoms)
    live = live & (remaining > NEGLIGIBLE * long) & (score > NEGLIGIBLE * remaining)
    a2 = atoms[second]
    g21 = dot(a2, a1)
    q2 = a2 - g21[:, np.newaxis] * a1  # the part of the second atom at a right angle to the first
    z2 = quotient(dot(residual, q2), dot(q2, q2), live)
    places.append(np.where(live, second, -1))

    cross = a1[:, [1, 2, 0]] * a2[:, [2, 0, 1]] - a1[:, [2, 0, 1]] * a2[:, [1, 2, 0]]
    normal = quotient(cross, length(cross)[:, np.newaxis], length(cross)[:, np.newaxis] > 0.0)
    third, score = best(normal, atoms)
    component, lean = dot(signals, normal), dot(normal, atoms[third])
    live = live & (np.abs(component) > NEGLIGIBLE * long) & (score > NEGLIGIBLE)
    a3 = atoms[third]
    c3 = quotient(component, lean, live)
    c2 = z2 - c3 * quotient(dot(a3, q2), dot(q2, q2), live)
    c1 = z1 - g21 * c2 - dot(a3, a1) * c3
    places.append(np.where(live, third, -1))
    return np.stack(places, axis=1), np.stack([c1, c2, c3], axis=1)
