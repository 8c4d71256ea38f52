"""The ICVL layout: a MATLAB v7.3 file (so HDF5) with 12-bit counts.

``rad`` is seen by HDF5 as (bands, height, width), its rows from the bottom up; the upright cube is
``rad[:, ::-1, :]`` with the bands moved last, divided by 4095. ``bands`` holds the wavelengths in nm. A pixel with
zero in every band was never measured: images of other widths are padded with black columns. The values are
radiance up to a factor; the key ``rgb`` of the original files is corrected for display, and neither read nor written.

What `writer` stores is float32 (MATLAB's single), the value times 4095, so a cube comes back to the last bit
or one beside it (relative 2e-7). A pixel that the mask leaves out is stored as zeros. Quantity, method and the other
attributes of `specrec.cubes.hdf5` are attributes of the file: ``h5readatt`` reads them in MATLAB, ``load`` passes them
by. A file that says no quantity is radiance, as ICVL is.

References
----------
Arad and Ben-Shahar, Sparse Recovery of Hyperspectral Signal from Natural RGB Images, ECCV 2016,
doi:10.1007/978-3-319-46478-7_2 (the data set).
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from specrec.cache import written_whole
from specrec.cubes.attributes import attributes_of
from specrec.cubes.hdf5 import fixed, open_hdf5
from specrec.cubes.inside import holds, item, numbers
from specrec.cubes.look import Look
from specrec.cubes.reserved import begin
from specrec.cubes.stored import Outline, PutStored, StoredCube
from specrec.errors import DataError
from specrec.scenes import Mask, Window
from specrec.spectra import WAVELENGTHS, Cube, check_cube, check_wavelengths

FULL_SCALE = 4095.0
"""The largest 12-bit count; a fixed scale keeps images comparable."""

dtypes: Mapping[str, str] = {
    "float32": "",
    "float16": "MATLAB knows no half precision in files; write float32, or .h5",
    "uint16": "the layout of ICVL has one fixed scale, 4095 for 1; write float32, or .h5",
}

_USERBLOCK = 512  # bytes in front of the HDF5 part
_BANDS_AT_A_TIME = 4  # keeps the copy in file order small beside the cube


@contextmanager
def writer(path: Path, outline: Outline, *, overwrite: bool) -> Iterator[PutStored]:
    """Write a cube in the ICVL layout window by window."""
    height, width, bands = outline.shape
    with written_whole(path, overwrite=overwrite) as temporary:
        begin(temporary, outline, lambda memory: h5py.File(memory, "w", userblock_size=_USERBLOCK), outline.shape)
        with h5py.File(temporary, "r+") as file:
            rad = file.create_dataset("rad", shape=(bands, height, width), dtype=np.float32)
            rad.attrs["MATLAB_class"] = np.bytes_("single")
            grid = file.create_dataset("bands", data=outline.wavelengths[np.newaxis])
            grid.attrs["MATLAB_class"] = np.bytes_("double")

            def put(window: Window, values: NDArray[Any]) -> None:
                if outline.mask is not None:
                    values = np.where(outline.mask[window.slices][..., np.newaxis], values, np.float32(0.0))
                counts = np.moveaxis(values[::-1], -1, 0) * np.float32(FULL_SCALE)
                bottom_up = slice(height - window.top - window.height, height - window.top)
                rad[:, bottom_up, window.slices[1]] = counts

            yield put
            file.attrs.update(fixed(outline.attributes))  # some are known only now
        with temporary.open("r+b") as raw:
            raw.write(_matlab_header())


def stored_bytes(shape: tuple[int, int, int], itemsize: int) -> int:
    """Count the bytes of a cube on disk."""
    return itemsize * math.prod(shape)


def stored(look: Look, _wavelengths: NDArray[np.float64] | None) -> StoredCube:
    """Open a file whose windows are read when asked for; the mask costs one reading of the whole."""
    path = look.path
    shape, wavelengths = read_header(path)
    with open_hdf5(path) as file:
        attributes = {"quantity": "radiance"} | attributes_of(file, path)

    def fetch(rows: slice, columns: slice) -> NDArray[np.generic]:
        return _read(path, rows, columns)

    def fetch_mask() -> Mask | None:
        mask = read_mask(path)
        return None if mask.all() else mask

    return StoredCube(path, "mat", shape, wavelengths, attributes, fetch, fetch_mask)


def read_header(path: Path) -> tuple[tuple[int, int, int], NDArray[np.float64]]:
    """Read the shape of the upright cube and the wavelengths in nm.

    Raises
    ------
    DataError
        If the file is none of this layout; the message names file and key.
    """
    with open_hdf5(path) as file:
        bands, height, width = numbers(file, "rad", 3, path).shape
        if holds(file, "bands"):
            grid = check_wavelengths(np.ravel(_anything(file, "bands", path)[()]), f"{path}, key 'bands'")
        elif bands == WAVELENGTHS.size:
            grid = WAVELENGTHS
        else:
            raise DataError(f"{path} has no key 'bands', and what {bands} bands are cannot be guessed")
        if grid.size != bands:
            raise DataError(f"{path}: the key 'rad' has {bands} bands and the key 'bands' {grid.size} wavelengths")
        return (height, width, bands), grid


def read_window(path: Path, window: Window | None) -> Cube:
    """Read the upright cube, or one window of it, (height, width, bands) float32, 1 = full scale.

    Only the part of the file that holds the window is read.
    """
    height, width, _ = read_header(path)[0]
    top, left, rows, columns = window or Window(0, 0, height, width)
    cube = _read(path, slice(top, top + rows), slice(left, left + columns))
    return check_cube(cube, np.arange(cube.shape[2]), str(path))


def read_mask(path: Path) -> Mask:
    """Read which pixels were measured: those with anything but zero in some band, (height, width) bool."""
    with open_hdf5(path) as file:
        dataset = numbers(file, "rad", 3, path)
        bands, height, width = dataset.shape
        valid = np.zeros((height, width), dtype=np.bool_)
        whole_bands = ((slice(band, band + 1), slice(None), slice(None)) for band in range(bands))
        for part in dataset.iter_chunks() if dataset.chunks else whole_bands:
            valid[part[1:]] |= (dataset[part] != 0).any(axis=0)
    return np.ascontiguousarray(valid[::-1])


def _read(path: Path, rows: slice, columns: slice) -> Cube:
    """Read rows and columns, counted from the top, of slices with a start and a stop."""
    with open_hdf5(path) as file:
        dataset = numbers(file, "rad", 3, path)
        bands, height, _ = dataset.shape
        wanted = range(rows.start, rows.stop, rows.step or 1)
        bottom_up = slice(height - 1 - wanted[-1], height - wanted[0], wanted.step)
        deep = dataset.chunks[0] if dataset.chunks else 1
        step = deep * -(-_BANDS_AT_A_TIME // deep)  # whole chunks, so that none is unpacked twice
        cube = np.empty((len(wanted), len(range(columns.start, columns.stop, columns.step or 1)), bands), np.float32)
        for first in range(0, bands, step):
            counts = dataset.astype(np.float32)[first : first + step, bottom_up, columns]
            cube[..., first : first + step] = np.moveaxis(counts[:, ::-1], 0, -1)
    with np.errstate(invalid="ignore"):  # whoever reads looks for what is not finite
        cube /= np.float32(FULL_SCALE)
    return cube


def _anything(file: h5py.File, key: str, path: Path) -> h5py.Dataset:
    """Find a list of numbers that MATLAB may have stored as a row or as a column."""
    axes = len(getattr(item(file, key, path), "shape", None) or ()) or 1
    return numbers(file, key, axes, path)


def _matlab_header() -> bytes:
    """Make the 128 bytes that MATLAB looks for: 116 of text, 8 unused, version 2.0, byte order."""
    return b"MATLAB 7.3 MAT-file, Platform: specrec, HDF5 schema 1.00 .".ljust(116) + bytes(8) + b"\x00\x02IM"
