"""The record of a cell that a worker has computed, and its files: they are fetched together, or nothing of them is."""

import re
import shutil
from contextlib import suppress
from pathlib import Path

from specrec.cells import records
from specrec.cells.cell import Cell
from specrec.cells.executors.errand import Computed
from specrec.cells.key import decided_by, differences, key_of
from specrec.cluster.given import LostError
from specrec.cluster.sending import Sender
from specrec.errors import CannotGoOnError, SpecrecError


def check_key(sender: Sender, cell: Cell, worker: str, computed: Computed) -> None:
    """Refuse the record of a cell that was computed with something else than is installed here; it is not kept.

    A worker that has something else is not used, so this is for what nobody has thought of.

    Raises
    ------
    CannotGoOnError
        That names the worker, the cell and what differs.
    """
    parts, record = decided_by(cell), computed.record
    if record.get("key") == key_of(parts):
        return
    with suppress(SpecrecError, OSError):
        if computed.folder:
            sender.remove(worker, computed.folder)
        elif (records.read(cell.path) or record).get("key") == record.get("key"):
            cell.path.unlink(missing_ok=True)
    others = ", ".join(map(str, differences(record.get("decided_by", {}), parts))) or "something else"
    raise CannotGoOnError(
        f"worker {worker} has computed {cell.label} otherwise than this machine would, with {others}; it is not kept:"
        " install the same there, and start the bench again"
    )


def collect(sender: Sender, cell: Cell, folder: Path, worker: str, computed: Computed) -> None:
    """Fetch what a cell has written in a folder of the worker, and leave no other in the results folder.

    Raises
    ------
    LostError
        If the worker does not give it.
    SpecrecError
        If it cannot be written here: what was there stays, and `CannotGoOnError` where no other cell can be either.
    """
    for name, _ in computed.files:
        if not re.fullmatch(r"(cells|cubes|looks)/.+", name) or ".." in Path(name).parts:
            raise SpecrecError(f"worker {worker} gives a file {name!r}, which no cell writes")
    done = computed.record["status"] == "done"
    if done or not _is_good(cell):  # a failure never replaces a good result
        wanted = [
            (f"results/{name}", size, folder / name)
            for name, size in computed.files
            if not (name.startswith(("looks/", "cubes/reference/")) and (folder / name).exists())  # all have the same
        ]
        sender.fetch(worker, computed.folder, wanted)
    if done:  # as where a cell writes into the results folder itself
        cell.checkpoint.unlink(missing_ok=True)
        if not cell.save_cubes:
            shutil.rmtree(cell.cubes, ignore_errors=True)
    with suppress(LostError):  # everything is here
        sender.remove(worker, computed.folder)


def _is_good(cell: Cell) -> bool:
    with suppress(SpecrecError):  # what is there is no result
        before = records.read(cell.path)
        return before is not None and before["status"] == "done"
    return False
