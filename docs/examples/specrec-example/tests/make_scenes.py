"""Small scenes in the files of `npz-folder`, for the tests and for a first look: python tests/make_scenes.py FOLDER."""

import sys
from pathlib import Path

import numpy as np
from specrec import WAVELENGTHS


def make_scenes(folder, count=6, height=32, width=40):
    """Write scenes of a few smooth spectra under smooth shading, the first with a mask, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, columns = np.meshgrid(np.linspace(0.0, 1.0, height), np.linspace(0.0, 1.0, width), indexing="ij")
    world = np.random.default_rng(0)
    centres, widths = world.uniform(400, 700, (8, 1)), world.uniform(40, 120, (8, 1))
    materials = 0.1 + 0.8 * np.exp(-np.square((WAVELENGTHS - centres) / widths))  # (8, 31)
    for number in range(count):
        rng = np.random.default_rng(number + 1)
        places = rng.random((8, 2))
        steps = np.hypot(rows[..., np.newaxis] - places[:, 0], columns[..., np.newaxis] - places[:, 1])
        shares = np.exp(-8.0 * steps)
        shading = 0.6 + 0.4 * np.sin(rng.uniform(3, 9) * rows + rng.uniform(3, 9) * columns)
        cube = (shares / shares.sum(axis=2, keepdims=True)) @ materials * shading[..., np.newaxis]
        arrays = {"cube": cube.astype(np.float32), "wavelengths": WAVELENGTHS}
        if number == 0:
            arrays["mask"] = np.broadcast_to(np.arange(width) < width - 3, (height, width))
        np.savez_compressed(folder / f"scene{number}.npz", **arrays)
    return folder


if __name__ == "__main__":
    make_scenes(Path(sys.argv[1]))
