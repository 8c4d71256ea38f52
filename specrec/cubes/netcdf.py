"""NetCDF 4 after the CF conventions, so HDF5 with named dimensions: ``y``, ``x``, ``wavelength``.

The variable is named by the quantity, ``radiance`` or ``reflectance``, and has ``units`` and ``long_name``; its third
coordinate is the variable ``wavelength`` in nm, ``standard_name`` ``radiation_wavelength``. uint16 has
``scale_factor`` and ``add_offset``, which readers of CF apply by themselves. A mask is the flag variable ``valid``
(``flag_values`` 0 and 1, ``flag_meanings`` "invalid valid"), named in ``ancillary_variables``; a uint16 pixel outside
of it holds the ``_FillValue`` 65535. The attributes of
`specrec.cubes.hdf5` are attributes of the file, beside ``Conventions``, ``title``, ``source`` and ``history``.

Writing needs h5netcdf, which comes with ``specrec[netcdf]``; reading does not. Read are also files of other makers
with one variable of three axes, of which one, first or last, is a coordinate named ``wavelength`` or with its
``standard_name``. A pixel that holds ``_FillValue`` or ``missing_value`` in every band is left out
(`specrec.cubes.ignored`).

References
----------
CF Conventions 1.11, https://cfconventions.org/Data/cf-conventions/cf-conventions-1.11/cf-conventions.html
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from specrec.cache import written_whole
from specrec.cubes.attributes import attributes_of
from specrec.cubes.coding import NO_VALUE, decode
from specrec.cubes.hdf5 import chunk_shape, fixed, open_hdf5, scale_of
from specrec.cubes.hdf5 import stored_bytes as stored_bytes  # the same whole chunks
from specrec.cubes.ignored import clear_missing, is_ignored, say_some
from specrec.cubes.inside import arrays, numbers
from specrec.cubes.large_chunks import read_part
from specrec.cubes.look import Look
from specrec.cubes.reserved import begin
from specrec.cubes.stored import QUANTITIES, Outline, PutStored, StoredCube
from specrec.cubes.wavelength_units import in_nanometres, is_known
from specrec.errors import DataError, plain_line
from specrec.parameters import Value
from specrec.scenes import Mask, Window

dtypes: Mapping[str, str] = {
    "float32": "",
    "float16": "NetCDF knows no half precision; write float32 or uint16",
    "uint16": "",
}

_REFERENCES = "REFERENCE_LIST"  # of HDF5's dimension scales
_STANDARD_NAME = "radiation_wavelength"
_HISTORY = f"written by specrec {version('specrec')}"  # unless the cube has one
_OWN = ("Conventions", "title", "source", "history")


@contextmanager
def writer(path: Path, outline: Outline, *, overwrite: bool) -> Iterator[PutStored]:
    """Write a cube window by window; quick where windows are made of whole chunks."""
    import h5netcdf

    height, width, bands = outline.shape
    coding, chunks = outline.coding, chunk_shape(outline.shape)
    with written_whole(path, overwrite=overwrite) as temporary:
        begin(temporary, outline, lambda memory: h5netcdf.File(memory, "w"), chunks)
        with h5netcdf.File(temporary, "r+") as file:
            file.dimensions = {"y": height, "x": width, "wavelength": bands}
            grid = file.create_variable("wavelength", ("wavelength",), np.float64, data=outline.wavelengths)
            grid.attrs.update(
                fixed({"units": "nm", "standard_name": _STANDARD_NAME, "long_name": "wavelength of the band"})
            )
            quantity = str(outline.attributes["quantity"])
            fill = np.uint16(NO_VALUE) if coding.is_scaled and outline.mask is not None else None
            cube = file.create_variable(quantity, ("y", "x", "wavelength"), coding.dtype, chunks=chunks, fillvalue=fill)
            cube.attrs.update(fixed({"units": str(outline.attributes["units"]), "long_name": f"spectral {quantity}"}))
            if coding.is_scaled:
                cube.attrs.update(scale_factor=coding.scale, add_offset=coding.offset)
            if outline.mask is not None:
                flags = outline.mask.astype(np.int8)
                valid = file.create_variable("valid", ("y", "x"), np.int8, data=flags, chunks=chunks[:2])
                flags_said = {"long_name": "whether the pixel is valid", "flag_meanings": "invalid valid"}
                valid.attrs.update(fixed(flags_said), flag_values=np.array([0, 1], dtype=np.int8))
                cube.attrs.update(fixed({"ancillary_variables": "valid"}))

            def put(window: Window, values: NDArray[np.generic]) -> None:
                cube[window.slices] = values

            yield put
            file.attrs.update(fixed(_global_attributes(outline)))  # some are known only now


def _global_attributes(outline: Outline) -> dict[str, Any]:
    method = outline.attributes["method"]
    stated = {key: np.int8(value) if isinstance(value, bool) else value for key, value in outline.attributes.items()}
    return {
        "Conventions": "CF-1.11",
        "title": f"spectral {outline.attributes['quantity']}",
        "source": f"estimated from an RGB image by {method}" if method else "unknown",
        "history": _HISTORY,
        **stated,
    }


class _Places(NamedTuple):
    """Where a file has its cube: the variable, whether its bands come first, and the variable of its wavelengths."""

    cube: str
    bands_first: bool
    wavelengths: str | None
    mask: str | None


def stored(look: Look, wavelengths: NDArray[np.float64] | None) -> StoredCube:
    """Open a file whose windows are read when asked for."""
    path = look.path
    if look.start.startswith(b"CDF"):
        raise DataError(f"{path} is NetCDF 3; make it NetCDF 4 (nccopy -k nc4 OLD NEW)")
    with open_hdf5(path) as file:
        places = _find(file, path)
        cube = numbers(file, places.cube, 3, path)
        first, second, third = cube.shape
        shape = (second, third, first) if places.bands_first else (first, second, third)
        grid, remark = wavelengths, None
        if places.wavelengths is not None:
            said = numbers(file, places.wavelengths, 1, path)
            unit = str(attributes_of(said, path, ["units"]).get("units", ""))
            if grid is None or is_known(unit):
                grid, remark = in_nanometres(said[()], unit, str(path))
        if grid is None or grid.size != shape[2]:
            found = "no wavelengths" if grid is None else f"{grid.size} wavelengths"
            raise DataError(f"{path}: the variable {places.cube!r} has {shape[2]} bands and there are {found}")
        if places.mask is not None and (held := numbers(file, places.mask, 2, path).shape) != shape[:2]:
            raise DataError(f"{path}: the mask has shape {held} and the cube {shape}")
        said_of_all = attributes_of(file, path, [key for key in file.attrs if not key.startswith("_")])
        ignored = _ignored(cube, path)
    attributes: dict[str, Value] = {
        key: value for key, value in said_of_all.items() if key not in _OWN or (key == "history" and value != _HISTORY)
    }
    if "quantity" not in attributes and places.cube in QUANTITIES:
        attributes["quantity"] = places.cube
    if attributes.get("quantity", QUANTITIES[0]) not in QUANTITIES:
        raise DataError(f"{path}: the attribute quantity is {attributes['quantity']!r}, not {' or '.join(QUANTITIES)}")

    remarks, noticed = ((remark,) if remark else ()), list[str]()

    def fetch(rows: slice, columns: slice) -> NDArray[np.generic]:
        with open_hdf5(path) as file:
            cube = numbers(file, places.cube, 3, path)
            part = (slice(None), rows, columns) if places.bands_first else (rows, columns)
            stored = read_part(cube, part, path)
            scale, offset = scale_of(cube, path)
        stored = np.moveaxis(stored, 0, -1) if places.bands_first else stored
        return clear_missing(decode(stored, scale, offset), stored, ignored)

    def fetch_mask() -> Mask | None:
        with open_hdf5(path) as file:
            flags = None if places.mask is None else numbers(file, places.mask, 2, path)[()].astype(np.bool_)
            if not ignored:
                return flags
            bands_missing = _count_missing(numbers(file, places.cube, 3, path), places.bands_first, ignored)
        valid: Mask = bands_missing < shape[2]
        noticed.extend(say_some(int(np.count_nonzero(bands_missing[valid])), ignored, str(path)))
        if flags is not None:
            valid &= flags
        return None if flags is None and valid.all() else valid

    return StoredCube(path, "netcdf", shape, grid, attributes, fetch, fetch_mask, remarks, noticed)


def _ignored(cube: h5py.Dataset, path: Path) -> tuple[float, ...]:
    """Read the stored numbers that stand for no value."""
    found: list[float] = []
    for key in ("_FillValue", "missing_value"):
        if attributes_of(cube, path, [key]):  # its length is checked
            try:
                found += [float(number) for number in np.ravel(cube.attrs[key])]
            except (TypeError, ValueError):
                raise DataError(f"{path}: {key} of {cube.name.strip('/')!r} must be a number") from None
    return tuple(dict.fromkeys(found))


def _count_missing(cube: h5py.Dataset, bands_first: bool, ignored: tuple[float, ...]) -> NDArray[np.uint32]:
    """Count the bands without a value in each pixel, chunk by chunk."""
    axis = 0 if bands_first else 2
    shape = cube.shape[1:] if bands_first else cube.shape[:2]
    found = np.zeros(shape, dtype=np.uint32)
    whole_lines = ((slice(line, line + 1), slice(None), slice(None)) for line in range(cube.shape[0]))
    for part in cube.iter_chunks() if cube.chunks else whole_lines:
        place = part[1:] if bands_first else part[:2]
        found[place] += is_ignored(cube[part], ignored).sum(axis=axis, dtype=np.uint32)
    return found


def _find(file: h5py.File, path: Path) -> _Places:
    there = dict(arrays(file))
    cubes = [key for key, found in there.items() if len(found.shape or ()) == 3]
    ours = [key for key in cubes if key in QUANTITIES]
    if len(ours or cubes) != 1:
        found = plain_line(", ".join(sorted(cubes)[:8])) or "none"
        raise DataError(f"{path}: one variable with three axes was expected, or one named radiance; there is {found}")
    [name] = ours or cubes
    scales = [key for key, found in there.items() if _REFERENCES in found.attrs]
    bands = [
        (axis, scale)
        for scale in scales
        if _is_spectral(file, scale, path)
        for axis in _axes_of(file, scale, name, path)
    ]
    if bands and bands[0][0] == 1:
        raise DataError(f"{path}: the wavelengths of {name!r} are its second axis; they must be the first or the last")
    axis, wavelengths = bands[0] if bands else (2, None)
    mask = "valid" if "valid" in there else None
    return _Places(name, axis == 0, wavelengths, mask)


def _axes_of(file: h5py.File, scale: str, cube: str, path: Path) -> list[int]:
    """Find the axes of a variable that a coordinate belongs to, by the list which the coordinate keeps.

    The lists that variables keep of their coordinates are of variable length, and where one is damaged the HDF5
    library may never come back from reading it.
    """
    attributes_of(file[scale], path, [_REFERENCES])  # its length is checked
    return sorted(int(axis) for reference, axis in file[scale].attrs[_REFERENCES] if _leads_to(file, reference, cube))


def _leads_to(file: h5py.File, reference: h5py.Reference, key: str) -> bool:
    try:
        return bool(file[reference] == file[key])
    except Exception:  # it led to a variable that was deleted, and HDF5 raises whatever it finds there instead
        return False


def _is_spectral(file: h5py.File, key: str, path: Path) -> bool:
    standard_name = attributes_of(file[key], path, ["standard_name"]).get("standard_name")
    return key.lower() in ("wavelength", "wavelengths") or standard_name == _STANDARD_NAME
