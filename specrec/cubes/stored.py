"""What a cube file holds, whole (`CubeFile`) or in parts (`StoredCube`), and what is known of it before its values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specrec.cubes.coding import Coding
from specrec.errors import MemoryShortageError
from specrec.parameters import Value
from specrec.scenes import Mask, Window
from specrec.spectra import Cube, check_cube

QUANTITIES = ("radiance", "reflectance")

DEFAULTS: Mapping[str, Value] = {
    "units": "1",
    "scale_min": 0.0,
    "scale_max": 1.0,
    "method": "",
    "weights_sha256": "",
    "rendering": "",
}
"""Attributes that every file gets which can hold any, and their values where nobody said another."""


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
class StoredCube:
    """A cube file whose values are read when asked for, window by window.

    Parameters
    ----------
    path
        The file.
    form
        Its format or layout, such as ``"hdf5"``.
    shape
        (height, width, bands).
    wavelengths
        nm, one per band, increasing.
    attributes
        As in `CubeFile`. A file that does not say its quantity has no ``quantity`` here.
    fetch
        Gives the values at rows and columns, slices whose bounds lie inside and whose step is 1 or more:
        (rows, columns, bands), any real type.
    fetch_mask
        Gives the valid pixels, (height, width) bool, or None: all are valid.
    remarks
        Sentences for the user, where the file did not say something, or was read otherwise than it lies.
    noticed
        More of them, complete once the mask was asked for: what only a look at all values tells.
    """

    path: Path
    form: str
    shape: tuple[int, int, int]
    wavelengths: NDArray[np.float64]
    attributes: dict[str, Value]
    fetch: Callable[[slice, slice], NDArray[np.generic]] = field(repr=False)
    fetch_mask: Callable[[], Mask | None] = field(default=lambda: None, repr=False)
    remarks: tuple[str, ...] = ()
    noticed: list[str] = field(default_factory=list)

    @cached_property
    def mask(self) -> Mask | None:
        """Valid pixels, (height, width) bool, read when first asked for; None: all are valid."""
        try:
            return self.fetch_mask()
        except MemoryError:
            raise self._too_large() from None

    def read(self, window: Window | None = None, step: int = 1) -> Cube:
        """Read the cube, or one window of it, and of that every `step`-th row and column.

        Returns
        -------
        float32 (height, width, bands), both sides divided by `step` and rounded up.

        Raises
        ------
        DataError
            If the file is damaged, holds NaN or infinity there, or does not fit in memory.
        """
        height, width, bands = self.shape
        top, left, rows, columns = window or Window(0, 0, height, width)
        if min(top, left) < 0 or min(rows, columns, step) < 1 or top + rows > height or left + columns > width:
            raise ValueError(f"{window} in steps of {step} does not lie inside a cube of {height} x {width} pixels")
        try:
            values = self.fetch(slice(top, top + rows, step), slice(left, left + columns, step))
            return check_cube(values, np.arange(bands), str(self.path))
        except MemoryError:
            raise self._too_large() from None

    def _too_large(self) -> MemoryShortageError:
        shape = " x ".join(map(str, self.shape))
        return MemoryShortageError(f"{self.path}: memory does not hold {shape} values at once; end other programs")


@dataclass(frozen=True)
class Outline:
    """What is known of a cube before its values are; fields as in `CubeFile`, checked, and the coding."""

    shape: tuple[int, int, int]
    wavelengths: NDArray[np.float64]
    mask: Mask | None
    attributes: dict[str, Value]
    coding: Coding


Put = Callable[[Window, Cube], None]
"""Writes the values of one window, (height, width, bands) float32."""

PutStored = Callable[[Window, NDArray[np.generic]], None]
"""Writes one window of values that are coded already, as the file stores them."""
