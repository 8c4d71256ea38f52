"""A cell on a worker of a cluster: in a process of its own, as on the machine of the bench.

Where the worker sees the results folder and the scenes under their paths it works on them there. Else it says what is
missing, works in a folder of its own, and its files are fetched.
"""

import json
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from specrec.cache import check_writable
from specrec.cells.cell import Cell
from specrec.cells.executors.errand import Computed, Errand, Missing
from specrec.cells.executors.one_process import CellProcess, UnfitError
from specrec.cluster.files import FileFacts, is_here
from specrec.cluster.job import Job, RefusalError
from specrec.cluster.store import arrange, stored
from specrec.errors import CannotGoOnError, SpecrecError
from specrec.registry.trial import KNOWN

LOOK_SECONDS = 0.5
"""Between looks at whether somebody still waits for the cell, and between words on how far it is."""
_made: set[tuple[str, str, str, str]] = set()


def run_cell_here(job: Job, errand: Errand) -> Missing | Computed:
    """Compute a cell on the worker that runs this.

    Raises
    ------
    RefusalError
        If this worker cannot: it may not write where it must, or lacks a plugin.
    SpecrecError
        If the process of the cell died.
    """
    cell = Cell(**errand.cell)
    shared = _sees(Path(cell.folder), errand.token)
    unseen = [facts for facts in errand.scenes if not is_here(facts)]
    needed = [*unseen, *(() if shared else (facts for facts in errand.results if not is_here(facts)))]
    missing = tuple(facts.path for facts in needed if stored(facts) is None)
    if missing:
        return Missing(missing)
    if shared and not unseen:
        return Computed(_compute(job, errand, errand.cell))
    folder = Path(mkdtemp(prefix="specrec-", dir=job.scratch))
    try:
        values = dict(errand.cell)
        if unseen:
            arrange(folder / "data", list(errand.scenes))
            values["data"] = str(folder / "data")
            values["stamps"] = {name: [] for name in cell.stamps}  # copies were changed when they came
        if not shared:
            arrange(folder / "results", list(errand.results))
            values["folder"] = str(folder / "results")
        try:
            record = _compute(job, errand, values)
        except CannotGoOnError as error:
            if shared:
                raise
            raise RefusalError(str(error)) from None  # its own disk is full, and nobody else's
        shutil.rmtree(folder / "data", ignore_errors=True)
        if shared:
            return Computed(record)
        files = _written(folder / "results", Cell(**values), errand.results)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        if shared:
            shutil.rmtree(folder, ignore_errors=True)
    return Computed(record, str(folder), files)


def _sees(folder: Path, token: tuple[str, str]) -> bool:
    """Say whether this is the results folder of the bench, or refuse where it is and cannot be written to."""
    name, text = token
    try:
        if (folder / name).read_text("utf-8") != text:
            return False
    except (OSError, ValueError):
        return False
    try:
        check_writable(folder)
    except SpecrecError as error:
        raise RefusalError(f"{socket.gethostname()} sees the results folder, and {error}") from None
    return True


def _compute(job: Job, errand: Errand, values: dict[str, Any]) -> dict[str, Any]:
    telling = _Telling(job)
    scenes = {name: _scene(values, name) for name in errand.made}
    new = [name for name, scene in scenes.items() if scene not in _made]
    process = CellProcess(
        values,
        telling.hear,
        lambda words: job.tell({"note": words}),
        needs={"installed": errand.installed, "made": new},
        variables={**os.environ, KNOWN: json.dumps(errand.known)},
    )
    with _looked_after(job, process, telling):
        try:
            record = process.run()
        except UnfitError as error:
            raise RefusalError(str(error)) from None
    _made.update(scenes[name] for name in new)
    return record


def _scene(values: dict[str, Any], name: str) -> tuple[str, str, str, str]:
    return values["dataset"], json.dumps(values["options"], sort_keys=True), name, values["contents"][name]


class _Telling:
    """Tells how far a cell is, now and then: the network has better things to do than to carry every step."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._latest: tuple[float, str] | None = None

    def hear(self, done: float, words: str) -> None:
        """Keep the latest."""
        self._latest = done, words

    def tell(self) -> None:
        """Tell it, once."""
        latest, self._latest = self._latest, None
        if latest is not None:
            self._job.tell({"done": latest[0], "words": latest[1]})


@contextmanager
def _looked_after(job: Job, process: CellProcess, telling: _Telling) -> Iterator[None]:
    """Tell how far a cell is, and end its process when it is cancelled, or its bench or scheduler is gone."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(LOOK_SECONDS):
            telling.tell()
            if not job.wanted:
                process.stop()
                return

    threading.Thread(target=look, name="specrec-cell", daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _written(folder: Path, cell: Cell, given: tuple[FileFacts, ...]) -> tuple[tuple[str, int], ...]:
    """List what a cell has written, its record last; not what it was given, nor the state of a training."""
    names = {facts.name for facts in given}
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (
            path.is_file()
            and name not in names
            and not path.name.startswith(".")
            and not name.startswith("checkpoints/")
        ):
            found.append((path != cell.path, name, path.stat().st_size))
    found.sort(reverse=True)
    return tuple((name, size) for _, name, size in found)
