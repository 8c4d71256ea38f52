"""A camera with a measured response, Darrodi et al. 2015, doi:10.1364/JOSAA.32.000381, by colour-science.

What a camera does with its raw values: white balance, then one 3 x 3 matrix to linear sRGB. The matrix is fitted by
least squares on the 24 patches of a colour chart (colour-science's "BabelColor Average") under illuminant E, and takes
white to the white of the clean rendering. Its error on other spectra is what a real camera's photo differs by.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.colour_tables import colour_table
from specrec.rendering import linear_srgb, xyz_weights
from specrec.spectra import WAVELENGTHS

CAMERAS = {"nikon-5100": "Nikon 5100 (NPL)", "sigma-sdmerrill": "Sigma SDMerill (NPL)"}
"""What colour-science calls them."""
CHART = "BabelColor Average"


def taken(cube: ArrayLike, camera: str) -> NDArray[np.float32]:
    """Take a photo of a cube, (..., 31): linear sRGB, (..., 3) float32, not clipped."""
    response, matrix = _camera(camera)
    return (np.asarray(cube, dtype=np.float64) @ (response @ matrix)).astype(np.float32)


@cache
def _camera(camera: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the balanced response, (31, 3), of which a flat 1 is (1, 1, 1), and the matrix to linear sRGB."""
    measured = colour_table(
        f"camera-{camera}",
        (WAVELENGTHS.size, 3),
        lambda colour: colour.characterisation.MSDS_CAMERA_SENSITIVITIES[CAMERAS[camera]][WAVELENGTHS],
    )
    response = np.maximum(measured, 0.0)  # a measurement goes below 0 by 2e-19
    response /= response.sum(axis=0)
    patches = colour_table("chart", (24, WAVELENGTHS.size), _patches)
    return response, white_preserving(patches @ response, _clean(patches), _clean(np.ones((1, WAVELENGTHS.size)))[0])


def _patches(colour: Any) -> list[NDArray[np.float64]]:
    return [patch[WAVELENGTHS] for patch in colour.SDS_COLOURCHECKERS[CHART].values()]


def white_preserving(raw: ArrayLike, wanted: ArrayLike, white: ArrayLike) -> NDArray[np.float64]:
    """Fit the matrix that takes raw colours, (n, 3), nearest to `wanted`, (n, 3), and (1, 1, 1) to `white`."""
    raw, wanted, white = (np.asarray(values, dtype=np.float64) for values in (raw, wanted, white))
    # the third row is what white leaves: so two rows are free
    free = np.linalg.lstsq(raw[:, :2] - raw[:, 2:], wanted - raw[:, 2:] * white, rcond=None)[0]
    return np.vstack([free, white - free.sum(axis=0)])


def _clean(spectra: NDArray[np.float64]) -> NDArray[np.float64]:
    return linear_srgb(spectra @ xyz_weights() / 100.0)
