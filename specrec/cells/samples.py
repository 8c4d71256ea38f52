"""One image of each cell, kept small for the figure: both renderings, and the spectra of a few seeded pixels."""

from pathlib import Path
from typing import Any

import numpy as np

from specrec.cells.cell import Cell
from specrec.cells.small_hdf5 import small_hdf5
from specrec.rendering import render
from specrec.scenes import Mask, TrainingScene
from specrec.spectra import Cube

ARRAYS = ("reference_rgb", "estimate_rgb", "pixels", "reference_spectra", "estimate_spectra", "wavelengths")
SHOWN_PIXELS = 8  # whose spectra the figure draws, as in the paper's Figure 3


def save_sample(cell: Cell, scene: TrainingScene, estimate: Cube, reference: Cube, mask: Mask) -> None:
    """Store the sample beside the record of `cell`; `mask` says which pixels may be shown."""
    places = np.argwhere(mask)
    chosen = np.random.default_rng(cell.fold).choice(len(places), min(SHOWN_PIXELS, len(places)), replace=False)
    pixels = places[np.sort(chosen)]
    arrays = {
        "reference_rgb": render(reference, scene.wavelengths),
        "estimate_rgb": render(estimate, scene.wavelengths),
        "pixels": pixels,
        "reference_spectra": reference[pixels[:, 0], pixels[:, 1]],
        "estimate_spectra": estimate[pixels[:, 0], pixels[:, 1]],
        "wavelengths": scene.wavelengths,
    }
    with small_hdf5(sample_path(cell.path)) as sample:
        sample.attrs["scene"] = scene.name
        for name, array in arrays.items():
            sample.create_dataset(name, data=array)


def sample_path(record: Path) -> Path:
    """The file of the sample that stands beside a record."""
    return record.with_suffix(".sample.h5")


def read_sample(path: Path) -> dict[str, Any]:
    """Read a sample: its arrays, and the scene's name.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    from specrec.cubes.hdf5 import open_hdf5
    from specrec.cubes.inside import numbers

    axes = dict(zip(ARRAYS, (3, 3, 2, 2, 2, 1), strict=True))
    with open_hdf5(path) as sample:
        arrays = {name: numbers(sample, name, count, path)[()] for name, count in axes.items()}
        return {"scene": str(sample.attrs["scene"]), **arrays}
