"""A cube on any wavelengths as a picture: the rendering of the benchmark where it can be, and words for how."""

import numpy as np
from numpy.typing import NDArray

from specrec.rendering import encode_srgb, quantise, render, xyz
from specrec.resampling import resampling
from specrec.scenes import Mask
from specrec.spectra import WAVELENGTHS, Cube, is_standard_grid

Picture = NDArray[np.uint8]

FALSE_COLOURS = (630.0, 545.0, 455.0)  # nm, for red, green and blue where a cube does not cover 400-700 nm
_PERCENTILE = 99.5


def brightness(cubes: list[tuple[Cube, Mask, NDArray[np.float64]]]) -> float:
    """Find the factor that makes cubes of one scene visible side by side: 1 where they are on the scale 0..1.

    Values such as the counts of a camera would be white all over, and those of a dim radiance black. Then the
    luminance that all but half a percent of the pixels stay under becomes white.
    """
    highest = 0.0
    for cube, valid, wavelengths in cubes:
        if valid.any():
            grid = on_standard_grid(cube, wavelengths)
            values = cube[valid].mean(axis=-1) if grid is None else xyz(grid[valid])[..., 1] / 100.0
            highest = max(highest, float(np.percentile(values, _PERCENTILE)))
    return 1.0 if 0.05 <= highest <= 1.3 or highest <= 0.0 else 1.0 / highest


def picture(cube: Cube, valid: Mask, wavelengths: NDArray[np.float64], gain: float = 1.0) -> tuple[Picture, str]:
    """Make (height, width, 3) uint8 sRGB, black where a pixel is not valid, and say how it was made.

    Where the wavelengths are others than 400, 410, .. 700 nm but cover them, the spectra are interpolated linearly.
    Where they do not cover them, three bands stand for red, green and blue: nothing is extrapolated.
    """
    usable = np.where(valid[..., np.newaxis], cube, np.float32(0.0)) * np.float32(gain)
    words = "" if gain == 1.0 else f", values times {gain:.3g}"
    grid = on_standard_grid(usable, wavelengths)
    if grid is not None:
        how = "" if is_standard_grid(wavelengths) else ", spectra interpolated to 10 nm"
        return render(grid), f"sRGB under illuminant E{how}{words}"
    bands = [int(np.abs(wavelengths - wanted).argmin()) for wanted in FALSE_COLOURS]
    chosen = usable[..., bands]
    named = ", ".join(f"{wavelengths[band]:g}" for band in bands)
    return quantise(encode_srgb(chosen)), f"false colours: red, green, blue show {named} nm{words}"


def on_standard_grid(cube: Cube, wavelengths: NDArray[np.float64]) -> Cube | None:
    """Interpolate to 400, 410, .. 700 nm; None where the wavelengths do not reach both ends."""
    if is_standard_grid(wavelengths):
        return cube
    if wavelengths[0] > WAVELENGTHS[0] or wavelengths[-1] < WAVELENGTHS[-1]:
        return None
    return resampling(wavelengths, WAVELENGTHS, "linear").apply(cube)
