"""The bare array of a cube, float32 (height, width, bands), as numpy stores it.

The file holds no wavelengths, no mask and no attributes. So only cubes on the standard grid, 400, 410, .. 700 nm, are
written and read: anything else could not be told from it afterwards.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from specrec.cache import written_whole
from specrec.cubes import CubeFile, Outline, Put
from specrec.errors import DataError, UsageError
from specrec.scenes import Window
from specrec.spectra import WAVELENGTHS, Cube, check_cube, describe_grid, is_standard_grid


@contextmanager
def writer(path: Path, outline: Outline) -> Iterator[Put]:
    """Write a cube window by window; its mask and attributes are left behind."""
    if not is_standard_grid(outline.wavelengths):
        found = describe_grid(outline.wavelengths)
        raise UsageError(f"{path}: an .npy keeps no wavelengths, so {found} cannot be told from it; write .h5")
    _height, width, bands = outline.shape
    with written_whole(path) as temporary, temporary.open("wb") as file:
        fields = {"descr": "<f4", "fortran_order": False, "shape": outline.shape}
        np.lib.format.write_array_header_1_0(file, fields)
        start = file.tell()

        def put(window: Window, values: Cube) -> None:
            for row, spectra in enumerate(values, window.top):  # a mapped file would count as memory of the process
                file.seek(start + 4 * bands * (row * width + window.left))
                file.write(np.ascontiguousarray(spectra, dtype="<f4").data)

        yield put


def stored_bytes(shape: tuple[int, int, int]) -> int:
    """Count the bytes of a cube on disk."""
    return 4 * math.prod(shape)


def read(path: Path) -> CubeFile:
    """Read a cube of 31 bands, which are taken for the standard grid."""
    try:
        mapped = np.lib.format.open_memmap(path, mode="r")  # a shape that the file is too short for fails at once
    except Exception as error:  # numpy reads the header as Python text, and damaged text may raise anything
        reason = str(error).partition("\n")[0]
        raise DataError(f"{path} is not a whole .npy file of numbers: {reason}") from None
    if mapped.ndim == 3 and mapped.shape[2] != WAVELENGTHS.size:
        raise DataError(f"{path} has {mapped.shape[2]} bands; an .npy says no wavelengths, so 31 are expected")
    return CubeFile(check_cube(np.array(mapped), WAVELENGTHS, str(path)), WAVELENGTHS)
