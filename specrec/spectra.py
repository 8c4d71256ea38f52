"""The wavelength grid of the field, and the checks every cube passes at a door."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.errors import DataError

Cube = NDArray[np.float32]
"""A spectral image: float32, (height, width, bands), bands last."""

WAVELENGTHS: NDArray[np.float64] = np.arange(400.0, 701.0, 10.0)
"""The 31 bands of ICVL, CAVE and ARAD, in nm."""
WAVELENGTHS.setflags(write=False)


SHORTEST, LONGEST = 1.0, 1e6
"""nm; what is beyond is no wavelength of a cube."""


def check_wavelengths(wavelengths: ArrayLike, where: str) -> NDArray[np.float64]:
    """Return `wavelengths` as float64 nm, or say what is wrong with those of `where`.

    They lie in 1 nm to 1,000,000 nm (1 mm), which is far beyond what imaging spectrometers see, from extreme
    ultraviolet to thermal infrared; what lies outside is damaged, or in another unit.

    Raises
    ------
    DataError
        If they are not a list of finite numbers in that range that increases.
    """
    try:
        grid = np.asarray(wavelengths, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):  # what a file says may be anything
        grid = np.empty(0)
    if grid.ndim != 1 or grid.size == 0 or not np.isfinite(grid).all():
        raise DataError(f"{where}: wavelengths must be a list of finite numbers in nm")
    if grid.min() < SHORTEST or grid.max() > LONGEST:
        raise DataError(
            f"{where}: {grid.min():g} to {grid.max():g} are no wavelengths in nm, which lie in {SHORTEST:g} to"
            f" {LONGEST:,.0f}"
        )
    if not (np.diff(grid) > 0).all():
        raise DataError(f"{where}: wavelengths must increase from band to band")
    return grid


def is_standard_grid(wavelengths: ArrayLike) -> bool:
    """Tell whether these are the 31 bands 400, 410, .. 700 nm.

    Examples
    --------
    >>> is_standard_grid(range(400, 701, 10)), is_standard_grid([450, 550, 650])
    (True, False)
    """
    grid = np.asarray(wavelengths, dtype=np.float64)
    return grid.shape == WAVELENGTHS.shape and bool(np.allclose(grid, WAVELENGTHS, atol=1e-6))


def describe_grid(wavelengths: ArrayLike) -> str:
    """Say a grid in words, as messages and listings print it.

    Examples
    --------
    >>> describe_grid([400, 410, 420])
    '3 bands, 400-420 nm'
    """
    grid = np.asarray(wavelengths, dtype=np.float64)
    return f"{grid.size} bands, {grid[0]:g}-{grid[-1]:g} nm"


def check_cube(cube: ArrayLike, wavelengths: ArrayLike, where: str) -> Cube:
    """Return `cube` as a float32 cube that fits `wavelengths`, or say what is wrong with `where`.

    Parameters
    ----------
    cube
        (height, width, bands), any real type.
    wavelengths
        One number per band, nm.
    where
        The file or scene, for the message.

    Raises
    ------
    DataError
        For another number of axes, bands that do not match, an empty cube, NaN or infinity.
    """
    array = np.asarray(cube)
    bands = np.size(np.asarray(wavelengths))
    if array.ndim != 3 or array.size == 0:
        raise DataError(f"{where}: a cube has the axes (height, width, bands), this one has shape {array.shape}")
    if array.shape[2] != bands:
        raise DataError(f"{where}: the cube has {array.shape[2]} bands and there are {bands} wavelengths")
    if array.dtype.kind not in "fiu":
        raise DataError(f"{where}: a cube holds real numbers, this one {array.dtype}")
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinity, and told below
        array = array.astype(np.float32, copy=False)
    if not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))[0]
        raise DataError(
            f"{where}: the cube holds NaN or infinity, first at row {bad[0]}, column {bad[1]}, band {bad[2]}"
        )
    return array
