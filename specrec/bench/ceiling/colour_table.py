"""A table of colours: how many pixels scenes hold of each, in how many scenes, and the sums that their spectra give.

Sums of spectra and of their squared lengths are all that a mean spectrum and the spread about it need. So scenes are
read one after the other, and one scene's share can be taken out of the sums again.
"""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.compiled import compiled
from specrec.errors import SpecrecError
from specrec.memory import available_memory
from specrec.scenes import Image
from specrec.spectra import Cube

COLOURS = 1 << 24
"""Of an 8-bit image."""

NONE = -1
"""The code of a pixel that does not count."""

Codes = NDArray[np.int32]
"""Colours as numbers, 65536 red + 256 green + blue of the 8-bit levels."""


def colour_codes(rgb: Image) -> Codes:
    """Number the colours of an image, (height, width, 3) of 8-bit levels / 255, as (height, width).

    Examples
    --------
    >>> colour_codes(np.float32([[[0, 0, 1], [1 / 255, 2 / 255, 3 / 255]]])).tolist()
    [[255, 66051]]
    """
    levels = np.rint(rgb * 255.0).astype(np.int32)
    return np.asarray(levels[..., 0] << 16 | levels[..., 1] << 8 | levels[..., 2])


class ColourTable:
    """Sums over the pixels of each of some colours.

    Parameters
    ----------
    codes
        The colours, (n,) distinct and sorted.
    bands
        Of a spectrum.

    Attributes
    ----------
    pixels, scenes
        (n,) int64: pixels of a colour, and scenes that have some.
    sums
        (n, bands) float64: of their spectra.
    squares
        (n,) float64: of the squared lengths of their spectra.

    Raises
    ------
    SpecrecError
        If memory does not hold the table.
    """

    def __init__(self, codes: Codes, bands: int) -> None:
        needed = 8 * codes.size * (bands + 4) + 4 * COLOURS
        if needed > available_memory():
            raise SpecrecError(
                f"the ceiling's table of {codes.size} colours needs {needed / 1e9:.1f} GB, more than there is;"
                " pass --ceiling 0 to leave it out"
            )
        self.codes = codes
        self.pixels = np.zeros(codes.size, dtype=np.int64)
        self.scenes = np.zeros(codes.size, dtype=np.int64)
        self.sums = np.zeros((codes.size, bands))
        self.squares = np.zeros(codes.size)

    @cached_property
    def _rows(self) -> Codes:
        rows = np.full(COLOURS, NONE, dtype=np.int32)
        rows[self.codes] = np.arange(self.codes.size, dtype=np.int32)
        return rows

    def places(self, codes: Codes) -> Codes:
        """Find the row of each code, in the shape of `codes`; `NONE` for those that have none."""
        return np.where(codes == NONE, np.int32(NONE), self._rows[codes])

    def add(self, codes: Codes, cube: Cube) -> None:
        """Add one scene: the codes of its pixels, (height, width), and its cube."""
        spectra = np.ascontiguousarray(cube, dtype=np.float32).reshape(codes.size, -1)
        before = self.pixels.copy()
        _add(self.places(codes).reshape(-1), spectra, self.pixels, self.sums, self.squares)
        self.scenes += self.pixels > before

    def at(self, codes: Codes) -> "ColourTable":
        """Return the table of some colours, (m,) distinct and sorted; one that is not held has no pixel."""
        found = ColourTable(codes, self.sums.shape[1])
        places = self.places(codes)
        held = places != NONE
        for mine, theirs in zip(self._arrays(), found._arrays(), strict=True):
            theirs[held] = mine[places[held]]
        return found

    def plus(self, other: "ColourTable") -> "ColourTable":
        """Return the sums of both; `other` is of the same colours."""
        return self._with(other, np.add)

    def minus(self, other: "ColourTable") -> "ColourTable":
        """Take the sums of `other`, of the same colours, out of these, which hold them."""
        rest = self._with(other, np.subtract)
        empty = rest.pixels == 0
        rest.sums[empty], rest.squares[empty] = 0.0, 0.0  # the difference of equal sums may not be quite 0
        return rest

    def means(self) -> NDArray[np.float64]:
        """Mean spectrum of each colour, (n, bands); 0 for one without pixels."""
        return np.asarray(self.sums / np.maximum(self.pixels, 1)[:, np.newaxis])

    def spreads(self) -> NDArray[np.float64]:
        """Root of the mean squared distance of a colour's spectra from their mean, over pixels and bands, (n,)."""
        variance = self.squares / np.maximum(self.pixels, 1) - np.square(self.means()).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0) / self.sums.shape[1]))

    def _with(self, other: "ColourTable", combine: np.ufunc) -> "ColourTable":
        found = ColourTable(self.codes, self.sums.shape[1])
        for result, mine, theirs in zip(found._arrays(), self._arrays(), other._arrays(), strict=True):
            combine(mine, theirs, out=result)
        return found

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self.pixels, self.scenes, self.sums, self.squares


@compiled
def _add(
    places: Codes,
    spectra: NDArray[np.float32],
    pixels: NDArray[np.int64],
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> None:
    for pixel in range(places.size):
        row = places[pixel]
        if row < 0:
            continue
        pixels[row] += 1
        square = 0.0
        for band in range(spectra.shape[1]):
            value = np.float64(spectra[pixel, band])
            sums[row, band] += value
            square += value * value
        squares[row] += square
