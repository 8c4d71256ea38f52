"""From spectra to colour: cube -> XYZ -> linear sRGB -> 8-bit sRGB, and XYZ -> Lab, in one documented way.

The chain is section 3.2 of Alvarez-Gila, van de Weijer and Garrote (2017), doi:10.1109/ICCVW.2017.64:
CIE 1964 10-degree observer sampled every 10 nm, illuminant E, the IEC 61966-2-1 matrix and encoding.
Every choice is part of `rendering_id`, which travels with results, weights and cubes.
"""

from functools import cache
from importlib.resources import files
from typing import Literal

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

_ROWS_AT_A_TIME = 1 << 16  # pixels per block: a float64 block of 31 bands is 16 MB


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
    spectra = np.asarray(cube)
    if not is_standard_grid(wavelengths):
        raise DataError(
            f"rendering needs the 31 bands 400-700 nm in steps of 10 nm, this cube has {describe_grid(wavelengths)}"
        )
    if spectra.shape[-1:] != WAVELENGTHS.shape:
        raise DataError(f"rendering needs 31 bands in the last axis, this cube has shape {spectra.shape}")
    flat = spectra.reshape(-1, spectra.shape[-1])
    out = np.empty((flat.shape[0], 3))
    for start in range(0, flat.shape[0], _ROWS_AT_A_TIME):
        block = flat[start : start + _ROWS_AT_A_TIME].astype(np.float64)
        np.matmul(block, xyz_weights(), out=out[start : start + _ROWS_AT_A_TIME])
    return out.reshape(*spectra.shape[:-1], 3)


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
    spectra = np.asarray(cube)
    tristimulus = xyz(spectra, wavelengths) / 100.0
    if scale == "minmax":
        low, high = float(spectra.min()), float(spectra.max())
        if not high > low:
            raise DataError(f"a constant cube (every value is {low:g}) cannot be scaled by minimum and maximum")
        tristimulus = (tristimulus - low * xyz_weights().sum(axis=0) / 100.0) / (high - low)
    elif scale != "none":
        tristimulus = tristimulus * float(scale)
    return quantise(encode_srgb(tristimulus @ XYZ_TO_RGB.T), quantisation)


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
