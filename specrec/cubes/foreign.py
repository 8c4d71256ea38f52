"""Cubes in the MATLAB files of other makers: the layouts of `specrec.cubes.layouts`, or any array that the user names.

Arrays are taken in MATLAB's order, (height, width, bands). Where only the first axis has as many entries as there are
wavelengths, the array came from another program with its axes in another order, and is turned with a remark: in a
v5 file (bands, height, width), in a v7.3 file (bands, width, height), which its writer saw as (height, width, bands).
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.cubes.coding import decode
from specrec.cubes.grids import check_nanometres
from specrec.cubes.layouts import WAVELENGTH_KEYS, Layout, choose, grid_of, listing, of_key
from specrec.cubes.look import Look
from specrec.cubes.matlab import Arrays, open_arrays
from specrec.cubes.stored import StoredCube
from specrec.errors import DataError, UsageError
from specrec.parameters import Value
from specrec.scenes import Mask
from specrec.spectra import check_wavelengths


@dataclass(frozen=True)
class _Turn:
    """Where height, width and bands lie in an array, and whether its rows come from the bottom up."""

    axes: tuple[int, int, int] = (0, 1, 2)
    upside_down: bool = False

    def shape(self, of_array: tuple[int, ...]) -> tuple[int, int, int]:
        height, width, bands = (of_array[axis] for axis in self.axes)
        return height, width, bands

    def cut(self, arrays: Arrays, key: str, rows: slice, columns: slice, order: NDArray[np.intp] | None) -> Any:
        of_array = arrays.shapes[key]
        if self.upside_down:
            height, last = of_array[self.axes[0]], range(rows.start, rows.stop, rows.step or 1)[-1]
            rows = slice(height - 1 - last, height - rows.start, rows.step)
        part = [slice(None)] * 3
        part[self.axes[0]], part[self.axes[1]] = rows, columns
        values = arrays.read(key, tuple(part)).transpose(self.axes)
        values = values[::-1] if self.upside_down else values
        return values if order is None else values[..., order]


def stored(
    look: Look, wavelengths: NDArray[np.float64] | None = None, *, key: str | None = None, layout: str | None = None
) -> StoredCube:
    """Open the cube of a MATLAB file, version 5 or 7.3.

    Parameters
    ----------
    look
        The file.
    wavelengths
        nm, for a file and a layout that name none; those inside the file are kept.
    key
        The array to read, upright, values as they are; None: the layout says it.
    layout
        One of `specrec.cubes.layouts.NAMES`; None: recognised by the keys.

    Raises
    ------
    UsageError
        If the file is of no known layout, or the wavelengths of its bands are not known; the message says the way out.
    DataError
        If the file is damaged, or contradicts itself.
    """
    path = look.path
    with open_arrays(look) as arrays:
        shapes = arrays.shapes
        if key is not None and key not in shapes:
            raise UsageError(f"{path} has no array {key!r}; it holds {listing(shapes)}")
        if key is None:
            chosen = choose(shapes, layout, str(path))
            key = next(name for name in chosen.keys if name in shapes)
        else:
            chosen = of_key(key)
        if len(shapes[key]) != 3:
            words = " x ".join(map(str, shapes[key]))
            raise DataError(f"{path}: the array {key!r} is {words}, and a cube has three axes")
        return _describe(look, arrays, key, chosen, wavelengths)


def _describe(
    look: Look, arrays: Arrays, key: str, layout: Layout, wavelengths: NDArray[np.float64] | None
) -> StoredCube:
    path, of_array, remarks = look.path, arrays.shapes[key], []
    turn = _Turn((1, 0, 2), upside_down=True) if layout.upside_down else _Turn()
    grid = _inside(path, arrays, of_array, strict=wavelengths is None)
    if grid is None:
        grid = wavelengths if wavelengths is not None else grid_of(layout, of_array)
    if grid is None:
        raise DataError(
            f"{path}: {key!r} has {of_array[2]} bands and nothing says their wavelengths; add them with --wavelengths"
            " (400:10:700, or a list in nm, or a text file)"
        )
    if grid.size != of_array[2]:
        if grid.size != of_array[0] or layout.upside_down:
            words = " x ".join(map(str, of_array))
            raise DataError(f"{path}: {key!r} is {words}, which does not fit {grid.size} wavelengths")
        turn = _Turn((1, 2, 0)) if arrays.version == "5" else _Turn((2, 1, 0))
        remarks.append(f"{path}: the bands are the first axis of {key!r}, so the axes were turned")
    order = None
    if not (np.diff(grid) > 0).all():
        order = np.argsort(grid, kind="stable")
        grid = check_wavelengths(grid[order], str(path))
        remarks.append(f"{path}: its bands are not in the order of their wavelengths and were sorted")
    attributes: dict[str, Value] = {} if layout.quantity is None else {"quantity": layout.quantity}
    if (factor := _number(arrays, "norm_factor")) is not None:
        attributes["norm_factor"] = factor
    height, width, bands = turn.shape(of_array)
    mask_key = layout.mask_key if layout.mask_key in arrays.shapes else None
    if mask_key and arrays.shapes[mask_key] != (height, width):
        words = " x ".join(map(str, arrays.shapes[mask_key]))
        raise DataError(f"{path}: the mask {mask_key!r} is {words} and the cube {height} x {width} pixels")
    held = _Held(look, arrays if arrays.version == "5" else None)
    return StoredCube(
        path,
        layout.name,
        (height, width, bands),
        grid,
        attributes,
        partial(held.values, key, turn, order, layout.full_scale),
        partial(held.mask, mask_key),
        tuple(remarks),
    )


@dataclass(frozen=True)
class _Held:
    """A file between two readings: one of version 5 keeps what it has unpacked, one of 7.3 is opened each time."""

    look: Look
    arrays: Arrays | None

    def values(
        self, key: str, turn: _Turn, order: NDArray[np.intp] | None, scale: float, rows: slice, columns: slice
    ) -> Any:
        if self.arrays is not None:
            values = turn.cut(self.arrays, key, rows, columns, order)
        else:
            with open_arrays(self.look) as arrays:
                values = turn.cut(arrays, key, rows, columns, order)
        if scale == 1.0:
            return decode(values)
        with np.errstate(invalid="ignore"):  # a damaged NaN is told where the cube is checked
            return decode(values) / np.float32(scale)

    def mask(self, key: str | None) -> Mask | None:
        if key is None:
            return None
        if self.arrays is not None:
            valid: Mask = self.arrays.read(key) != 0
        else:
            with open_arrays(self.look) as arrays:
                valid = arrays.read(key) != 0
        return None if valid.all() else valid


def _inside(path: Path, arrays: Arrays, of_array: tuple[int, ...], *, strict: bool) -> NDArray[np.float64] | None:
    """Read the wavelengths that a file lists, in nm and in its order; what is no such list counts if `strict`."""
    for key in WAVELENGTH_KEYS:
        shape = arrays.shapes.get(key)
        if shape is None or max(shape) != np.prod(shape):
            continue
        grid = np.ravel(arrays.read(key)).astype(np.float64)
        try:
            if grid.size not in (of_array[2], of_array[0]):
                raise DataError(
                    f"{path}: the key {key!r} lists {grid.size} wavelengths and the cube has {of_array[2]} bands"
                )
            check_nanometres(grid, f"{path}, key {key!r}")
            check_wavelengths(np.sort(grid), f"{path}, key {key!r}")
        except DataError:
            if strict:
                raise
            continue
        return grid
    return None


def _number(arrays: Arrays, key: str) -> float | None:
    shape = arrays.shapes.get(key)
    if shape is None or np.prod(shape) != 1:
        return None
    value = float(arrays.read(key).ravel()[0])
    return value if np.isfinite(value) else None
