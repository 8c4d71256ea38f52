"""Least squares over more pixels than memory holds, as exact as over all of them at once.

What was seen is kept as a triangle: the R of a QR decomposition of [rows | targets] (Golub 1965, Numerical methods for
solving linear least squares problems, doi:10.1007/BF01436075). A block is added by decomposing the triangle with the
block below it. The triangle has the singular values of the whole matrix, whereas normal equations would square its
condition number.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from specrec.distinct import distinct_colours, sum_by_place
from specrec.per_pixel import Rows, all_valid_pixels
from specrec.scenes import TrainingScene

Matrix = NDArray[np.float64]

_AT_ONCE = 1 << 10  # rows per decomposition: a block of 114 columns is 1 MB and stays in the cache


class Triangle:
    """The sufficient part of a least-squares problem; its size does not grow with the rows added.

    Parameters
    ----------
    columns
        Of the rows.
    bands
        Columns of the targets.

    Examples
    --------
    >>> triangle = Triangle(columns=1, bands=1)
    >>> triangle.add(np.float64([[1.0], [2.0], [2.0]]), np.float64([[3.0], [6.0], [6.0]]))
    >>> float(triangle.solve()[0, 0].round(12)), round(triangle.error(np.float64([[2.0]])), 12)
    (3.0, 9.0)
    """

    def __init__(self, columns: int, bands: int) -> None:
        self.columns = columns
        self.pixels = 0.0
        self._whole = np.zeros((columns + bands, columns + bands))

    @property
    def rows(self) -> Matrix:
        """(columns + bands, columns): what stands for the rows."""
        return self._whole[:, : self.columns]

    @property
    def targets(self) -> Matrix:
        """(columns + bands, bands): what stands for the targets."""
        return self._whole[:, self.columns :]

    @property
    def scatter(self) -> Matrix:
        """(bands, bands): a triangle of the part of the targets that no solution explains."""
        return self._whole[self.columns :, self.columns :]

    def add(self, rows: Matrix, targets: Matrix, pixels: NDArray[np.int64] | None = None) -> None:
        """Take in rows (n, columns) and targets (n, bands).

        With `pixels` (n,), row i stands for so many equal ones, and target i is their sum. Only what the targets of
        equal rows differ by among themselves is then missing from `error`; it is the same for every solution.
        """
        weights = np.ones(len(rows)) if pixels is None else np.sqrt(pixels)
        self.pixels += float(np.square(weights).sum())
        for start in range(0, len(rows), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            weight = weights[part, np.newaxis]
            self._take_in(np.hstack([rows[part] * weight, targets[part] / weight]))

    def solve(self, ridge: float = 0.0, smallest: float | None = None) -> Matrix:
        """Return the solution (columns, bands).

        Parameters
        ----------
        ridge
            0: plain least squares, the shortest solution where there are several. Else the mean squared error plus
            `ridge` times the squared coefficients is minimised, of columns scaled to a root mean square of 1: it has
            no unit, and means the same for any number of pixels (Hoerl and Kennard 1970, doi:10.2307/1267351).
        smallest
            With ridge 0: singular values below this part of the largest count as zero. Default: rounding, as
            `numpy.linalg.lstsq` has it for the whole matrix.
        """
        if ridge == 0.0:
            rounding = np.finfo(np.float64).eps * max(self.pixels, self.columns)
            return np.linalg.lstsq(self.rows, self.targets, rcond=rounding if smallest is None else smallest)[0]
        lengths = np.linalg.norm(self.rows, axis=0) / np.sqrt(self.pixels)
        scale = np.where(lengths > 0.0, lengths, 1.0)
        damping = np.sqrt(ridge * self.pixels) * np.eye(self.columns)
        damped = np.vstack([self.rows / scale, damping])
        extended = np.vstack([self.targets, np.zeros((self.columns, self.targets.shape[1]))])
        return np.linalg.lstsq(damped, extended, rcond=None)[0] / scale[:, np.newaxis]

    def error(self, solution: Matrix) -> float:
        """Sum of the squared errors of a solution (columns, bands) over all that was added."""
        return float(np.square(self.rows @ solution - self.targets).sum())

    def _take_in(self, block: Matrix) -> None:
        self._whole = np.linalg.qr(np.vstack([self._whole, block]), mode="r")


def joined(parts: Sequence[Triangle]) -> Triangle:
    """Return the triangle of everything that was added to any of `parts`, of which there is at least one."""
    whole = Triangle(parts[0].columns, parts[0].targets.shape[1])
    for part in parts:
        whole._take_in(part._whole)
        whole.pixels += part.pixels
    return whole


def observations(scene: TrainingScene, block: int = 1 << 18) -> Iterator[tuple[Rows, Matrix, NDArray[np.int64]]]:
    """Yield the valid pixels of a scene, those of one 8-bit colour joined: a quarter of the rows, the same solution.

    Parameters
    ----------
    scene
        Read once.
    block
        About how many pixels are joined at a time.

    Yields
    ------
    Colours (n, 3), float32; the sums of the spectra of the pixels of each, (n, bands), float64; and how many they are.
    """
    for colours, spectra in all_valid_pixels(scene, block):
        found = distinct_colours(colours) if scene.input == "srgb8" else None
        if found is None:
            yield colours, spectra.astype(np.float64), np.ones(len(colours), dtype=np.int64)
        else:
            distinct, places = found
            yield distinct, sum_by_place(spectra, places, len(distinct)), np.bincount(places)
