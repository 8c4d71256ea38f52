"""The arrays of a MATLAB file by name, version 5 (scipy) or 7.3 (HDF5), their axes in MATLAB's order.

Only real numbers are read, and only the array that is asked for. Version 7.3 is read window by window. Version 5 has to
be unpacked whole, so what its header promises is compared with the memory there is before anything is taken.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from specrec.cubes.hdf5 import check_held, open_hdf5
from specrec.cubes.readers import Look
from specrec.errors import DataError
from specrec.memory import available_memory

_BYTES = {
    "double": 8, "single": 4, "int8": 1, "uint8": 1, "int16": 2, "uint16": 2, "int32": 4, "uint32": 4, "int64": 8,
    "uint64": 8, "logical": 1,
}  # fmt: skip


class Arrays(Protocol):
    """The arrays of one open file."""

    @property
    def version(self) -> str:
        """``"5"`` or ``"7.3"``."""
        ...

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The names of the arrays of real numbers, with their shapes in MATLAB's order."""
        ...

    def read(self, name: str, part: tuple[slice, ...] | None = None) -> NDArray[Any]:
        """Read an array, or the part of it that slices in MATLAB's order cut out."""
        ...


@contextmanager
def open_arrays(look: Look) -> Iterator[Arrays]:
    """Open a MATLAB file of either version, chosen by its content.

    Raises
    ------
    DataError
        If it is neither, or is damaged.
    """
    if look.is_matlab_5:
        yield _Version5(look.path)
        return
    with open_hdf5(look.path) as file:
        yield _Version73(look.path, file)


class _Version73:
    version = "7.3"

    def __init__(self, path: Path, file: h5py.File) -> None:
        self._path, self._file = path, file
        found = {str(name): item for name, item in file.items() if isinstance(item, h5py.Dataset)}
        self.shapes = {
            name: tuple(reversed(item.shape))
            for name, item in found.items()
            if item.shape and 0 not in item.shape and item.dtype.kind in "fiub" and "MATLAB_empty" not in item.attrs
        }

    def read(self, name: str, part: tuple[slice, ...] | None = None) -> NDArray[Any]:
        stored = self._file[name]
        check_held(stored, self._path)
        values: NDArray[Any] = stored[()] if part is None else stored[tuple(reversed(part))]
        return values.T  # HDF5 lists the axes of a MATLAB array from the last to the first


@dataclass
class _Version5:
    path: Path
    version = "5"

    def __post_init__(self) -> None:
        from scipy.io import whosmat

        listed = self._said_plainly(lambda: whosmat(str(self.path), appendmat=False))
        numbers = [(name, shape, kind) for name, shape, kind in listed if kind in _BYTES and shape and 0 not in shape]
        self.shapes = {name: tuple(map(int, shape)) for name, shape, _kind in numbers}
        self._bytes = {name: _BYTES[kind] * math.prod(map(int, shape)) for name, shape, kind in numbers}
        self._loaded: dict[str, NDArray[Any]] = {}

    def read(self, name: str, part: tuple[slice, ...] | None = None) -> NDArray[Any]:
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        whole = self._loaded[name]
        return whole if part is None else whole[part]

    def _load(self, name: str) -> NDArray[Any]:
        from scipy.io import loadmat

        needed, free = 2 * self._bytes[name], available_memory()  # the bytes of the file and the array made of them
        if needed > free:
            raise DataError(
                f"{self.path}: the array {name!r} needs {needed / 1e9:.1f} GB to unpack and {free / 1e9:.1f} GB are"
                " free; save it as v7.3 in MATLAB (save(..., '-v7.3')), which is read piece by piece"
            )
        contents = self._said_plainly(lambda: loadmat(str(self.path), variable_names=[name], appendmat=False))
        array = np.asarray(contents.get(name))
        if array.dtype.kind not in "fiub" or array.shape != self.shapes[name]:
            raise DataError(f"{self.path}: the array {name!r} is no array of real numbers")
        return array

    def _said_plainly(self, reading: Any) -> Any:
        try:
            return reading()
        except Exception as error:  # scipy answers damage with whatever its layers raise
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise DataError(
                f"{self.path}: the MATLAB v5 file is damaged ({reason}); copy or download it again"
            ) from None
