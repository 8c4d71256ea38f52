"""Scenes in memory for the tests of the classical methods."""

import numpy as np

from specrec.rendering import decode_srgb
from specrec.scenes import Scene, TrainingScene
from specrec.spectra import WAVELENGTHS


def scene_of(cube, mask=None, name="scene"):
    read_mask = None if mask is None else lambda: mask
    return TrainingScene(
        Scene(
            name=name,
            shape=cube.shape,
            wavelengths=WAVELENGTHS,
            quantity="radiance",
            provenance="a test",
            read=lambda window: cube if window is None else cube[window.slices],
            read_mask=read_mask,
        )
    )


def smooth_scene(seed, height=60, width=50, name="scene"):
    """Random sums of five broad bumps, with masked pixels."""
    rng = np.random.default_rng(seed)
    bumps = np.exp(-(((WAVELENGTHS[:, np.newaxis] - np.linspace(420, 680, 5)) / 50) ** 2))
    cube = (rng.random((height, width, 5)) ** 2 @ bumps.T).astype(np.float32)
    mask = rng.random((height, width)) < 0.8
    return scene_of(cube, mask, name)


def pixels_of(scenes):
    """All valid pixels at once: sRGB, linear sRGB and spectra, float64."""
    colours = np.concatenate([scene.rgb()[scene.mask] for scene in scenes])
    spectra = np.concatenate([scene.cube()[scene.mask] for scene in scenes])
    return colours.astype(np.float64), decode_srgb(colours), spectra.astype(np.float64)


def image(seed=0, height=40, width=30, levels=256):
    levels = np.random.default_rng(seed).integers(0, levels, (height, width, 3))
    return levels.astype(np.float32) / np.float32(255)
