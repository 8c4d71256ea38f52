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
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.errors import DataError, UsageError
from specrec.images import check_absent
from specrec.parameters import Value
from specrec.scenes import Mask, Window
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


@dataclass(frozen=True)
class Outline:
    """What is known of a cube before its values are; fields as in `CubeFile`, checked."""

    shape: tuple[int, int, int]
    wavelengths: NDArray[np.float64]
    mask: Mask | None
    attributes: dict[str, Value]


Put = Callable[[Window, Cube], None]
"""Writes the values of one window, (height, width, bands) float32."""


class _Format(Protocol):
    def read(self, path: Path) -> CubeFile: ...

    def writer(self, path: Path, outline: Outline) -> AbstractContextManager[Put]: ...

    def stored_bytes(self, shape: tuple[int, int, int]) -> int: ...


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
    check_suffix(path)
    check_absent(path, overwrite)
    checked = check_cube(cube, wavelengths, str(path))
    height, width, bands = checked.shape
    shape = (height, width, bands)
    with cube_writer(path, shape, wavelengths, attributes, mask, overwrite=overwrite) as put:
        put(Window(0, 0, height, width), checked)


@contextmanager
def cube_writer(
    path: str | os.PathLike[str],
    shape: tuple[int, int, int],
    wavelengths: ArrayLike,
    attributes: Mapping[str, Value],
    mask: NDArray[Any] | None = None,
    *,
    overwrite: bool = False,
) -> Iterator[Put]:
    """Write a cube window by window, so that it is never whole in memory; the file is there when the block has ended.

    Parameters and errors are those of `write_cube`, with the `shape` of the cube. The windows must cover it. If the
    block is left by an error or by Ctrl-C, nothing is left behind.

    Yields
    ------
    A function of a window and its values.
    """
    path = Path(path)
    form = _format(path)
    check_absent(path, overwrite)
    if attributes.get("quantity") not in QUANTITIES:
        raise ValueError(f"attributes must say the quantity, {' or '.join(QUANTITIES)}: {dict(attributes)}")
    grid = check_wavelengths(wavelengths, str(path))
    valid = None if mask is None else np.asarray(mask, dtype=np.bool_)
    if valid is not None and valid.shape != shape[:2]:
        raise ValueError(f"the mask has shape {valid.shape}, the cube {shape}")
    with form.writer(path, Outline(shape, grid, valid, dict(attributes))) as put:

        def put_checked(window: Window, values: Cube) -> None:
            if values.shape != (window.height, window.width, shape[2]):
                raise DataError(f"{path}: {window} of {shape[2]} bands was filled with values of shape {values.shape}")
            if not np.isfinite(values).all():
                raise DataError(f"{path}: the cube holds NaN or infinity in {window}")
            put(window, values)

        yield put_checked


def stored_bytes(path: Path, shape: tuple[int, int, int]) -> int:
    """Count the bytes that a cube of (height, width, bands) takes in the format of a path."""
    return _format(path).stored_bytes(shape)


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
