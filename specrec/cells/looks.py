"""A few test scenes of each fold, kept small for the page on which one points at a pixel: every n-th pixel, 16 bit.

The first run of a cell keeps its estimates beside its record; what is true of a scene is kept once, in ``looks``, under
its place in the folds: not every name of a scene makes a name of a file. Both are cut at the same pixels for every
method. A page whose cells were computed without them says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.cells.cell import Cell
from specrec.cells.small_hdf5 import kept_hdf5, small_hdf5, texts
from specrec.cubes.stored import QUANTITIES
from specrec.errors import DataError
from specrec.scenes import Mask, TrainingScene
from specrec.spectra import Cube, check_cube, check_wavelengths

SCENES_PER_FOLD = 4
LARGEST_SIDE = 128
"""Pixels that are kept along the longer side of a scene, at most."""
LEVELS = 65535


def shown_scenes(test: Sequence[str]) -> list[str]:
    """Choose the scenes of a fold that are kept: up to `SCENES_PER_FOLD`, spread evenly over its list.

    Examples
    --------
    >>> shown_scenes(["a", "b", "c", "d", "e", "f", "g"])
    ['a', 'c', 'e', 'g']
    """
    count = min(SCENES_PER_FOLD, len(test))
    return [test[int(index)] for index in np.linspace(0, len(test) - 1, count)]


def step_for(height: int, width: int, largest: int = LARGEST_SIDE) -> int:
    """Count how far apart the kept pixels lie, so that no side keeps more than `largest` of them."""
    return max(1, -(-max(height, width) // largest))


def to_levels(values: NDArray[np.float32]) -> tuple[NDArray[np.uint16], float, float]:
    """Quantise finite values to 16 bit: ``values = offset + step * levels``, off by half a step at most.

    Examples
    --------
    >>> levels, offset, step = to_levels(np.array([0.0, 0.5, 1.0], np.float32))
    >>> levels.tolist(), offset, step == 1 / 65535
    ([0, 32768, 65535], 0.0, True)
    """
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    step = (high - low) / LEVELS or 1.0  # a constant cube has no range: every level is 0
    return np.rint((values.astype(np.float64) - low) / step).astype(np.uint16), low, step


@dataclass(frozen=True)
class Look:
    """What is kept of one cube.

    Parameters
    ----------
    cube
        Every `step`-th row and column, float32 (rows, columns, bands).
    step
        In pixels of the whole cube.
    shape
        (height, width) of the whole cube.
    wavelengths
        nm.
    quantity
        ``"radiance"`` or ``"reflectance"``.
    valid, scored
        The pixels that the scene's mask keeps, and those of them that were scored; (rows, columns) bool.
    """

    cube: Cube
    step: int
    shape: tuple[int, int]
    wavelengths: NDArray[np.float64]
    quantity: str
    valid: Mask
    scored: Mask


def save_look(cell: Cell, scene: TrainingScene, estimate: Cube, reference: Cube, scored: Mask) -> None:
    """Keep an estimate beside the record of `cell`, and the scene's reference where nobody has yet."""
    height, width = reference.shape[:2]
    kept = (slice(None, None, step_for(height, width)),) * 2
    position = cell.test.index(scene.name)
    name = texts(scene=scene.name)
    _write(estimate_path(cell.path, position), estimate[kept], name)
    path = reference_path(Path(cell.folder), cell.fold, position)
    if not path.exists():  # two cells may write it at once: each writes the same, and the last is kept whole
        facts = {
            **name,
            **texts(quantity=scene.scene.quantity),
            "step": kept[0].step,
            "shape": (height, width),
            "wavelengths": scene.wavelengths,
        }
        _write(path, reference[kept], facts, {"valid": scene.mask[kept], "scored": scored[kept]})


def _write(path: Path, cube: Cube, attributes: dict[str, Any], masks: dict[str, Mask] | None = None) -> None:
    levels, offset, step = to_levels(cube)
    with small_hdf5(path) as file:
        file.attrs.update({**attributes, "value_offset": offset, "value_step": step})
        for name, array in {"levels": levels, **(masks or {})}.items():
            file.create_dataset(name, data=array, compression="gzip", compression_opts=1, shuffle=True)


def estimate_path(record: Path, position: int) -> Path:
    """The file of an estimate that stands beside a record; `position` is that of the scene in the fold's list."""
    return record.with_suffix(f".look{position}.h5")


def reference_path(folder: Path, fold: int, position: int) -> Path:
    """The file of what is true of a scene, in a results folder; `position` is that in the fold's list."""
    return folder / "looks" / f"fold{fold}-scene{position}.h5"


def read_look(folder: Path, fold: int, position: int, scene: str) -> Look:
    """Read what is true of a scene.

    Raises
    ------
    DataError
        If it is not there, damaged, or of another scene.
    """
    from specrec.cubes.inside import numbers

    path = reference_path(folder, fold, position)
    with kept_hdf5(path) as (file, facts):
        if facts["scene"] != scene:
            raise DataError(f"{path} cannot be read: it is of another scene")
        look = Look(
            _values(file, facts, path),
            int(facts["step"]),
            (int(facts["shape"][0]), int(facts["shape"][1])),
            check_wavelengths(facts["wavelengths"], str(path)),
            str(facts["quantity"]),
            numbers(file, "valid", 2, path)[()].astype(np.bool_),
            numbers(file, "scored", 2, path)[()].astype(np.bool_),
        )
    kept = tuple(-(-side // look.step) for side in look.shape) if look.step > 0 else ()
    masks = {look.valid.shape, look.scored.shape} == {kept}
    if look.cube.shape != (*kept, look.wavelengths.size) or not masks or look.quantity not in QUANTITIES:
        raise DataError(f"{path} cannot be read: its parts do not fit together")
    return look


def read_estimate(record: Path, position: int, like: Look) -> Cube | None:
    """Read the estimate beside a record; None where there is none, or one that does not fit its reference."""
    path = estimate_path(record, position)
    try:
        with kept_hdf5(path) as (file, facts):
            cube = _values(file, facts, path)
    except DataError:
        return None
    return cube if cube.shape == like.cube.shape else None


def _values(file: Any, facts: Mapping[str, Any], path: Path) -> Cube:
    from specrec.cubes.inside import numbers

    held = numbers(file, "levels", 3, path)
    if max(held.shape[:2]) > LARGEST_SIDE:
        raise DataError(
            f"{path} cannot be read: it has {held.shape[0]} x {held.shape[1]} pixels, {LARGEST_SIDE} at most"
        )
    levels: NDArray[np.float64] = held[()].astype(float)
    values = float(facts["value_offset"]) + float(facts["value_step"]) * levels
    return check_cube(values, np.arange(values.shape[2]), str(path))
