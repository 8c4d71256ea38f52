"""The plain numbers of a cube inside a file, uncompressed: what .npy, ENVI and TIFF have in common.

Interleaves have ENVI's names. Windows are written by seeking, since a mapped file would count as memory of the
process, and read through a map of the rows they touch alone.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.scenes import Window

_AT_ONCE = 1 << 22  # bytes read in one go
_TURNED = 1 << 19  # bytes brought from pixels to planes at a time: what the processor keeps at hand


@dataclass(frozen=True)
class Layout:
    """Where the numbers of a cube are.

    Parameters
    ----------
    shape
        (height, width, bands).
    dtype
        With its byte order.
    interleave
        ``"bip"``: (height, width, bands); ``"bil"``: (height, bands, width); ``"bsq"``: (bands, height, width).
    start
        The byte where the first number is.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    interleave: str
    start: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes of all numbers."""
        return self.dtype.itemsize * math.prod(self.shape)

    def check_file(self, path: Path) -> None:
        """Raise DataError unless the file is long enough for what this layout claims."""
        length = path.stat().st_size
        if length < self.start + self.nbytes:
            shape = " x ".join(map(str, self.shape))
            raise DataError(
                f"{path} is {length} bytes long, and {shape} numbers of {self.dtype.itemsize} bytes after the first"
                f" {self.start} need {self.start + self.nbytes}; copy or download it again"
            )

    def write(self, file: BinaryIO, window: Window, values: NDArray[np.generic]) -> None:
        """Write one window, (height, width, bands); quick where it is as wide as the cube."""
        top, left, rows, columns = window
        height, width, bands = self.shape
        if self.interleave == "bip":
            self._put(file, (top * width + left) * bands, width * bands, values.reshape(rows, columns * bands))
        elif self.interleave == "bsq":
            step = max(1, _TURNED // (columns * bands * self.dtype.itemsize))
            for row in range(0, rows, step):
                planes = np.ascontiguousarray(np.moveaxis(values[row : row + step], -1, 0), dtype=self.dtype)
                for band, plane in enumerate(planes):
                    self._put(file, (band * height + top + row) * width + left, width, plane)
        else:
            raise ValueError(f"nothing is written as {self.interleave}")

    def _put(self, file: BinaryIO, first: int, stride: int, lines: NDArray[np.generic]) -> None:
        """Write lines that begin `stride` numbers apart in the file."""
        stored = np.ascontiguousarray(lines, dtype=self.dtype)
        if stored.shape[1] == stride:
            stored = stored.reshape(1, -1)
        for index, line in enumerate(stored):
            file.seek(self.start + (first + index * stride) * self.dtype.itemsize)
            file.write(line.data)

    def read(self, path: Path, rows: slice, columns: slice) -> NDArray[Any]:
        """Read slices that have a start and a stop: (rows, columns, bands) of the file's own numbers."""
        height, width, bands = self.shape
        wanted, across = range(height)[rows], range(width)[columns]
        found = np.empty((len(wanted), len(across), bands), dtype=self.dtype)
        spread = columns.stop - columns.start
        with path.open("rb", buffering=0) as file:
            if self.interleave == "bsq":
                step = max(1, _TURNED // (spread * bands * self.dtype.itemsize))
                planes = np.empty((bands, step, len(across)), dtype=self.dtype)
                for row in range(0, len(wanted), step):
                    part = wanted[row : row + step]
                    for band in range(bands):
                        place = (band * height * width, columns.start, spread, width)
                        for at, line in self._lines(file, path, place, part):
                            planes[band, at] = line[:, :: across.step]
                    found[row : row + step] = np.moveaxis(planes[:, : len(part)], 0, -1)
            elif self.interleave == "bip":
                place = (0, columns.start * bands, spread * bands, width * bands)
                for at, line in self._lines(file, path, place, wanted):
                    found[at] = line.reshape(-1, spread, bands)[:, :: across.step]
            else:
                for at, line in self._lines(file, path, (0, 0, bands * width, bands * width), wanted):
                    found[at] = line.reshape(-1, bands, width)[:, :, columns].transpose(0, 2, 1)
        return found

    def _lines(
        self, file: RawIOBase, path: Path, place: tuple[int, int, int, int], rows: range
    ) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Read a part of each row; `place` is where row 0 begins, the part in it, its length, and that of a row.

        Rows that follow each other in the file are read together.
        """
        first, left, count, stride = place
        together = max(1, _AT_ONCE // (count * self.dtype.itemsize)) if count == stride and rows.step == 1 else 1
        for at in range(0, len(rows), together):
            lines = np.empty((min(together, len(rows) - at), count), dtype=self.dtype)
            file.seek(self.start + (first + rows[at] * stride + left) * self.dtype.itemsize)
            self._fill(file, path, lines)
            yield slice(at, at + len(lines)), lines

    def _fill(self, file: RawIOBase, path: Path, lines: NDArray[Any]) -> None:
        room = lines.view(np.uint8).data.cast("B")
        while room:
            got = file.readinto(room)
            if not got:
                raise DataError(f"{path} ends before its numbers do; copy or download it again")
            room = room[got:]
