"""A cube and its wavelengths <-> one file; the suffix says which format.

=======  ==========================================================================================
suffix   what it holds
=======  ==========================================================================================
.h5      everything: cube, wavelengths, mask, attributes; windows can be read (`specrec.cubes.hdf5`)
.mat     the layout of the ICVL data set, MATLAB v7.3 (`specrec.cubes.mat`)
.npy     the bare array of a cube on the standard grid (`specrec.cubes.npy`)
=======  ==========================================================================================
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.errors import UsageError
from specrec.images import check_absent
from specrec.parameters import Value
from specrec.scenes import Mask
from specrec.spectra import Cube, check_cube, check_wavelengths

_MODULES = {
    ".h5": "specrec.cubes.hdf5",
    ".hdf5": "specrec.cubes.hdf5",
    ".mat": "specrec.cubes.mat",
    ".npy": "specrec.cubes.npy",
}
QUANTITIES = ("radiance", "reflectance")


@dataclass(frozen=True)
class CubeFile:
    """What a cube file holds.

    Parameters
    ----------
    cube
        (height, width, bands) float32.
    wavelengths
        nm, one per band.
    mask
        Valid pixels, (height, width) bool; None: all are valid.
    attributes
        Such as quantity, units, method; empty for formats without any.
    """

    cube: Cube
    wavelengths: NDArray[np.float64]
    mask: Mask | None = None
    attributes: dict[str, Value] = field(default_factory=dict)


class _Format(Protocol):
    def read(self, path: Path) -> CubeFile: ...

    def write(self, path: Path, contents: CubeFile) -> None: ...


def write_cube(
    path: str | os.PathLike[str],
    cube: ArrayLike,
    wavelengths: ArrayLike,
    attributes: Mapping[str, Value],
    mask: NDArray[Any] | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write a cube, whole or not at all.

    Parameters
    ----------
    path
        Its suffix chooses the format: .h5 (or .hdf5), .mat, .npy.
    cube
        (height, width, bands), stored as float32.
    wavelengths
        nm, one per band.
    attributes
        ``quantity`` (radiance or reflectance) must be there; `specrec.cubes.hdf5` lists the others. An .npy keeps none.
    mask
        Valid pixels, (height, width); None: all are valid. An .npy keeps none.
    overwrite
        Whether an existing file may be replaced.

    Raises
    ------
    UsageError
        For an unknown suffix, or a file that exists.
    DataError
        For NaN, or bands that do not match the wavelengths.
    SpecrecError
        If the folder cannot be written to.
    """
    path = Path(path)
    form = _format(path)
    check_absent(path, overwrite)
    if attributes.get("quantity") not in QUANTITIES:
        raise ValueError(f"attributes must say the quantity, {' or '.join(QUANTITIES)}: {dict(attributes)}")
    grid = check_wavelengths(wavelengths, str(path))
    checked = check_cube(cube, grid, str(path))
    valid = None if mask is None else np.asarray(mask, dtype=np.bool_)
    if valid is not None and valid.shape != checked.shape[:2]:
        raise ValueError(f"the mask has shape {valid.shape}, the cube {checked.shape}")
    form.write(path, CubeFile(checked, grid, valid, dict(attributes)))


def read_cube(path: str | os.PathLike[str]) -> CubeFile:
    """Read a cube file; the suffix says which format.

    Raises
    ------
    UsageError
        For an unknown suffix, or where there is no such file.
    DataError
        If the file is damaged, lacks something, or holds NaN.
    """
    path = Path(path)
    form = _format(path)
    if not path.is_file():
        raise UsageError(f"there is no cube file {path}")
    return form.read(path)


def check_suffix(path: Path) -> None:
    """Refuse a path that no cube can be written to, before any work is done for it.

    Raises
    ------
    UsageError
        If its suffix is none of .h5, .hdf5, .mat, .npy.
    """
    suffix = path.suffix.lower()
    if suffix not in _MODULES:
        kind = f"the suffix {path.suffix!r}" if suffix else "no suffix"
        raise UsageError(f"{path} has {kind}; a cube file ends in {', '.join(_MODULES)}")


def _format(path: Path) -> _Format:
    check_suffix(path)
    module: Any = import_module(_MODULES[path.suffix.lower()])
    form: _Format = module
    return form
