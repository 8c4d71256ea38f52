"""The process of one cell: reads it from standard input as JSON, tells its progress on standard output.

With the cell come the metrics that are not to be computed, and why. Before each metric of a third party its name is
told, so that the parent knows in which one the process died.

On a machine of a cluster more comes: ``installed``, what must be the same here as where the bench runs, and ``made``,
the scenes to be made here and compared. Where this machine does not fit, nothing is computed and that is told.

What specrec logs is passed on too; whatever a plugin prints goes to standard error. The process ends when its parent
does.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from specrec.cells.cell import Cell
from specrec.cells.compute import run_cell
from specrec.cells.executors.fitness import device_here, lacking, make_scenes
from specrec.cells.scoring import Scoring
from specrec.errors import CannotGoOnError, ChangedDataError, in_a_line
from specrec.interfaces import Progress
from specrec.processes import end_with_parent


def main() -> None:
    """Run the one cell that comes in."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sent = json.loads(sys.stdin.readline())
    threading.Thread(target=end_with_parent, daemon=True).start()
    logger = logging.getLogger("specrec")
    logger.setLevel(logging.INFO)

    def say(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    logger.addHandler(_Teller(say))
    try:
        cell, unfit = sent["cell"], None

        def progress(done: float, words: str) -> None:
            say({"done": done, "words": words})

        if "installed" in sent:
            cell, unfit = _fitted(cell, sent["installed"], sent["made"], progress)
        if unfit is not None:
            say({"unfit": unfit})
            return
        scoring = Scoring(sent["without"], lambda name: say({"metric": name}))
        say({"record": run_cell(cell, progress, scoring)})
    except CannotGoOnError as error:
        say({"stop": str(error), "place": error.place, "changed": isinstance(error, ChangedDataError)})
    except Exception as error:  # told to the parent, whose business it is
        say({"error": in_a_line(error)})


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


class _Teller(logging.Handler):
    """Passes on what is logged: nobody reads the standard error of a process that lives."""

    def __init__(self, say: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(logging.INFO)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say({"note": record.getMessage()})


if __name__ == "__main__":
    main()
