"""The bare array of a cube, float32 (height, width, bands), as numpy stores it.

The file holds no wavelengths, no mask and no attributes. So only cubes on the standard grid, 400, 410, .. 700 nm, are
written and read: anything else could not be told from it afterwards.
"""

from pathlib import Path

import numpy as np

from specrec.cache import written_whole
from specrec.cubes import CubeFile
from specrec.errors import DataError, UsageError
from specrec.spectra import WAVELENGTHS, check_cube, describe_grid, is_standard_grid


def write(path: Path, contents: CubeFile) -> None:
    """Write a checked cube; its mask and attributes are left behind."""
    if not is_standard_grid(contents.wavelengths):
        found = describe_grid(contents.wavelengths)
        raise UsageError(f"{path}: an .npy keeps no wavelengths, so {found} cannot be told from it; write .h5")
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.save(file, np.ascontiguousarray(contents.cube), allow_pickle=False)


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
