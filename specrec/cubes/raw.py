"""The plain numbers of a cube inside a file, uncompressed: what .npy, ENVI and TIFF have in common.

Interleaves have ENVI's names. Windows are written by seeking, since a mapped file would count as memory of the
process, and read through a map of the rows they touch alone.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.scenes import Window

_AXES = {"bip": (0, 1, 2), "bil": (0, 2, 1), "bsq": (2, 0, 1)}  # of (height, width, bands), as the file has them


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
        if self.interleave == "bsq":
            for band in range(bands):
                plane = (band * height + top) * width + left
                self._put(file, plane, width, values[..., band])
        elif self.interleave == "bip":
            first = (top * width + left) * bands
            self._put(file, first, width * bands, values.reshape(rows, columns * bands))
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

    def read(self, path: Path, rows: slice, columns: slice) -> NDArray[np.generic]:
        """Read slices that have a start and a stop: (rows, columns, bands) of the file's own numbers."""
        height, width, bands = self.shape
        whole, wanted = slice(0, rows.stop - rows.start), slice(0, rows.stop - rows.start, rows.step)
        if self.interleave != "bsq":
            lines = self._mapped(path, rows.start * width * bands, whole.stop * width * bands)
            if self.interleave == "bil":
                return np.array(lines.reshape(-1, bands, width)[wanted, :, columns].transpose(0, 2, 1), order="C")
            return np.array(lines.reshape(-1, width, bands)[wanted, columns])
        planes = []
        for band in range(bands):
            plane = self._mapped(path, (band * height + rows.start) * width, whole.stop * width)
            planes.append(np.array(plane.reshape(-1, width)[wanted, columns]))
        return np.stack(planes, axis=-1)

    def _mapped(self, path: Path, first: int, count: int) -> NDArray[np.generic]:
        place = self.start + first * self.dtype.itemsize
        try:
            return np.memmap(path, dtype=self.dtype, mode="r", offset=place, shape=(count,))
        except (OSError, ValueError) as error:
            raise DataError(f"cannot read {path}: {error}") from None
