"""Functions of 8-bit colours that are products over the channels: three tables of 256 rows hold all there is."""

import numpy as np
from numpy.typing import NDArray

from specrec.compiled import compiled
from specrec.per_pixel import Rows

Matrix = NDArray[np.float64]

LEVELS: Rows = np.arange(256, dtype=np.float32) / np.float32(255.0)


def levels_of(colours: Rows) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the levels of colours (n, 3), and (n,) whether a colour is exactly of them; if not, they mean nothing.

    Examples
    --------
    >>> levels, known = levels_of(np.float32([[0.2, 0.0, 1.0], [0.2001, 0.0, 1.0]]))
    >>> levels.tolist(), known.tolist()
    ([[51, 0, 255], [51, 0, 255]], [True, False])
    """
    levels = np.rint(np.clip(colours, 0.0, 1.0) * np.float32(255.0)).astype(np.int64)
    return levels, np.asarray((LEVELS[levels] == colours).all(axis=1))


def products(levels: NDArray[np.int64], tables: NDArray[np.float64]) -> Matrix:
    """Multiply the rows of three tables (3, 256, k), one of each channel, at levels (n, 3): (n, k)."""
    found = np.empty((len(levels), tables.shape[2]))
    _multiply(levels, tables, found)
    return found


@compiled
def _multiply(levels: NDArray[np.int64], tables: NDArray[np.float64], found: Matrix) -> None:
    for pixel in range(levels.shape[0]):
        red, green, blue = tables[0, levels[pixel, 0]], tables[1, levels[pixel, 1]], tables[2, levels[pixel, 2]]
        for column in range(found.shape[1]):
            found[pixel, column] = red[column] * green[column] * blue[column]
