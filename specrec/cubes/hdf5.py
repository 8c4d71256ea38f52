"""Specrec's own cube file: HDF5 with everything one needs to use a cube.

Datasets: ``cube`` float32, float16 or uint16 (height, width, bands), chunked so that a window is read alone;
``wavelengths`` float64, nm; optionally ``mask`` bool (height, width), true where a pixel is valid. A cube of uint16
has the attributes ``scale_factor`` and ``add_offset``: value = stored * scale_factor + add_offset.

Attributes of the file (texts are UTF-8 of fixed length, which h5py gives as bytes):

``quantity``
    ``"radiance"`` or ``"reflectance"``.
``units``
    Of the values; ``"1"`` for a ratio or a relative scale.
``scale_min``, ``scale_max``
    What 0 and 1 stand for in the values that the cube was scaled from; 0 and 1 for values as they were.
``method``, ``weights_sha256``
    What estimated the cube; empty for a measured one.
``rendering``
    Id of the rendering of the RGB that belongs to the cube; empty if there is none.
``specrec_version``, ``format_version``
    Who wrote the file; the format is 1, and 2 for a cube of uint16, which a reader of format 1 would take for values.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np
from numpy.typing import NDArray

from specrec.cache import written_whole
from specrec.cubes.attributes import attributes_of
from specrec.cubes.coding import decode_own
from specrec.cubes.inside import holds, numbers
from specrec.cubes.large_chunks import read_part
from specrec.cubes.look import Look
from specrec.cubes.reserved import begin
from specrec.cubes.stored import QUANTITIES, Outline, PutStored, StoredCube
from specrec.errors import DataError, MemoryShortageError, SpecrecError, plain_line
from specrec.parameters import Value
from specrec.scenes import Mask, Quantity, Window
from specrec.spectra import Cube, check_cube, check_wavelengths

dtypes: Mapping[str, str] = {"float32": "", "float16": "", "uint16": ""}

_PLAIN_FORMAT, _SCALED_FORMAT = 1, 2
_CHUNK = 64  # pixels: 64 x 64 x 31 float32 is half a megabyte, which fits HDF5's own chunk cache


@dataclass(frozen=True)
class Header:
    """What a file says before its cube is read."""

    shape: tuple[int, int, int]
    wavelengths: NDArray[np.float64]
    quantity: Quantity
    has_mask: bool
    attributes: dict[str, Value]


@contextmanager
def writer(path: Path, outline: Outline, *, overwrite: bool) -> Iterator[PutStored]:
    """Write a cube window by window; quick where windows are made of whole chunks."""
    chunks, coding = chunk_shape(outline.shape), outline.coding
    form = _SCALED_FORMAT if coding.is_scaled else _PLAIN_FORMAT
    with written_whole(path, overwrite=overwrite) as temporary:
        begin(temporary, outline, lambda memory: h5py.File(memory, "w"), chunks)
        with h5py.File(temporary, "r+") as file:
            cube = file.create_dataset("cube", shape=outline.shape, dtype=coding.dtype, chunks=chunks)
            if coding.is_scaled:
                cube.attrs.update(scale_factor=coding.scale, add_offset=coding.offset)
            file.create_dataset("wavelengths", data=outline.wavelengths)
            if outline.mask is not None:
                file.create_dataset("mask", data=outline.mask, chunks=chunks[:2])

            def put(window: Window, values: NDArray[np.generic]) -> None:
                cube[window.slices] = values

            yield put
            file.attrs.update(fixed({**outline.attributes, "format_version": form}))  # some are known only now


def fixed(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes with their texts as UTF-8 of fixed length.

    Text of variable length lies in a heap that the HDF5 library follows without a check: one damaged byte there ends
    the process of whoever reads it.
    """
    return {
        key: np.array(value.encode() or b"\0") if isinstance(value, str) else value for key, value in attributes.items()
    }


def stored_bytes(shape: tuple[int, int, int], itemsize: int) -> int:
    """Count the bytes of a cube on disk: whole chunks."""
    whole = (side * -(-length // side) for side, length in zip(chunk_shape(shape), shape, strict=True))
    return itemsize * math.prod(whole)


def chunk_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the chunks a cube is cut into: 64 x 64 pixels, all bands."""
    height, width, bands = shape
    return min(height, _CHUNK), min(width, _CHUNK), bands


def stored(look: Look, _wavelengths: NDArray[np.float64] | None) -> StoredCube:
    """Open a file whose windows are read when asked for."""
    path = look.path
    header = read_header(path)

    def fetch(rows: slice, columns: slice) -> NDArray[np.generic]:
        with open_hdf5(path) as file:
            return values_of(numbers(file, "cube", 3, path), (rows, columns), path)

    def fetch_mask() -> Mask | None:
        return read_mask(path) if header.has_mask else None

    return StoredCube(path, "hdf5", header.shape, header.wavelengths, header.attributes, fetch, fetch_mask)


def read_header(path: Path) -> Header:
    """Read everything but the cube and the mask.

    Raises
    ------
    DataError
        If this is no cube file of this format; the message names the key.
    """
    with open_hdf5(path) as file:
        attributes = attributes_of(file, path)
        form, quantity = attributes.get("format_version"), attributes.get("quantity")
        if form not in (_PLAIN_FORMAT, _SCALED_FORMAT):
            found = "has none" if form is None else f"says {form}"
            raise DataError(f"{path}: specrec's cube files say format_version 1 or 2, this one {found}")
        if quantity not in QUANTITIES:
            raise DataError(f"{path}: the attribute quantity is {quantity!r}, not {' or '.join(QUANTITIES)}")
        cube = numbers(file, "cube", 3, path)
        grid = check_wavelengths(numbers(file, "wavelengths", 1, path)[()], str(path))
        if cube.shape[2] != grid.size:
            raise DataError(f"{path}: the cube has {cube.shape[2]} bands and there are {grid.size} wavelengths")
        has_mask = holds(file, "mask")
        if has_mask and (shape := numbers(file, "mask", 2, path).shape) != cube.shape[:2]:
            raise DataError(f"{path}: the mask has shape {shape} and the cube {cube.shape}")
        return Header(cube.shape, grid, cast(Quantity, quantity), has_mask, attributes)


def read_window(path: Path, window: Window | None) -> Cube:
    """Read the cube, or one window of it, (height, width, bands) float32; only the chunks it touches are read."""
    with open_hdf5(path) as file:
        values = values_of(numbers(file, "cube", 3, path), () if window is None else window.slices, path)
    return check_cube(values, np.arange(values.shape[2]), str(path))


def read_mask(path: Path) -> Mask:
    """Read the valid pixels, (height, width) bool."""
    with open_hdf5(path) as file:
        return np.asarray(numbers(file, "mask", 2, path)[()]).astype(np.bool_)


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading; whatever the library raises on a damaged one becomes a sentence.

    Raises
    ------
    DataError
        If the file cannot be opened, or damage is found while it is read.
    """
    try:
        with h5py.File(path, "r") as file:
            yield file
    except SpecrecError:
        raise
    except PermissionError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    except MemoryError:
        raise MemoryShortageError(f"{path} does not fit in memory; end other programs, or read a part of it") from None
    except Exception as error:  # HDF5 answers damage with whatever its layers raise
        raise DataError(f"{path}: {_diagnosis(path, error)}") from None


def values_of(dataset: h5py.Dataset, part: tuple[slice, ...], path: Path) -> NDArray[np.generic]:
    """Read a part of an array of a file of ours, with the scale and offset that its attributes say.

    Raises
    ------
    DataError
        If the file does not hold what the array claims, or the scale is none.
    """
    return decode_own(read_part(dataset, part, path), *scale_of(dataset, path))


def scale_of(dataset: h5py.Dataset, path: Path) -> tuple[float, float]:
    """Read the scale and offset of an array: value = stored * scale + offset.

    Raises
    ------
    DataError
        If they are no numbers.
    """
    said = attributes_of(dataset, path, ("scale_factor", "add_offset"))
    scale, offset = said.get("scale_factor", 1.0), said.get("add_offset", 0.0)
    try:
        return float(scale), float(offset)
    except ValueError:
        raise DataError(f"{path}: scale_factor {scale} and add_offset {offset} must be numbers") from None


def _diagnosis(path: Path, error: Exception) -> str:
    with path.open("rb") as file:
        start = file.read(128)
    if start.startswith(b"MATLAB 5.0"):
        return "this is a MATLAB v5 file; a v7.3 file was expected (in MATLAB: save(..., '-v7.3'))"
    if not h5py.is_hdf5(path):
        return "this is not an HDF5 file" if start else "the file is empty"
    if "truncated" in str(error):
        return "the file is truncated; copy or download it again"
    return f"the file is damaged ({plain_line(str(error))}); copy or download it again"
