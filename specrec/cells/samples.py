"""One image of each cell, kept small for the figure: both renderings, and the spectra of a few seeded pixels."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.cells.cell import Cell
from specrec.cells.small_hdf5 import kept_hdf5, small_hdf5, texts
from specrec.errors import DataError
from specrec.rendering import render
from specrec.scenes import Mask, TrainingScene
from specrec.spectra import Cube, check_wavelengths

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
        sample.attrs.update(texts(scene=scene.name))
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
    from specrec.cubes.inside import numbers

    axes = dict(zip(ARRAYS, (3, 3, 2, 2, 2, 1), strict=True))
    with kept_hdf5(path) as (sample, facts):
        arrays = {name: numbers(sample, name, count, path)[()] for name, count in axes.items()}
        if not _fits(**arrays):
            raise DataError(f"{path}: its arrays do not fit together; start the bench again with --overwrite")
        check_wavelengths(arrays["wavelengths"], str(path))
        return {"scene": str(facts["scene"]), **arrays}


def _fits(
    reference_rgb: NDArray[Any],
    estimate_rgb: NDArray[Any],
    pixels: NDArray[Any],
    reference_spectra: NDArray[Any],
    estimate_spectra: NDArray[Any],
    wavelengths: NDArray[Any],
) -> bool:
    """Tell whether arrays are those of one sample, as far as the figure draws them."""
    count = len(pixels)
    same = reference_rgb.shape == estimate_rgb.shape and {reference_rgb.dtype, estimate_rgb.dtype} == {np.dtype("u1")}
    spectra = reference_spectra.shape == estimate_spectra.shape == (count, wavelengths.size)
    if not (same and spectra and count <= SHOWN_PIXELS and reference_rgb.shape[2] == 3 and pixels.shape[1] == 2):
        return False
    inside = pixels.dtype.kind in "iu" and (pixels >= 0).all() and (pixels < reference_rgb.shape[:2]).all()
    return bool(inside and np.isfinite(reference_spectra).all() and np.isfinite(estimate_spectra).all())
