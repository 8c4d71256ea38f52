"""From spectra to colour: cube -> XYZ -> linear sRGB -> 8-bit sRGB, and XYZ -> Lab, in one documented way.

The chain is section 3.2 of Alvarez-Gila, van de Weijer and Garrote (2017), doi:10.1109/ICCVW.2017.64:
CIE 1964 10-degree observer sampled every 10 nm, illuminant E, the IEC 61966-2-1 matrix and encoding.
Every choice is part of `rendering_id`, which travels with results, weights and cubes.
"""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.errors import DataError
from specrec.spectra import WAVELENGTHS, describe_grid, is_standard_grid

Quantisation = Literal["round", "truncate", "none"]

XYZ_TO_RGB: NDArray[np.float64] = np.array(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
)
"""XYZ/100 -> linear sRGB, IEC 61966-2-1:1999, with the standard's own four decimals."""

RGB_TO_XYZ: NDArray[np.float64] = np.asarray(np.linalg.inv(XYZ_TO_RGB), dtype=np.float64)

BLOCK = 1 << 13
"""About this many pixels at a time are copied, where a cube cannot be read in place."""

_CELLS = 1 << 12
"""Of linear sRGB 0..1. The encoding is nowhere steeper than 12.92 x 255 levels, so no cell holds two thresholds."""


@cache
def cmfs() -> NDArray[np.float64]:
    """The CIE 1964 10-degree colour matching functions at 400, 410, .. 700 nm, shape (31, 3).

    Source: CIE 15:2004, Table T.5, at every tenth nanometre; no interpolation.
    """
    with (files("specrec") / "cie1964_10deg.csv").open() as table:
        values = np.loadtxt(table, delimiter=",", skiprows=1)[:, 1:]
    values.setflags(write=False)
    return values


@cache
def xyz_weights() -> NDArray[np.float64]:
    """Weights (31, 3) that take a spectrum to XYZ under illuminant E, scaled to Y = 100 for a flat 1."""
    weights: NDArray[np.float64] = cmfs() * (100.0 / cmfs()[:, 1].sum())  # K * step; the step of 10 nm cancels
    weights.setflags(write=False)
    return weights


@cache
def _padded_weights() -> NDArray[np.float64]:
    """The weights with a band of zeros at the end, which makes a multiple of four."""
    return np.pad(xyz_weights(), ((0, 1), (0, 0)))


def rendering_id(quantisation: Quantisation = "round") -> str:
    """Name the rendering in full, as it is stored with every result."""
    depth = "unquantised" if quantisation == "none" else f"{quantisation}8"
    return f"cie1964-10deg-10nm/E/iec61966-2-1/{depth}"


def xyz(cube: ArrayLike, wavelengths: ArrayLike = WAVELENGTHS) -> NDArray[np.float64]:
    """Tristimulus values of a cube under illuminant E.

    Parameters
    ----------
    cube
        (..., 31), any real type; 1 is the perfect white.
    wavelengths
        nm; only the grid 400, 410, .. 700 is rendered, since nothing is interpolated.

    Returns
    -------
    (..., 3) float64, Y = 100 for a flat spectrum of 1.

    Raises
    ------
    DataError
        For another grid, or bands that do not match it.

    Examples
    --------
    >>> xyz(np.ones(31)).round(5).tolist()
    [99.93414, 100.0, 99.93526]
    """
    from specrec.tristimulus import write_xyz

    spectra = _checked(cube, wavelengths)
    out = np.empty((spectra.size // WAVELENGTHS.size, 3))
    for part, rows in _blocks(spectra):
        write_xyz(rows, _padded_weights(), out[part])
    return out.reshape(*spectra.shape[:-1], 3)


def _checked(cube: ArrayLike, wavelengths: ArrayLike) -> NDArray[Any]:
    spectra = np.asarray(cube)
    if not is_standard_grid(wavelengths):
        raise DataError(
            f"rendering needs the 31 bands 400-700 nm in steps of 10 nm, this cube has {describe_grid(wavelengths)}"
        )
    if spectra.shape[-1:] != WAVELENGTHS.shape:
        raise DataError(f"rendering needs 31 bands in the last axis, this cube has shape {spectra.shape}")
    return spectra


def _blocks(spectra: NDArray[Any]) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Yield blocks of pixels, (n, 31) in C order, and where they lie; only what cannot be read in place is copied."""
    dtype = np.float32 if spectra.dtype == np.float32 else np.float64
    lines = spectra if spectra.ndim > 1 else spectra[np.newaxis]
    pixels = int(np.prod(lines.shape[1:-1]))  # of a line
    count = max(1, BLOCK // max(1, pixels))
    for first in range(0, len(lines), count):
        rows = np.require(lines[first : first + count], dtype, ["C", "A"]).reshape(-1, WAVELENGTHS.size)
        rows.setflags(write=False)  # the view's flag: numba compiles once for what may be written and once for what not
        yield slice(first * pixels, first * pixels + len(rows)), rows


def linear_srgb(tristimulus: ArrayLike) -> NDArray[np.float64]:
    """XYZ/100, (..., 3) -> linear sRGB, (..., 3), not clipped."""
    x, y, z = np.moveaxis(np.asarray(tristimulus, dtype=np.float64), -1, 0)
    # written out: a matrix product may sum in another order for another number of pixels
    return np.stack([row[0] * x + row[1] * y + row[2] * z for row in XYZ_TO_RGB], axis=-1)


def encode_srgb(linear: ArrayLike) -> NDArray[np.float64]:
    """Linear sRGB -> sRGB in [0, 1]: clip, then the piecewise encoding of IEC 61966-2-1."""
    value = np.clip(np.asarray(linear, dtype=np.float64), 0.0, 1.0)
    encoded = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.where(value == 1.0, 1.0, encoded)  # 1.055 - 0.055 falls short of 1, and white would truncate to 254


def decode_srgb(encoded: ArrayLike) -> NDArray[np.float64]:
    """SRGB in [0, 1] -> linear sRGB: the inverse of `encode_srgb` on what was not clipped."""
    value = np.asarray(encoded, dtype=np.float64)
    return np.where(value <= 0.04045, value / 12.92, ((np.maximum(value, 0.0) + 0.055) / 1.055) ** 2.4)


def srgb_to_xyz(encoded: ArrayLike) -> NDArray[np.float64]:
    """SRGB in [0, 1], (..., 3) -> XYZ/100, (..., 3): what a per-pixel method calls the linear input."""
    return decode_srgb(encoded) @ RGB_TO_XYZ.T


def quantise(encoded: ArrayLike, quantisation: Quantisation = "round") -> NDArray[np.uint8]:
    """SRGB in [0, 1] -> 8 bit; `round` to nearest, or `truncate` as the paper's author later did."""
    levels = np.asarray(encoded, dtype=np.float64) * 255.0
    return (np.floor(levels) if quantisation == "truncate" else np.rint(levels)).astype(np.uint8)


def render(
    cube: ArrayLike,
    wavelengths: ArrayLike = WAVELENGTHS,
    *,
    scale: float | Literal["none", "minmax"] = "none",
    quantisation: Literal["round", "truncate"] = "round",
) -> NDArray[np.uint8]:
    """Render a cube to 8-bit sRGB.

    Parameters
    ----------
    cube
        (height, width, 31), 1 is white.
    wavelengths
        nm, 400 to 700 in steps of 10.
    scale
        ``"none"``, a factor, or ``"minmax"``: the paper's (cube - minimum) / (maximum - minimum).
    quantisation
        ``"round"`` or ``"truncate"``.

    Returns
    -------
    (height, width, 3) uint8.

    Raises
    ------
    DataError
        For bands off the grid, or a constant cube under ``"minmax"``.

    References
    ----------
    Alvarez-Gila et al. 2017, section 3.2; IEC 61966-2-1:1999.

    Examples
    --------
    >>> render(np.full((1, 1, 31), 0.5))[0, 0].tolist()
    [204, 183, 180]
    """
    from specrec.tristimulus import write_levels

    spectra = _checked(cube, wavelengths)
    offset, gain = np.zeros(3), 1.0
    if scale == "minmax":
        low, high = float(spectra.min()), float(spectra.max())
        if not high > low:
            raise DataError(f"a constant cube (every value is {low:g}) cannot be scaled by minimum and maximum")
        offset, gain = low * white_point() / 100.0, 1.0 / (high - low)
    elif scale != "none":
        gain = float(scale)
    starts, thresholds = _thresholds(quantisation)
    out = np.empty((spectra.size // WAVELENGTHS.size, 3), dtype=np.uint8)
    for part, rows in _blocks(spectra):
        write_levels(rows, _padded_weights(), offset, gain, XYZ_TO_RGB, starts, thresholds, out[part])
    return out.reshape(*spectra.shape[:-1], 3)


@cache
def _thresholds(quantisation: Quantisation) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """What `quantise(encode_srgb(linear))` is decided by, without a power for every value.

    Returns
    -------
    The level at the lower end of each cell of 0..1, and at index k the least float64 that gets level k.
    """
    levels = np.arange(257)
    # halving between the bit patterns of 0 and 1, which are in the order of the numbers
    below, reached = np.zeros(257, dtype=np.int64), np.full(257, np.float64(1.0).view(np.int64))
    while (reached - below > 1).any():
        middle = (below + reached) // 2
        enough = quantise(encode_srgb(middle.view(np.float64)), quantisation) >= levels
        below, reached = np.where(enough, below, middle), np.where(enough, middle, reached)
    thresholds = reached.view(np.float64)
    thresholds[-1] = np.inf
    return quantise(encode_srgb(np.arange(_CELLS + 1) / _CELLS), quantisation), thresholds


def white_point() -> NDArray[np.float64]:
    """XYZ of illuminant E under the same normalisation: the white of `lab`."""
    return np.asarray(xyz_weights().sum(axis=0), dtype=np.float64)


def lab(tristimulus: ArrayLike) -> NDArray[np.float64]:
    """CIE 1976 L*a*b* of XYZ (Y of white = 100), white = illuminant E; source CIE 15:2004.

    Examples
    --------
    >>> lab(xyz(np.ones(31))).round(6).tolist()
    [100.0, 0.0, 0.0]
    """
    ratio = np.asarray(tristimulus, dtype=np.float64) / white_point()
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    first, second, third = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * second - 16, 500 * (first - second), 200 * (second - third)], axis=-1)
