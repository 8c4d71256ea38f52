"""The process of one cell: what it gets, what it tells, and what it answers, in plain values.

With the cell come the metrics that are not to be computed, and why. Before each metric of a third party its name is
told, so that the parent knows in which one the process died.

On a machine of a cluster more comes: ``installed``, what must be the same here as where the bench runs, and ``made``,
the scenes to be made here and compared. Where this machine does not fit, nothing is computed and that is told.
"""

from typing import Any

from specrec.cells.cell import Cell
from specrec.cells.compute import run_cell
from specrec.cells.executors.fitness import device_here, lacking, make_scenes
from specrec.cells.scoring import Scoring
from specrec.errors import CannotGoOnError, ChangedDataError
from specrec.interfaces import Progress
from specrec.process_worker import Tell, serve


def compute(sent: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Compute the cell that was sent.

    Returns
    -------
    One of: ``record``; ``stop``, why no cell gets past this; ``unfit``, why this machine does not fit.
    """

    def progress(done: float, words: str) -> None:
        tell({"done": done, "words": words})

    try:
        cell, unfit = sent["cell"], None
        if "installed" in sent:
            cell, unfit = _fitted(cell, sent["installed"], sent["made"], progress)
        if unfit is not None:
            return {"unfit": unfit}
        return {"record": run_cell(cell, progress, Scoring(sent["without"], lambda name: tell({"metric": name})))}
    except CannotGoOnError as error:
        return {"stop": str(error), "place": error.place, "changed": isinstance(error, ChangedDataError)}


def _fitted(
    values: dict[str, Any], installed: dict[str, dict[str, Any]], made: list[tuple[str, str]], progress: Progress
) -> tuple[dict[str, Any], str | None]:
    """Give a cell the device there is, make its scenes, or say why this machine does not fit."""
    cell = Cell(**values)
    sets = {"": values, **({"cross": cell.cross} if cell.cross else {})}
    unfit = lacking(installed, cell.method, *(data["dataset"] for data in sets.values()))
    for of, data in sets.items():
        names = [name for whose, name in made if whose == of]
        unfit = unfit or make_scenes(data, names, lambda _done, words: progress(0.0, f"making scenes: {words}"))
    if unfit is not None:
        return values, unfit
    return {**values, "device": device_here(cell.device, cell.method)}, None


if __name__ == "__main__":
    serve(compute)
