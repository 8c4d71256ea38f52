"""The arrays of a MATLAB file by name, version 5 or 7.3 (HDF5), their axes in MATLAB's order.

Only real numbers are read, and only the array that is asked for: window by window, or whole where version 5 packed it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.typing import NDArray

from specrec.cubes import mat5
from specrec.cubes.hdf5 import open_hdf5
from specrec.cubes.inside import arrays, numbers
from specrec.cubes.large_chunks import read_part
from specrec.cubes.look import Look


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
        self.shapes = {
            name: tuple(reversed(item.shape))
            for name, item in arrays(file)
            if item.shape and 0 not in item.shape and item.dtype.kind in "fiub" and "MATLAB_empty" not in item.attrs
        }

    def read(self, name: str, part: tuple[slice, ...] | None = None) -> NDArray[Any]:
        stored = numbers(self._file, name, len(self.shapes[name]), self._path)
        values: NDArray[Any] = stored[()] if part is None else read_part(stored, tuple(reversed(part)), self._path)
        return values.T  # HDF5 lists the axes of a MATLAB array from the last to the first


class _Version5:
    version = "5"

    def __init__(self, path: Path) -> None:
        self._path, self._variables = path, mat5.variables(path)
        self.shapes = {name: variable.shape for name, variable in self._variables.items()}
        self._unpacked: dict[str, NDArray[Any]] = {}

    def read(self, name: str, part: tuple[slice, ...] | None = None) -> NDArray[Any]:
        variable = self._variables[name]
        if variable.packed is None:
            whole = mat5.read(self._path, variable)
        else:
            if name not in self._unpacked:
                self._unpacked[name] = mat5.read(self._path, variable)
            whole = self._unpacked[name]
        return np.array(whole if part is None else whole[part])
