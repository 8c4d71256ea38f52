"""The distinct colours of an 8-bit image: a photograph has about four pixels of each, which need the same answer.

Colours are marked in a table of one bit for each of the 2^24; a running count over its words tells the place of any
of them. Table and counts are 3 MB and stay in a processor's cache, so that neither sorting nor the size of the image
matters.
"""

import numpy as np
from numpy.typing import NDArray

from specrec.compiled import compiled

Rows = NDArray[np.float32]
Places = NDArray[np.int32]

_WORDS = 1 << 18  # of 64 colours each: 2^24 in all
_LEVELS = np.arange(256, dtype=np.float32) / np.float32(255.0)


def distinct_colours(colours: Rows, pixels_per_colour: float = 0.0) -> tuple[Rows, Places] | None:
    """Find the distinct colours of an image, and the place of every pixel's colour among them.

    Parameters
    ----------
    colours
        (n, 3) float32, C-contiguous.
    pixels_per_colour
        Give up where there are fewer on average.

    Returns
    -------
    The colours (m, 3), float32, ordered by red, then green, then blue; and (n,) int32, so that ``found[places]`` is
    `colours`. None where a value is not exactly one of 0/255, 1/255, .. 1 or where the colours are too many.

    Examples
    --------
    >>> grey = np.repeat(np.float32([[0.2], [0.0], [0.2]]), 3, axis=1)
    >>> found, places = distinct_colours(grey)
    >>> found.tolist() == grey[1:].tolist(), places.tolist()
    (True, [1, 0, 1])
    >>> distinct_colours(grey + np.float32(0.001)) is None
    True
    """
    codes = np.empty(len(colours), dtype=np.int32)
    seen = np.zeros(_WORDS, dtype=np.uint64)
    if not _mark(colours, _LEVELS, codes, seen):
        return None
    before = np.empty(_WORDS, dtype=np.int32)
    count = _count(seen, before)
    if len(colours) < pixels_per_colour * count:
        return None
    found = np.empty((count, 3), dtype=np.float32)
    _unpack(seen, _LEVELS, found)
    _place(codes, seen, before)
    return found, codes


def sum_by_place(rows: Rows, places: Places, count: int) -> NDArray[np.float64]:
    """Add up the rows (n, k) of each of `count` places, in the order of the rows; (count, k) float64.

    Examples
    --------
    >>> sum_by_place(np.float32([[1.0], [2.0], [4.0]]), np.int32([1, 0, 1]), 2).tolist()
    [[2.0], [5.0]]
    """
    sums = np.zeros((count, rows.shape[1]))
    _add(rows, places, sums)
    return sums


@compiled
def _mark(colours: Rows, levels: Rows, codes: Places, seen: NDArray[np.uint64]) -> bool:
    """Pack each colour into 24 bits and mark it; False at the first value that is not 8-bit."""
    for pixel in range(colours.shape[0]):
        code = 0
        for channel in range(3):
            value = colours[pixel, channel]
            if not 0.0 <= value <= 1.0:
                return False
            level = int(value * np.float32(255.0) + np.float32(0.5))
            if levels[level] != value:
                return False
            code = code * 256 + level
        codes[pixel] = code
        seen[code >> 6] |= np.uint64(1) << np.uint64(code & 63)
    return True


@compiled
def _count(seen: NDArray[np.uint64], before: Places) -> int:
    """Fill in how many colours lie before each word, and return how many there are."""
    total = 0
    for index in range(seen.shape[0]):
        before[index] = total
        if seen[index] != np.uint64(0):
            total += _bits(seen[index])
    return total


@compiled
def _unpack(seen: NDArray[np.uint64], levels: Rows, found: Rows) -> None:
    """List the colours marked."""
    place = 0
    for index in range(seen.shape[0]):
        word = seen[index]
        while word != np.uint64(0):
            rest = word & (word - np.uint64(1))  # without its lowest bit
            code = index * 64 + _bits((word ^ rest) - np.uint64(1))
            found[place, 0] = levels[code >> 16]
            found[place, 1] = levels[(code >> 8) & 255]
            found[place, 2] = levels[code & 255]
            place += 1
            word = rest


@compiled
def _place(codes: Places, seen: NDArray[np.uint64], before: Places) -> None:
    """Replace every code by its place: the colours before its word, and those before it in the word."""
    for pixel in range(codes.shape[0]):
        code = codes[pixel]
        lower = (np.uint64(1) << np.uint64(code & 63)) - np.uint64(1)
        codes[pixel] = before[code >> 6] + _bits(seen[code >> 6] & lower)


@compiled
def _bits(word: np.uint64) -> int:
    """Count the bits set, in pairs, fours, bytes, and then all bytes by one product."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int(np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56)))


@compiled
def _add(rows: Rows, places: Places, sums: NDArray[np.float64]) -> None:
    for row in range(rows.shape[0]):
        place = places[row]
        for column in range(rows.shape[1]):
            sums[place, column] += rows[row, column]
