"""Spectra from one wavelength grid to another: a matrix of weights, and its use on cubes of any size.

Two methods, both made from the piecewise-linear spectrum through the source's bands:

``mean``
    A target band is the mean of that spectrum over an interval around the band, integrated exactly. The interval
    is as wide as half the distance between the band's two neighbours, so that on an even grid it ends half way to
    each; for the first and the last band it is as wide as the distance to the only neighbour. Near an end of the
    source it is made narrower on both sides alike, so that it stays centred and inside. Every source band in the
    interval counts: noise is averaged, and detail finer than the target grid does not turn into false structure,
    as it does where single bands are picked (Carnall 2017 treats bins of constant flux in this way).
``linear``
    A target band is the value of that spectrum at the band.

``auto`` takes ``mean`` where the typical (median) step of the source is at most half of the target's, so that an
interval holds two source bands or more, and ``linear`` otherwise: a coarse source is smooth already, and a mean over
the lines between its bands would only blur it once more.

The weights are never negative and sum to one for each target band; a constant spectrum stays constant and a linear
one is exact, in both methods. A grid that equals the source's changes no bit. Nothing is extrapolated unless asked.

References
----------
Carnall 2017, SpectRes: A Fast Spectral Resampling Tool in Python, arXiv:1705.05165.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.errors import UsageError
from specrec.spectra import WAVELENGTHS, Cube, check_wavelengths, describe_grid

Method = Literal["auto", "mean", "linear"]
Extrapolation = Literal["none", "nearest"]

TOLERANCE = 1e-6
"""nm; grids that differ by less are the same grid."""

_BLOCK = 1 << 19  # values of float64 at a time: 4 MB


@dataclass(frozen=True)
class Resampling:
    """The way from one grid to another.

    Parameters
    ----------
    source, target
        nm, increasing.
    method
        ``"none"`` where the grids are the same, else ``"mean"`` or ``"linear"``.
    weights
        (bands of the source, bands of the target) float64; each column sums to one. Empty where the grids are the same.
    extrapolated
        The target bands, in nm, outside the source's range, which repeat its first or last band.
    """

    source: NDArray[np.float64]
    target: NDArray[np.float64]
    method: Literal["none", "mean", "linear"]
    weights: NDArray[np.float64]
    extrapolated: tuple[float, ...] = ()

    def apply(self, cube: ArrayLike) -> Cube:
        """Resample spectra: (..., bands of the source) of any real type -> (..., bands of the target) float32.

        Sums are in float64 and each pixel is treated alone, so a window gives the same bits as the whole.
        """
        spectra = np.asarray(cube)
        if spectra.shape[-1:] != self.source.shape:
            raise ValueError(f"spectra of {self.source.size} bands are expected, these have the shape {spectra.shape}")
        if self.method == "none":
            return spectra.astype(np.float32, copy=False)
        rows = spectra.reshape(-1, self.source.size)
        out = np.empty((len(rows), self.target.size), dtype=np.float32)
        count = max(1, _BLOCK // self.source.size)
        used = [np.flatnonzero(column) for column in self.weights.T]
        for first in range(0, len(rows), count):
            bands = np.ascontiguousarray(rows[first : first + count].T, dtype=np.float64)
            total, term = np.empty(bands.shape[1]), np.empty(bands.shape[1])
            for index, of in enumerate(used):
                np.multiply(bands[of[0]], self.weights[of[0], index], out=total)
                for band in of[1:]:  # no matrix product: its order of sums depends on the number of pixels
                    total += np.multiply(bands[band], self.weights[band, index], out=term)
                out[first : first + count, index] = total
        return out.reshape(*spectra.shape[:-1], self.target.size)


def resampling(
    source: ArrayLike,
    target: ArrayLike,
    method: Method = "auto",
    *,
    extrapolate: Extrapolation = "none",
    where: str = "the spectra",
) -> Resampling:
    """Find the weights from one grid to another.

    Parameters
    ----------
    source, target
        nm, increasing.
    method
        ``"mean"``, ``"linear"``, or ``"auto"`` as the module says.
    extrapolate
        ``"none"``: a target band outside the source's range is an error; ``"nearest"``: it repeats the nearest band.
    where
        The file, for messages.

    Raises
    ------
    UsageError
        For target bands that the source does not cover.
    DataError
        For a grid that is none.

    Examples
    --------
    >>> resampling([400, 410, 420], [405, 415], "linear").apply([[0.0, 1.0, 4.0]]).tolist()
    [[0.5, 2.5]]
    >>> resampling([400, 410, 420, 430], [410, 420], "mean").weights.T.tolist()
    [[0.125, 0.75, 0.125, 0.0], [0.0, 0.125, 0.75, 0.125]]
    """
    if method not in ("auto", "mean", "linear"):
        raise ValueError(f"a method of resampling is auto, mean or linear, not {method!r}")
    given, wanted = check_wavelengths(source, where), check_wavelengths(target, "the target grid")
    if given.shape == wanted.shape and np.allclose(given, wanted, rtol=0, atol=TOLERANCE):
        return Resampling(given, wanted, "none", np.empty((0, 0)))
    outside = ~covered(given, wanted)
    if outside.any() and extrapolate != "nearest":
        raise UsageError(_refusal(given, wanted, outside, where))
    chosen: Literal["mean", "linear"] = method if method != "auto" else _choose(given, wanted)
    half = _half_widths(wanted) if chosen == "mean" else np.zeros(wanted.size)
    weights = _mean_weights(given, np.clip(wanted, given[0], given[-1]), half)
    return Resampling(given, wanted, chosen, weights, tuple(wanted[outside].tolist()))


def covered(source: ArrayLike, target: ArrayLike) -> NDArray[np.bool_]:
    """Tell which target bands lie in the source's range, first and last band included."""
    given, wanted = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    return np.asarray((wanted >= given[0] - TOLERANCE) & (wanted <= given[-1] + TOLERANCE))


def common_grid(source: ArrayLike, where: str = "the spectra") -> NDArray[np.float64]:
    """Choose the bands of 400, 410, .. 700 nm that the source covers.

    Raises
    ------
    UsageError
        If it covers none.

    Examples
    --------
    >>> common_grid([655.0, 672.5, 695.0]).tolist()
    [660.0, 670.0, 680.0, 690.0]
    """
    inside = WAVELENGTHS[covered(source, WAVELENGTHS)]
    if inside.size == 0:
        raise UsageError(f"{where} ({describe_grid(source)}) covers no band of 400, 410, .. 700 nm")
    return inside


def _choose(source: NDArray[np.float64], target: NDArray[np.float64]) -> Literal["mean", "linear"]:
    if source.size == 1 or target.size == 1:
        return "linear"
    return "mean" if np.median(np.diff(source)) <= np.median(np.diff(target)) / 2 + TOLERANCE else "linear"


def _half_widths(target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half of the interval of each band: a quarter of the distance between its neighbours, nm."""
    if target.size == 1:
        return np.zeros(1)
    steps = np.diff(target)
    return np.asarray((np.append(steps[0], steps) + np.append(steps, steps[-1])) / 4.0)


def _mean_weights(
    source: NDArray[np.float64], centres: NDArray[np.float64], half: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weights of the mean of the piecewise-linear spectrum over centre -+ half; where half is 0, its value there."""
    if source.size == 1:
        return np.ones((1, centres.size))
    half = np.minimum(half, np.minimum(centres - source[0], source[-1] - centres))
    half = np.where(half > TOLERANCE, half, 0.0)
    lower, upper = source[:-1, np.newaxis], source[1:, np.newaxis]
    start, stop = np.maximum(lower, centres - half), np.minimum(upper, centres + half)
    # the mean of a line over a part of its segment is the line's value in the middle of that part
    length, middle = np.maximum(stop - start, 0.0), (start + stop) / 2.0
    for column in np.flatnonzero(half == 0.0):
        segment = np.clip(np.searchsorted(source, centres[column], side="right") - 1, 0, source.size - 2)
        length[:, column], length[segment, column], middle[segment, column] = 0.0, 1.0, centres[column]
    share = np.where(length > 0.0, (middle - lower) / (upper - lower), 0.0)
    weights = np.zeros((source.size, centres.size))
    weights[:-1] += length * (1.0 - share)
    weights[1:] += length * share
    return np.asarray(weights / weights.sum(axis=0))


def _refusal(source: NDArray[np.float64], target: NDArray[np.float64], outside: NDArray[np.bool_], where: str) -> str:
    missing = target[outside]
    words = ", ".join(f"{band:g}" for band in missing[:6]) + (
        f" and {missing.size - 6} more" if missing.size > 6 else ""
    )
    inside = target[~outside]
    smaller = "--grid common"
    if inside.size > 1 and np.allclose(np.diff(inside), inside[1] - inside[0], rtol=0, atol=TOLERANCE):
        smaller = f"--grid {inside[0]:g}:{inside[1] - inside[0]:g}:{inside[-1]:g} or common"
    return (
        f"{where} covers {source[0]:g}-{source[-1]:g} nm, and the grid asks for {words} nm, too: take a smaller grid"
        f" ({smaller}), or repeat the band at the end with --extrapolate nearest"
    )
