"""Small scenes and images in memory, which tests and the conformance suite share."""

import numpy as np

from specrec.scenes import Image, InputKind, Scene, TrainingScene
from specrec.spectra import WAVELENGTHS

HEIGHT, WIDTH = 40, 48
"""Pixels of the scenes that the suite fits a method to first; those of the second fit are 33 x 36."""


def smooth_scene(name: str, height: int, width: int, seed: int, *, rising: bool = False) -> Scene:
    """Make a scene of smooth random spectra and smooth random shading, with a black column at its right end.

    Parameters
    ----------
    name
        Of the scene.
    height, width
        Pixels.
    seed
        The same seed gives the same scene.
    rising
        Whether its light is 40 times as strong at 700 nm as at 400 nm, so that no spectrum looks like its mirror image.
    """
    rng = np.random.default_rng(seed)
    centres, widths = rng.uniform(400, 700, 6), rng.uniform(30, 90, 6)
    basis = np.exp(-(((WAVELENGTHS[:, None] - centres) / widths) ** 2))  # (31, 6)
    rows, columns = np.mgrid[:height, :width] / 8.0
    phase = rng.uniform(0, 6, (6, 3))
    abundance = np.stack([1.1 + np.sin(a * rows + b) * np.cos(a * columns + c) for a, b, c in phase], -1)
    cube = (0.05 + abundance @ basis.T).astype(np.float32)
    if rising:
        cube = ((0.5 + cube) * np.geomspace(0.025, 1.0, len(WAVELENGTHS))).astype(np.float32)
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


def first_scenes(kind: InputKind) -> list[TrainingScene]:
    """Make the three scenes, 40 x 48 and rising, that a method is fitted to."""
    scenes = [smooth_scene(f"first{index}", HEIGHT, WIDTH, index, rising=True) for index in range(3)]
    return [TrainingScene(scene, input=kind) for scene in scenes]


def second_scenes(kind: InputKind) -> list[TrainingScene]:
    """Make three others, 33 x 36, that a refit gets."""
    scenes = [smooth_scene(f"second{index}", 33, 36, 10 + index) for index in range(3)]
    return [TrainingScene(scene, input=kind) for scene in scenes]


def noise(height: int, width: int, kind: InputKind = "srgb8", seed: int = 1) -> Image:
    """Draw an image of random pixels: of 8-bit levels, or for ``"linear"`` of any value in [0, 1)."""
    rng = np.random.default_rng(seed)
    if kind == "linear":
        return rng.random((height, width, 3), dtype=np.float32)
    return rng.integers(0, 256, (height, width, 3)).astype(np.float32) / np.float32(255.0)
