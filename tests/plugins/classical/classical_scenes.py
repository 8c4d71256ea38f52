"""Scenes for the tests of the classical methods: given cubes, and random sums of broad bumps."""

from collections.abc import Sequence

import numpy as np

from specrec.rendering import decode_srgb
from specrec.scenes import Scene, TrainingScene
from specrec.spectra import WAVELENGTHS

BUMPS = np.exp(-(((WAVELENGTHS[:, np.newaxis] - np.linspace(420, 680, 5)) / 50) ** 2))  # (31, 5)


def scene_of(cube, mask=None, name="scene", **view):
    """Make a training scene of a cube."""
    cube = np.asarray(cube, dtype=np.float32)
    read_mask = None if mask is None else lambda: mask
    scene = Scene(
        name,
        cube.shape,
        WAVELENGTHS,
        "radiance",
        "a test",
        lambda window: cube if window is None else cube[window.slices],
        read_mask,
    )
    return TrainingScene(scene, **view)


def smooth_scene(seed, height=60, width=50, name="scene", basis=BUMPS, **view):
    """Make a scene of random sums of the columns of a basis, with a fifth of its pixels masked."""
    rng = np.random.default_rng(seed)
    cube = rng.random((height, width, basis.shape[1])) ** 2 @ basis.T
    return scene_of(cube, rng.random((height, width)) < 0.8, name, **view)


def pixels_of(scenes: Sequence[TrainingScene]):
    """All valid pixels at once: sRGB, linear sRGB and spectra, float64."""
    colours = np.concatenate([scene.rgb()[scene.mask] for scene in scenes])
    spectra = np.concatenate([scene.cube()[scene.mask] for scene in scenes])
    return colours.astype(np.float64), decode_srgb(colours), spectra.astype(np.float64)


def photo(seed=0, height=40, width=30, levels=256):
    """Draw an 8-bit image of random colours."""
    return np.random.default_rng(seed).integers(0, levels, (height, width, 3)).astype(np.float32) / np.float32(255)


def check_parts(method):
    """An image in parts, its pixels in another order and twice: always the same numbers."""
    image = photo(8, height=67, width=61)
    whole = method.reconstruct(image)
    np.testing.assert_array_equal(whole[:1], method.reconstruct(image[:1]))
    np.testing.assert_array_equal(whole[5:41, 13:60], method.reconstruct(image[5:41, 13:60]))
    np.testing.assert_array_equal(whole[-1:, -1:], method.reconstruct(image[-1:, -1:]))
    np.testing.assert_array_equal(whole[::-1, ::-1], method.reconstruct(image[::-1, ::-1]))
    np.testing.assert_array_equal(method.reconstruct(np.tile(image, (2, 1, 1)))[67:], whole)


def check_round_trip(method, folder):
    """A method comes back from its weights file to the bit."""
    from specrec.weights import load_file, make_card, save

    path = folder / "weights.safetensors"
    save(method, path, make_card(method, wavelengths=WAVELENGTHS, scenes=["scene"], seed=0))
    loaded = load_file(path, method.name)
    assert loaded.state()[1] == method.state()[1]
    np.testing.assert_array_equal(loaded.reconstruct(photo()), method.reconstruct(photo()))
