"""The bare array of a cube, float32 or float16 (height, width, bands), as numpy stores it.

The file holds no wavelengths, no mask and no attributes. So only cubes on the standard grid, 400, 410, .. 700 nm, are
written: anything else could not be told from it afterwards. An array of 31 bands is read as that grid, one of other
bands with the wavelengths that the caller gives.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specrec.cache import written_whole
from specrec.cubes.coding import decode
from specrec.cubes.look import Look
from specrec.cubes.raw import Layout
from specrec.cubes.stored import Outline, PutStored, StoredCube
from specrec.errors import DataError, UsageError, plain_line
from specrec.scenes import Window
from specrec.spectra import WAVELENGTHS, describe_grid, is_standard_grid

dtypes: Mapping[str, str] = {
    "float32": "",
    "float16": "",
    "uint16": "an .npy keeps no scale; write float32 or float16, or .h5",
}


@contextmanager
def writer(path: Path, outline: Outline, *, overwrite: bool) -> Iterator[PutStored]:
    """Write a cube window by window; its mask and attributes are left behind."""
    if not is_standard_grid(outline.wavelengths):
        found = describe_grid(outline.wavelengths)
        raise UsageError(f"{path}: an .npy keeps no wavelengths, so {found} cannot be told from it; write .h5")
    dtype = np.dtype(outline.coding.dtype).newbyteorder("<")
    with written_whole(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        fields = {"descr": dtype.str, "fortran_order": False, "shape": outline.shape}
        np.lib.format.write_array_header_1_0(file, fields)
        layout = Layout(outline.shape, dtype, "bip", file.tell())

        def put(window: Window, values: NDArray[np.generic]) -> None:
            layout.write(file, window, values)

        yield put


def stored_bytes(shape: tuple[int, int, int], itemsize: int) -> int:
    """Count the bytes of a cube on disk."""
    return itemsize * math.prod(shape)


def stored(look: Look, wavelengths: NDArray[np.float64] | None) -> StoredCube:
    """Open an array of real numbers; one of 31 bands is taken for the standard grid."""
    path = look.path
    layout, is_fortran = _layout(path)
    bands = layout.shape[2]
    grid = WAVELENGTHS if wavelengths is None else wavelengths
    if bands != grid.size:
        expected = "says no wavelengths, so 31 are expected" if wavelengths is None else f"and {grid.size} wavelengths"
        raise DataError(f"{path} has {bands} bands; an .npy {expected}")
    layout.check_file(path)

    def fetch(rows: slice, columns: slice) -> NDArray[np.generic]:
        if is_fortran:  # as MATLAB orders numbers: no window is in one piece
            mapped = np.memmap(path, layout.dtype, "r", layout.start, layout.shape, "F")
            return np.array(decode(mapped[rows, columns]))
        return decode(layout.read(path, rows, columns))

    return StoredCube(path, "npy", layout.shape, grid, {}, fetch)


def _layout(path: Path) -> tuple[Layout, bool]:
    """Read the header: where the numbers are, and whether in Fortran's order."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        with path.open("rb") as file:
            shape, is_fortran, dtype = readers[np.lib.format.read_magic(file)](file)
            start = file.tell()
        if dtype.hasobject:
            raise ValueError("it holds Python objects")
    except Exception as error:  # numpy reads the header as Python text, and damaged text may raise anything
        reason = plain_line(str(error))
        raise DataError(f"{path} is not a whole .npy file of numbers: {reason}") from None
    if len(shape) != 3 or min(shape) < 1 or dtype.kind not in "fiu":
        raise DataError(
            f"{path}: a cube has the axes (height, width, bands) and real numbers, this is {dtype} of shape {shape}"
        )
    height, width, bands = shape
    return Layout((height, width, bands), dtype, "bip", start), is_fortran
