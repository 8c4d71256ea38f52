"""How far a fitted method looks: the influence of the surroundings, averaged over seeded places of test scenes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specrec.cells.cell import Cell
from specrec.cells.small_hdf5 import kept_hdf5, small_hdf5
from specrec.errors import DataError
from specrec.interfaces import Reconstructor
from specrec.scenes import Image, TrainingScene

REACH = 256  # pixels looked at to each side of a place
SHARE = 0.95  # of the influence, within the effective side


def save_influence(cell: Cell, method: Reconstructor, scenes: Sequence[TrainingScene]) -> None:
    """Measure `cell.influence` places and store their mean beside the record; nothing where the method cannot tell.

    Places lie in the middle half of a scene, so that most of what surrounds them is there; an offset that leads out of
    the image at some places is averaged over the others.
    """
    sides = []
    rng = np.random.default_rng(cell.seed)
    reach = method.receptive_field or REACH  # all that is seen, though the map shows less of it
    total = np.zeros((2 * REACH + 1, 2 * REACH + 1))
    count = np.zeros_like(total)
    for index in range(cell.influence):
        rgb = scenes[index % len(scenes)].rgb()
        row, column = (int(rng.integers(side // 4, side - side // 4)) for side in rgb.shape[:2])
        part, row, column = _surroundings(rgb, row, column, reach, method.grid)
        found = method.influence(part, row, column)
        if found is None:
            return
        inside, there = _around(row, part.shape[0]), _around(column, part.shape[1])
        place = np.ix_(inside + REACH - row, there + REACH - column)
        total[place] += found[np.ix_(inside, there)]
        count[place] += 1
        sides.append(effective_side(found))
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    with small_hdf5(influence_path(cell.path)) as file:
        file.attrs["effective_side"] = float(np.mean(sides))
        file.create_dataset("influence", data=mean.astype(np.float32), compression="gzip")


def influence_path(record: Path) -> Path:
    """The file of the influence that stands beside a record."""
    return record.with_suffix(".influence.h5")


def read_influence(path: Path) -> tuple[NDArray[np.float32], float]:
    """Read the mean influence of each offset on the place in the middle, (513, 513), and the mean effective side.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    from specrec.cubes.inside import numbers

    with kept_hdf5(path) as (file, facts):
        found = numbers(file, "influence", 2, path)[()].astype(np.float32)
        side = float(facts["effective_side"])
        if found.shape != (2 * REACH + 1, 2 * REACH + 1) or not np.isfinite(found).all() or not 0 <= side < np.inf:
            raise DataError(f"{path} holds no influence; start the bench again with --overwrite")
        return found, side


def effective_side(influence: NDArray[np.float32]) -> float:
    """Side of a square of as many pixels as hold 95 % of the influence, the strongest first.

    Examples
    --------
    >>> effective_side(np.float32([[0, 9, 0], [1, 90, 0], [0, 0, 0]]))  # 90 and 9 are 99 of 100
    1.4142135623730951
    """
    held = np.cumsum(np.sort(influence, axis=None)[::-1].astype(np.float64))
    return float(np.sqrt(1 + np.searchsorted(held, SHARE * held[-1])))


def _surroundings(rgb: Image, row: int, column: int, reach: int, grid: int) -> tuple[Image, int, int]:
    """Cut out what a place can be moved by, on the method's grid, and say where the place is in it."""
    top, left = (max(0, place - reach) // grid * grid for place in (row, column))
    bottom, right = (-(-(place + reach + 1) // grid) * grid for place in (row, column))
    return rgb[top:bottom, left:right], row - top, column - left


def _around(place: int, side: int) -> NDArray[np.intp]:
    return np.arange(max(0, place - REACH), min(side, place + REACH + 1))
