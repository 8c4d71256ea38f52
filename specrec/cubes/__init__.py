"""A cube and its wavelengths <-> one file, in six formats, one module each.

======  ============  =========================  =================================================================
form    suffixes      numbers                    what it holds
======  ============  =========================  =================================================================
hdf5    .h5, .hdf5    float32, float16, uint16   everything: cube, wavelengths, mask, attributes
mat     .mat          float32                    the layout of the ICVL data set, MATLAB v7.3
envi    .hdr + .img   float32, uint16            everything, a pixel outside the mask as the ignored value
tiff    .tif, .tiff   float32, float16, uint16   everything, one plane per band
netcdf  .nc           float32, uint16            everything, after the CF conventions; needs specrec[netcdf]
npy     .npy          float32, float16           the bare array of a cube on the standard grid
======  ============  =========================  =================================================================

A file is written in the form that its suffix, or the caller, says; it is read by what is in it
(`specrec.cubes.readers`). How uint16 keeps its scale is `specrec.cubes.coding`.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.cubes import readers
from specrec.cubes.coding import DTYPES as DTYPES
from specrec.cubes.coding import NO_VALUE, choose_coding
from specrec.cubes.coding import SPAN as SPAN
from specrec.cubes.stored import DEFAULTS, QUANTITIES, CubeFile, Outline, Put, PutStored, StoredCube
from specrec.errors import DataError, UsageError
from specrec.images import check_absent
from specrec.parameters import Value
from specrec.scenes import Window
from specrec.spectra import Cube, check_cube, check_wavelengths

SUFFIXES = {"hdf5": ".h5", "mat": ".mat", "envi": ".hdr", "tiff": ".tif", "netcdf": ".nc", "npy": ".npy"}
"""The usual suffix of each form."""

FORMS = tuple(SUFFIXES)
_FORM_OF = {
    ".h5": "hdf5", ".hdf5": "hdf5", ".mat": "mat", ".hdr": "envi", ".img": "envi",
    ".tif": "tiff", ".tiff": "tiff", ".nc": "netcdf", ".npy": "npy",
}  # fmt: skip


class _Format(Protocol):
    dtypes: Mapping[str, str]  # those it stores, and for the others why not

    def writer(self, path: Path, outline: Outline, *, overwrite: bool) -> AbstractContextManager[PutStored]: ...

    def stored_bytes(self, shape: tuple[int, int, int], itemsize: int) -> int: ...


def write_cube(
    path: str | os.PathLike[str],
    cube: ArrayLike,
    wavelengths: ArrayLike,
    attributes: Mapping[str, Value],
    mask: NDArray[Any] | None = None,
    *,
    form: str | None = None,
    dtype: str = "float32",
    span: tuple[float, float] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a cube, whole or not at all.

    Parameters
    ----------
    path
        Its suffix chooses the form unless `form` does.
    cube
        (height, width, bands).
    wavelengths
        nm, one per band.
    attributes
        ``quantity`` (radiance or reflectance) must be there; `specrec.cubes.hdf5` lists the others. An .npy keeps none.
    mask
        Valid pixels, (height, width); None: all are valid. An .npy keeps none.
    form
        One of `FORMS`; None: that of the suffix.
    dtype
        One of `DTYPES`: the type of the stored numbers. Not every form has every type.
    span
        The lowest and the highest value that uint16 shall hold; None: `SPAN`.
    overwrite
        Whether existing files may be replaced.

    Raises
    ------
    UsageError
        For an unknown form or suffix, a type that the form does not have, or a file that exists.
    DataError
        For NaN, bands that do not match the wavelengths, or a value that the type does not hold.
    SpecrecError
        If the folder cannot be written to.
    """
    path = Path(path)
    check_form(path, form, dtype)
    checked = check_cube(cube, wavelengths, str(path))
    height, width, bands = checked.shape
    writing = cube_writer(
        path, (height, width, bands), wavelengths, attributes, mask,
        form=form, dtype=dtype, span=span, overwrite=overwrite,
    )  # fmt: skip
    with writing as put:
        put(Window(0, 0, height, width), checked)


@contextmanager
def cube_writer(
    path: str | os.PathLike[str],
    shape: tuple[int, int, int],
    wavelengths: ArrayLike,
    attributes: Mapping[str, Value],
    mask: NDArray[Any] | None = None,
    *,
    form: str | None = None,
    dtype: str = "float32",
    span: tuple[float, float] | None = None,
    overwrite: bool = False,
    later: Callable[[], Mapping[str, Value]] | None = None,
) -> Iterator[Put]:
    """Write a cube window by window, so that it is never whole in memory; the file is there when the block has ended.

    Parameters and errors are those of `write_cube`, with the `shape` of the cube. The windows must cover it, each pixel
    once, or a ValueError is raised. If the block is left by an error or by Ctrl-C, nothing is left behind. `later`
    gives more attributes once all windows are written, such as what was measured on them; forms that can add none at
    the end leave them out.

    Yields
    ------
    A function of a window and its values.
    """
    path = Path(path)
    module = _module(check_form(path, form, dtype))
    for written in written_paths(path, form):
        check_absent(written, overwrite)
    if attributes.get("quantity") not in QUANTITIES:
        raise ValueError(f"attributes must say the quantity, {' or '.join(QUANTITIES)}: {dict(attributes)}")
    grid = check_wavelengths(wavelengths, str(path))
    valid = None if mask is None else np.asarray(mask, dtype=np.bool_)
    if valid is not None and valid.shape != shape[:2]:
        raise ValueError(f"the mask has shape {valid.shape}, the cube {shape}")
    coding = choose_coding(dtype, span)
    stated = {**DEFAULTS, **attributes, "specrec_version": version("specrec")}
    outline = Outline(shape, grid, valid, stated, coding)
    missing = shape[0] * shape[1]
    with module.writer(path, outline, overwrite=overwrite) as put:

        def put_checked(window: Window, values: Cube) -> None:
            nonlocal missing
            if values.shape != (window.height, window.width, shape[2]):
                raise DataError(f"{path}: {window} of {shape[2]} bands was filled with values of shape {values.shape}")
            if not np.isfinite(values).all():
                raise DataError(f"{path}: the cube holds NaN or infinity in {window}")
            if coding.is_scaled and valid is not None:
                has_value = valid[window.slices][..., np.newaxis]
                levels = coding.encode(np.where(has_value, values, np.float32(coding.offset)), str(path))
                put(window, np.where(has_value, levels, np.uint16(NO_VALUE)))
            else:
                put(window, coding.encode(values, str(path)))
            missing -= window.height * window.width

        yield put_checked
        if missing:
            raise ValueError(f"{path}: the windows leave {missing} of {shape[0] * shape[1]} pixels of the cube empty")
        if later is not None:
            outline.attributes.update(later())


def stored_bytes(
    path: str | os.PathLike[str], shape: tuple[int, int, int], *, form: str | None = None, dtype: str = "float32"
) -> int:
    """Count the bytes that a cube of (height, width, bands) takes in the form of a path."""
    return _module(check_form(path, form, dtype)).stored_bytes(shape, choose_coding(dtype).itemsize)


def written_paths(path: str | os.PathLike[str], form: str | None = None) -> tuple[Path, ...]:
    """List every file that a write makes: one, and for ENVI the header and the data."""
    path = Path(path)
    if check_form(path, form) != "envi":
        return (path,)
    return _envi_paths(path)


def read_cube(path: str | os.PathLike[str], wavelengths: ArrayLike | None = None) -> CubeFile:
    """Read a cube file whole; parameters and errors are those of `open_cube`."""
    with open_cube(path, wavelengths) as stored:
        return CubeFile(stored.read(), stored.wavelengths, stored.mask, stored.attributes)


@contextmanager
def open_cube(
    path: str | os.PathLike[str],
    wavelengths: ArrayLike | None = None,
    *,
    key: str | None = None,
    layout: str | None = None,
) -> Iterator[StoredCube]:
    """Open a cube file to read parts of it; what it is is decided by its content.

    Parameters
    ----------
    path
        The file; of ENVI either the header or the data.
    wavelengths
        nm, for a file that names none; those of a file that names them are kept.
    key, layout
        The array of a MATLAB file, or its layout, where its keys do not tell (`specrec.cubes.foreign`).

    Raises
    ------
    UsageError
        Where there is no such file.
    DataError
        If it is no cube file, is damaged, lacks something, or (while it is read) holds NaN.
    """
    path = Path(path)
    given = None if wavelengths is None else check_wavelengths(wavelengths, "the wavelengths given")
    yield readers.find(path, _FORM_OF.get(path.suffix.lower()), given, key=key, layout=layout)


def check_form(path: str | os.PathLike[str], form: str | None = None, dtype: str = "float32") -> str:
    """Return the form that a cube would be written in at a path, before any work is done for it.

    Raises
    ------
    UsageError
        For an unknown form, a suffix that is none or another form's, or a type of numbers that the form does not have.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    found = _FORM_OF.get(suffix)
    if form is None and found is None:
        kind = f"the suffix {path.suffix!r}" if suffix else "no suffix"
        raise UsageError(f"{path} has {kind}; a cube file ends in {', '.join(_FORM_OF)}")
    if form is not None and form not in FORMS:
        raise UsageError(f"a cube is written as {', '.join(FORMS)}, not as {form!r}")
    if form is not None and found not in (None, form):
        raise UsageError(f"{path} ends like {found}, and {form} was asked for; {form} ends in {SUFFIXES[form]}")
    chosen = form or found or ""
    choose_coding(dtype)
    if chosen == "envi":
        _envi_paths(path)
    if chosen == "netcdf" and find_spec("h5netcdf") is None:
        raise UsageError(f'{path}: writing NetCDF needs h5netcdf; pip install "specrec[netcdf]"')
    if reason := _module(chosen).dtypes[dtype]:
        raise UsageError(f"{path} cannot be {dtype}: {reason}")
    return chosen


def _envi_paths(path: Path) -> tuple[Path, Path]:
    from specrec.cubes import envi

    return envi.paths(path)


def _module(form: str) -> _Format:
    module: Any = import_module(f"specrec.cubes.{form}")
    found: _Format = module
    return found
