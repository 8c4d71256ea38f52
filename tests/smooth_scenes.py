"""Small scenes in memory, which many tests share."""

import numpy as np

from specrec.scenes import Scene
from specrec.spectra import WAVELENGTHS


def smooth_scene(name: str, height: int, width: int, seed: int) -> Scene:
    """A scene of smooth random spectra and smooth random shading, with a black column at its right end."""
    rng = np.random.default_rng(seed)
    centres, widths = rng.uniform(400, 700, 6), rng.uniform(30, 90, 6)
    basis = np.exp(-(((WAVELENGTHS[:, None] - centres) / widths) ** 2))  # (31, 6)
    rows, columns = np.mgrid[:height, :width] / 8.0
    phase = rng.uniform(0, 6, (6, 3))
    abundance = np.stack([1.1 + np.sin(a * rows + b) * np.cos(a * columns + c) for a, b, c in phase], -1)
    cube = (0.05 + abundance @ basis.T).astype(np.float32)
    mask = np.ones((height, width), dtype=np.bool_)
    if width > 1:
        cube[:, -1], mask[:, -1] = 0.0, False
    return Scene(
        name,
        (height, width, 31),
        WAVELENGTHS,
        "radiance",
        "made for a test",
        lambda window: cube if window is None else cube[window.slices],
        lambda: mask,
    )
