"""Anchors: unit colours that each stand for a cone of directions, learnt, looked up and given a linear map each."""

import numpy as np
from numpy.typing import NDArray

from specrec.compiled import compiled

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_SIDE_BY_SIDE = 256  # pixels that go through the anchors together: what is kept for them stays in the first-level cache


@compiled
def closest(colours: Floats, anchors: Floats) -> Indices:
    """Find the anchor with the largest product with each colour; the first of equals, and of black.

    Parameters
    ----------
    colours
        (n, 3).
    anchors
        (K, 3) of unit length, so that the largest product is the largest correlation.

    Returns
    -------
    (n,) positions of anchors. A row depends on that row alone; no (n x K) scores are kept.
    """
    count = len(colours)
    found = np.zeros(count, dtype=np.int64)
    red, green, blue = np.empty(_SIDE_BY_SIDE), np.empty(_SIDE_BY_SIDE), np.empty(_SIDE_BY_SIDE)
    best, winner = np.empty(_SIDE_BY_SIDE), np.empty(_SIDE_BY_SIDE, dtype=np.int64)
    for start in range(0, count, _SIDE_BY_SIDE):
        pixels = min(_SIDE_BY_SIDE, count - start)
        for pixel in range(pixels):
            red[pixel], green[pixel], blue[pixel] = colours[start + pixel]
            best[pixel], winner[pixel] = -np.inf, 0
        for anchor in range(len(anchors)):
            first, second, third = anchors[anchor]
            for pixel in range(pixels):
                score = red[pixel] * first + green[pixel] * second + blue[pixel] * third
                better = score > best[pixel]
                best[pixel] = score if better else best[pixel]
                winner[pixel] = anchor if better else winner[pixel]
        found[start : start + pixels] = winner[:pixels]
    return found


@compiled
def mapped(colours: Floats, maps: Floats, chosen: Indices) -> NDArray[np.float32]:
    """Take each colour to a spectrum by the map chosen for it.

    Parameters
    ----------
    colours
        (n, 3).
    maps
        (K, 3, bands): the spectrum of each primary.
    chosen
        (n,) positions of maps.

    Returns
    -------
    (n, bands) float32, summed in float64 and always in the same order.
    """
    count, bands = len(colours), maps.shape[2]
    spectra = np.empty((count, bands), dtype=np.float32)
    for pixel in range(count):
        red, green, blue = colours[pixel]
        of = maps[chosen[pixel]]
        for band in range(bands):
            spectra[pixel, band] = red * of[0, band] + green * of[1, band] + blue * of[2, band]
    return spectra


def learn_anchors(colours: Floats, count: int, passes: int, rng: np.random.Generator) -> Floats:
    """Learn unit colours by K-SVD with one atom per colour, which is gain-shape vector quantisation.

    Each pass gives every colour to its closest anchor, and turns every anchor into the direction that its colours
    have most of: the first singular vector. An anchor without colours stays.

    Parameters
    ----------
    colours
        (n, 3), none of them black.
    count
        How many anchors; where there are fewer directions among the colours, so many.
    passes
        Over the colours.
    rng
        Draws the colours whose directions the anchors start from.

    Returns
    -------
    (K, 3) float64 of unit length.

    References
    ----------
    Aharon, Elad and Bruckstein 2006, K-SVD, doi:10.1109/TSP.2006.881199.
    """
    directions = np.unique(colours / length_of(colours), axis=0)
    anchors = directions[np.sort(rng.permutation(len(directions))[:count])]
    pairs = [(row, column) for row in range(3) for column in range(row, 3)]
    for _ in range(passes):
        chosen = closest(colours, anchors)
        scatter = np.empty((len(anchors), 3, 3))
        for row, column in pairs:
            products = np.bincount(chosen, colours[:, row] * colours[:, column], len(anchors))
            scatter[:, row, column] = scatter[:, column, row] = products
        used = np.bincount(chosen, minlength=len(anchors)) > 0
        leading = np.linalg.eigh(scatter[used])[1][:, :, 2]
        anchors[used] = np.abs(leading)  # of colours without negative parts it has none but by its free sign
    return anchors


def length_of(colours: Floats) -> Floats:
    """Lengths of colours (n, 3), as a column."""
    lengths: Floats = np.sqrt(np.square(colours).sum(axis=1, keepdims=True))
    return lengths
