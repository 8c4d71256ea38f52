"""A cube from one file to another: any format to any, on another grid of wavelengths if asked, window by window.

What is done to the values is only what is asked for: resampling to another grid, a factor. It is added to the attribute
``history`` of the new file, and bands that were extrapolated are listed in the attribute ``extrapolated``.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from specrec.cache import check_room
from specrec.cubes import SPAN, check_form, cube_writer, open_cube, stored_bytes, written_paths
from specrec.cubes.stored import QUANTITIES, StoredCube
from specrec.errors import DataError, UsageError
from specrec.images import check_absent
from specrec.parameters import Value
from specrec.resampling import TOLERANCE, Extrapolation, Method, Resampling, common_grid, resampling
from specrec.scenes import Mask, Window
from specrec.spectra import Cube, describe_grid, is_standard_grid

Progress = Callable[[float, str], None]
Grid = NDArray[np.float64] | Literal["keep", "common"]

_AT_A_TIME = 64 << 20  # bytes of float32; about four times as much is in use
_SIDE = 64  # pixels; windows are made of whole chunks of specrec's own files
_COUNTS = (0.0, 65534.0)
_OF_A_FILE = ("format_version", "specrec_version")  # the new file gets its own


@dataclass(frozen=True)
class Source:
    """How a file is read.

    Parameters
    ----------
    path
        The file.
    wavelengths
        nm, for a file that names none.
    key, layout
        The array of a MATLAB file, or its layout (`specrec.cubes.layouts.NAMES`), where the keys do not tell.
    quantity
        ``"radiance"`` or ``"reflectance"``; None: as the file says.
    """

    path: Path
    wavelengths: NDArray[np.float64] | None = None
    key: str | None = None
    layout: str | None = None
    quantity: str | None = None


@dataclass(frozen=True)
class Target:
    """What is written.

    Parameters
    ----------
    path
        The file.
    form
        One of `specrec.cubes.FORMS`; None: that of the suffix.
    dtype
        One of `specrec.cubes.DTYPES`. For uint16 the source is read twice: first for the range of its values.
    grid
        nm, or ``"keep"``, or ``"common"``: the bands of 400, 410, .. 700 nm that the source covers.
    method, extrapolate
        As in `specrec.resampling`.
    scale
        What the values are multiplied by, such as 1/4095 for 12-bit counts.
    overwrite
        Whether existing files may be replaced.
    """

    path: Path
    form: str | None = None
    dtype: str = "float32"
    grid: Grid = "keep"
    method: Method = "auto"
    extrapolate: Extrapolation = "none"
    scale: float = 1.0
    overwrite: bool = False


@dataclass(frozen=True)
class Converted:
    """What became of a conversion.

    Parameters
    ----------
    shape
        (height, width, bands) of the new cube.
    way
        The resampling; its method is ``"none"`` where the bands were kept.
    remarks
        Sentences for the user: what the file did not say, and what was done about it.
    """

    shape: tuple[int, int, int]
    way: Resampling
    remarks: tuple[str, ...]


def convert(source: Source, target: Target, progress: Progress | None = None) -> Converted:
    """Read a cube and write it, whole or not at all, without ever holding it whole.

    Raises
    ------
    UsageError
        For a file on itself, a target that exists, a grid that the source does not cover, a file that does not say its
        wavelengths or its quantity and needs help, or a format that cannot hold what it shall.
    DataError
        If the source is damaged, or the target's type of numbers does not hold its values.
    """
    form = check_form(target.path, target.form, target.dtype)
    if not source.path.is_file():
        is_folder = source.path.is_dir()
        raise UsageError(
            f"{source.path} is a folder; name a cube file" if is_folder else f"there is no cube file {source.path}"
        )
    _check_apart(source.path, target)
    for path in written_paths(target.path, target.form):
        check_absent(path, target.overwrite)
    with open_cube(source.path, source.wavelengths, key=source.key, layout=source.layout) as cube:
        _check_stated(cube, source.wavelengths)
        way = _way(cube, target, form)
        attributes = _attributes(cube, source, target, form, way)
        height, width, _ = cube.shape
        shape = (height, width, way.target.size)
        needed = stored_bytes(target.path, shape, form=target.form, dtype=target.dtype)
        check_room(target.path.parent, needed, f"the numbers of {target.path.name}")
        passes = 2 if target.dtype == "uint16" else 1
        tell = _Teller(progress, passes * height * width)
        mask = cube.mask
        remarks = [*cube.remarks, *cube.noticed]
        if _is_of_icvl(cube, source):
            remarks.append(
                f"{source.path}: read as the files of the ICVL site lie, rows from the bottom up; those of NTIRE 2018"
                " are upright (--layout ntire2018)"
            )
        if mask is not None and form == "npy":
            remarks.append(f"{target.path}: an .npy keeps no mask; the {(~mask).sum()} pixels without a value stay")
        span = _span(cube, way, target, mask, tell) if passes == 2 else None
        writing = cube_writer(
            target.path, shape, way.target, attributes, mask,
            form=target.form, dtype=target.dtype, span=span, overwrite=target.overwrite,
        )  # fmt: skip
        with writing as put:
            for window, values in _values(cube, way, target, tell, "writing"):
                put(window, values)
    return Converted(shape, way, tuple(remarks))


def _check_apart(source: Path, target: Target) -> None:
    own = {os.path.realpath(path) for path in (source, source.with_suffix(".hdr")) if path.exists()}
    for path in written_paths(target.path, target.form):
        if os.path.realpath(path) in own or (path.exists() and path.samefile(source)):
            raise UsageError(f"{source} would be converted onto itself; name another file to write")


def _way(cube: StoredCube, target: Target, form: str) -> Resampling:
    grid = target.grid
    if isinstance(grid, str):
        grid = cube.wavelengths if grid == "keep" else common_grid(cube.wavelengths, str(cube.path))
    if form == "npy" and not is_standard_grid(grid):
        raise UsageError(
            f"{target.path}: an .npy keeps no wavelengths, so it holds 400, 410, .. 700 nm only and not"
            f" {describe_grid(grid)}; add --grid 400:10:700 or write .h5"
        )
    return resampling(cube.wavelengths, grid, target.method, extrapolate=target.extrapolate, where=str(cube.path))


def _attributes(cube: StoredCube, source: Source, target: Target, form: str, way: Resampling) -> dict[str, Value]:
    """Carry the attributes over, and say what is done."""
    attributes = {name: value for name, value in cube.attributes.items() if name not in _OF_A_FILE}
    done = [f"converted from {cube.path.name} ({cube.form})"]
    said = attributes.get("quantity")
    quantity = source.quantity or said or ("reflectance" if form == "npy" else None)  # an .npy says none
    if quantity is None:
        raise UsageError(
            f"{cube.path} does not say whether its values are radiance or reflectance; add --quantity radiance or"
            " --quantity reflectance"
        )
    if quantity not in QUANTITIES:
        raise UsageError(f"a quantity is {' or '.join(QUANTITIES)}, not {quantity!r}")
    attributes["quantity"] = quantity
    if said not in (None, quantity):
        done.append(f"called {quantity} instead of {said}")
    if way.method != "none":
        done.append(
            f"resampled from {describe_grid(way.source)} to {describe_grid(way.target)} by the method {way.method}"
        )
    if way.extrapolated:
        words = ", ".join(f"{band:g}" for band in way.extrapolated)
        done.append(f"{words} nm repeat the nearest band")
        earlier = str(attributes.get("extrapolated", ""))
        attributes["extrapolated"] = f"{earlier}, {words}" if earlier else words
    if target.scale != 1.0:
        if not 0.0 < target.scale < np.inf:
            raise UsageError(f"a scale is a positive factor, not {target.scale:g}")
        low, high = (float(attributes.get(name, least)) for name, least in (("scale_min", 0), ("scale_max", 1)))
        attributes["scale_min"], attributes["scale_max"] = low, low + (high - low) / target.scale
        done.append(f"multiplied by {target.scale:.9g}")
    before = attributes.get("history")
    attributes["history"] = (f"{before}; " if before else "") + ", ".join(done)
    return attributes


def _check_stated(cube: StoredCube, given: NDArray[np.float64] | None) -> None:
    """Refuse wavelengths from the user where the file states others."""
    stated = cube.wavelengths
    if given is not None and not (given.shape == stated.shape and np.allclose(given, stated, rtol=0, atol=TOLERANCE)):
        raise UsageError(f"{cube.path} says its own wavelengths ({describe_grid(stated)}); leave --wavelengths out")


def _is_of_icvl(cube: StoredCube, source: Source) -> bool:
    """Tell whether a file with the key ``rad`` was taken for one of the ICVL site without a word from anyone."""
    if cube.form != "mat" or source.layout is not None:
        return False
    with cube.path.open("rb") as file:
        return b"Platform: specrec" not in file.read(128)


class _Teller:
    """Says how far a piece of work of so many pixels is."""

    def __init__(self, progress: Progress | None, pixels: int) -> None:
        self._progress, self._pixels, self._done = progress, pixels, 0

    def __call__(self, window: Window, words: str) -> None:
        self._done += window.height * window.width
        if self._progress is not None:
            self._progress(self._done / self._pixels, words)


def _values(
    cube: StoredCube, way: Resampling, target: Target, tell: _Teller, words: str
) -> Iterator[tuple[Window, Cube]]:
    """Read, resample and scale window after window."""
    height, width, _ = cube.shape
    bands = max(way.source.size, way.target.size)
    across = min(width, max(_SIDE, _AT_A_TIME // (4 * bands * _SIDE) // _SIDE * _SIDE))
    down = max(_SIDE, _AT_A_TIME // (4 * bands * across) // _SIDE * _SIDE)
    for top in range(0, height, down):
        for left in range(0, width, across):
            window = Window(top, left, min(down, height - top), min(across, width - left))
            values = way.apply(cube.read(window))
            if target.scale != 1.0:
                values = _scaled(values, target.scale)
            yield window, values
            tell(window, words)


def _scaled(values: Cube, scale: float) -> Cube:
    with np.errstate(over="ignore"):
        scaled = (values.astype(np.float64) * scale).astype(np.float32)
    if not np.isfinite(scaled).all():
        worst = values.flat[np.abs(values).argmax()]
        raise UsageError(f"--scale {scale:g} makes {worst:g} too large for float32; give a smaller factor")
    return scaled


def _span(cube: StoredCube, way: Resampling, target: Target, mask: Mask | None, tell: _Teller) -> tuple[float, float]:
    """Find the range of the valid values; where whole counts or the usual span hold each of them exactly, that."""
    low, high = np.inf, -np.inf
    exact = {_COUNTS: True, SPAN: True}
    for window, values in _values(cube, way, target, tell, "finding the range"):
        valid = values if mask is None else values[mask[window.slices]]
        if valid.size == 0:
            continue
        low, high = min(low, float(valid.min())), max(high, float(valid.max()))
        for span, still in exact.items():
            exact[span] = still and _holds(span, valid)
    for span, still in exact.items():
        if still and low <= high:
            return span
    if not low <= high:
        raise DataError(f"{cube.path}: no pixel of the cube is valid, so there is no range to store as uint16")
    return (low, high) if low < high else (low, low + max(1.0, abs(low)))


def _holds(span: tuple[float, float], values: Cube) -> bool:
    if values.min() < span[0] or values.max() > span[1]:
        return False
    levels = (values - np.float64(span[0])) * (65534 / (span[1] - span[0]))
    return bool((levels == np.rint(levels)).all())
