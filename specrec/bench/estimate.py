"""What a bench will take before it starts: hours, memory and disk."""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage

from specrec.bench.plan import Plan
from specrec.bench.warm_up import Trial
from specrec.cache import cache_folder
from specrec.cells.cell import Cell
from specrec.cells.looks import SCENES_PER_FOLD, step_for
from specrec.datasets.survey import Survey
from specrec.datasets.unchanged import found_of, open_unchanged
from specrec.scenes import TrainingScene

RECORD_BYTES = 2000
"""About what a record says of one image."""
LEVEL_BYTES, FLOAT_BYTES = 2, 4


@dataclass(frozen=True)
class MethodEstimate:
    """What the missing cells of a method take.

    Parameters
    ----------
    written
        As the user wrote it.
    cells
        How many are missing.
    seconds
        Of one of them; None where too little was seen.
    tested
        Whether testing is in it.
    trial
        What it is judged by.
    """

    written: str
    cells: int
    seconds: float | None
    tested: bool
    trial: Trial


@dataclass(frozen=True)
class Room:
    """What will be written, where, and whether it fits; bytes."""

    what: str
    folder: Path
    needed: int

    @property
    def free(self) -> int:
        """What is free there."""
        existing = next(place for place in (self.folder, *self.folder.absolute().parents) if place.exists())
        return disk_usage(existing).free


def first_of_each(missing: Sequence[Cell]) -> list[Cell]:
    """Choose the first missing cell of each method."""
    found: dict[str, Cell] = {}
    for cell in missing:
        found.setdefault(cell.slug, cell)
    return list(found.values())


def method_estimates(missing: Sequence[Cell], trials: Sequence[Trial]) -> dict[str, MethodEstimate]:
    """Judge the seconds of a cell of each method, by its slug.

    Where a method's own testing was not reached, its images take as long as the slowest that were seen.
    """
    counts = Counter(cell.slug for cell in missing)
    seen = [one for trial in trials if (one := trial.seconds_per_image()) is not None and not trial.failed]
    found = {}
    for trial in trials:
        training, image = trial.training(), trial.seconds_per_image()
        if image is None and seen:
            image = max(seen)
        if trial.finished:
            seconds: float | None = trial.seconds
        else:
            seconds = None if training is None else training + trial.images * (image or 0.0)
        tested = trial.finished or image is not None
        found[trial.cell.slug] = MethodEstimate(trial.cell.written, counts[trial.cell.slug], seconds, tested, trial)
    return found


def total_seconds(missing: Sequence[Cell], estimates: dict[str, MethodEstimate], jobs: int) -> float:
    """Say when the last cell ends if so many are computed at a time, in their order; unknown ones take no time.

    Examples
    --------
    >>> total_seconds([], {}, jobs=2)
    0.0
    """
    ends = [0.0] * jobs
    for cell in missing:
        heapq.heapreplace(ends, ends[0] + (estimates[cell.slug].seconds or 0.0))
    return max(ends)


def room_for_scenes(plan: Plan) -> list[Room]:
    """Count what making the scenes of a data set takes; this can be asked before they are made."""
    needed = plan.source.room_to_make(plan.split.used)
    return [Room("scenes that are made", cache_folder(), needed)] if needed else []


def room_for_cells(plan: Plan, facts: Survey, missing: Sequence[Cell]) -> list[Room]:
    """Count what results and prepared crops take."""
    if not missing:
        return []
    rooms = [Room("results", plan.folder, sum(_results_of(cell, facts) for cell in missing))]
    if any(cell.save_cubes for cell in missing):
        estimates = sum(_cube_bytes(facts, name) for cell in missing for name in cell.test)
        folder = plan.folder / "cubes" / "reference"
        references = {name for cell in missing for name in cell.test if not (folder / f"{name}.h5").exists()}
        cubes = estimates + sum(_cube_bytes(facts, name) for name in references)
        rooms.append(Room("cubes (--save-cubes)", plan.folder, cubes))
    crops = _crops(plan, facts, missing)
    if crops:
        rooms.append(Room("crops, where a network trains on them,", cache_folder(), crops))
    return rooms


def _results_of(cell: Cell, facts: Survey) -> int:
    """Bytes of a cell's record, and of run 0 its sample and the small cubes of the page, as if nothing were packed."""
    total = RECORD_BYTES * (len(cell.test) + len(cell.scored_training))
    if cell.run > 0:
        return total
    height, width, bands = facts.facts[cell.test[0]].shape
    step = step_for(height, width)
    look = LEVEL_BYTES * bands * -(-height // step) * -(-width // step)
    return total + 2 * 3 * height * width * FLOAT_BYTES + min(SCENES_PER_FOLD, len(cell.test)) * look


def _cube_bytes(facts: Survey, name: str) -> int:
    height, width, bands = facts.facts[name].shape
    return height * width * (FLOAT_BYTES * bands + 1)  # and its mask


def _crops(plan: Plan, facts: Survey, missing: Sequence[Cell]) -> int:
    """Bytes of the prepared scenes that are not in the cache yet, by each kind of input that networks have."""
    methods = {cell.slug: method for cell in missing for _, method in [plan.methods[cell.slug]]}
    inputs = {method.input for method in methods.values() if "torch" in method.requires}
    if not inputs:
        return 0
    from specrec.training.prepared import room_to_prepare

    chosen = plan.protocol
    names = sorted({name for cell in missing for name in cell.train})
    scenes = [open_unchanged(plan.source, name, found_of(facts.facts[name]), "the estimate") for name in names]
    return sum(
        room_to_prepare([TrainingScene(scene, chosen.scaling, chosen.quantisation, kind) for scene in scenes])
        for kind in inputs
    )
