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
from specrec.cells.executors.errand import Computed, Errand, Missing, Scenes
from specrec.cells.executors.one_process import CellProcess, UnfitError
from specrec.cluster.files import FileFacts, is_here
from specrec.cluster.job import Job, RefusalError
from specrec.cluster.store import arrange, stored
from specrec.errors import CannotGoOnError, ChangedDataError, SpecrecError
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
    CannotGoOnError
        If no worker gets past what stops this one: data that changed, shared results that cannot be written.
    SpecrecError
        If the process of the cell died.
    OSError
        If this worker has no room for a folder of its own, or starts no process.
    """
    cell = Cell(**errand.cell)
    shared = _sees(Path(cell.folder), errand.token)
    unseen = {some.of: [facts for facts in some.files if not is_here(facts)] for some in errand.scenes}
    needed = [facts for lacking in unseen.values() for facts in lacking]
    needed += [] if shared else [facts for facts in errand.results if not is_here(facts)]
    missing = tuple(facts.path for facts in needed if stored(facts) is None)
    if missing:
        return Missing(missing)
    if shared and not any(unseen.values()):
        with _whose_trouble(errand, shared=True):
            return Computed(_compute(job, errand, errand.cell))
    folder = Path(mkdtemp(prefix="specrec-", dir=job.scratch))  # its own: no cell mixes with what another has left
    try:
        values = dict(errand.cell)
        for some in errand.scenes:
            if unseen[some.of]:
                values |= _laid_out(some, values, folder / f"data{some.of}")
        if not shared:
            arrange(folder / "results", list(errand.results))
            values["folder"] = str(folder / "results")
        with _whose_trouble(errand, shared=shared, folder=folder):
            record = _compute(job, errand, values)
        for some in errand.scenes:
            shutil.rmtree(folder / f"data{some.of}", ignore_errors=True)
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


@contextmanager
def _whose_trouble(errand: Errand, *, shared: bool, folder: Path | None = None) -> Iterator[None]:
    """Tell what stops the whole bench from what stops this worker alone.

    Changed data stops the bench, and so does what keeps a cell from writing into results that all share. A full disk
    anywhere else, such as that of the worker's own folder or of its cache folder, is the worker's.
    """
    try:
        yield
    except ChangedDataError as error:
        words = str(error)
        for some in errand.scenes if folder is not None else ():
            words = words.replace(f"{folder}/data{some.of}/", f"{some.within(errand.cell)['data']}/")
        raise ChangedDataError(words) from None
    except CannotGoOnError as error:
        if shared and _is_of_all(error.place, Path(errand.cell["folder"])):
            raise
        words = str(error)
        if folder is not None and str(folder) in words:
            words = words.replace("choose another folder", "start it with another --local-directory")
        raise RefusalError(words) from None


def _is_of_all(place: str, results: Path) -> bool:
    """Say whether what cannot be written lies in the results folder; where nobody knows, that is tried."""
    if place:
        return Path(place).is_relative_to(results)
    try:
        check_writable(results)
    except SpecrecError:
        return True
    return False


def _laid_out(some: Scenes, values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Lay out the files of a data set, and return what that changes in a cell."""
    arrange(folder, list(some.files))
    stamps: dict[str, list[Any]] = {
        name: [] for name in some.within(values)["stamps"]
    }  # copies were changed when they came
    changed = {"data": str(folder), "stamps": stamps}
    return {some.of: {**values[some.of], **changed}} if some.of else changed


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
    scenes = {(some.of, name): _scene(some.within(values), name) for some in errand.scenes for name in some.made}
    new = [scene for scene, what in scenes.items() if what not in _made]
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
    _made.update(scenes[scene] for scene in new)
    return record


def _scene(data: dict[str, Any], name: str) -> tuple[str, str, str, str]:
    return data["dataset"], json.dumps(data["options"], sort_keys=True), name, data["contents"][name]


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
