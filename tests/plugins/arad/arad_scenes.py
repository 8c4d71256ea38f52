"""Small scenes of smooth random spectra for the tests of `arad`."""

import numpy as np

from specrec.scenes import Scene, TrainingScene
from specrec.spectra import WAVELENGTHS

SMALL = {"atoms": 40, "pixels_per_scene": 120, "batch": 64, "training_sparsity": 6}
"""Settings for which these scenes are enough."""


def smooth_spectra(rng, count):
    """Positive spectra of low rank: a few broad bumps."""
    centres = np.linspace(400.0, 700.0, 8)
    bumps = np.exp(-0.5 * ((WAVELENGTHS - centres[:, np.newaxis]) / 40.0) ** 2)
    return rng.uniform(0.0, 1.0, (count, 8)) @ bumps


def make_scene(name, seed, kind="srgb8", shape=(24, 20), mask=None):
    cube = smooth_spectra(np.random.default_rng(seed), shape[0] * shape[1]).reshape(*shape, 31).astype(np.float32)
    scene = Scene(
        name=name,
        shape=cube.shape,
        wavelengths=WAVELENGTHS,
        quantity="radiance",
        provenance="made for a test",
        read=lambda window: cube if window is None else cube[window.slices],
        read_mask=None if mask is None else lambda: mask,
    )
    return TrainingScene(scene, input=kind)


def make_scenes(kind="srgb8"):
    return [make_scene(f"scene {seed}", seed, kind) for seed in (1, 2)]
