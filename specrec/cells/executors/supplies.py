"""What a cell on a worker reads: files that the worker sees, or that are sent to it as long as they hold what they did.

Each file is held against the survey of the bench: by size and time of change when it is first needed, and again before
anything is sent. Where those differ the scene is read, and data that changed ends the bench as it does on one machine.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from specrec.cells.ceiling import ceiling_path
from specrec.cells.cell import Cell
from specrec.cells.executors.errand import Errand, Scenes
from specrec.cluster.files import FileFacts, facts_of
from specrec.cluster.given import Again
from specrec.cluster.sending import Sender
from specrec.datasets.unchanged import Found, open_unchanged
from specrec.errors import DataError
from specrec.interfaces import SceneSource

CROSS = "cross"
"""What `Scenes` calls the other data set."""


class Supplies:
    """Knows the files of scenes, and gives a worker those that it misses.

    Parameters
    ----------
    source
        The data set, as this process sees it.
    other
        The other one of a protocol with ``cross-data``.
    folder
        Of the results.
    sender
        Sends.
    """

    def __init__(self, source: SceneSource, other: SceneSource | None, folder: Path, sender: Sender) -> None:
        self._sources = {"": source} | ({CROSS: other} if other is not None else {})
        self._folder, self._sender = folder, sender
        self._files: dict[tuple[str, str], tuple[FileFacts, ...]] = {}

    def scenes(self, cell: Cell) -> tuple[Scenes, ...]:
        """Name what a cell reads of each data set.

        Raises
        ------
        ChangedDataError
            If a scene is not what it was when the bench began.
        """
        return tuple(self._of(of, data, names) for of, data, names in self._read_by(cell))

    def results(self, cell: Cell) -> tuple[FileFacts, ...]:
        """Name the files of the results folder that a cell reads."""
        paths = [ceiling_path(self._folder, name) for name in cell.test] if cell.ceiling else []
        return tuple(facts_of(path, self._folder) for path in paths if path.exists())

    def give(self, errand: Errand, worker: str, paths: set[str]) -> Again:
        """Give a worker what it misses: first the digests, by which it knows a copy, then the files.

        Raises
        ------
        ChangedDataError
            If a scene is not what it was when the bench began.
        DataError
            If a file cannot be read, or not be sent.
        """
        other = self._changed(errand, paths)
        if other:  # of the same content; a worker may see it now
            return Again((errand.with_files(other),), worker)
        files = [facts for facts in errand.files if facts.path in paths]
        if any(not facts.digest for facts in files):
            try:
                return Again((errand.with_digests(paths),), worker)
            except OSError as error:
                raise DataError(f"cannot read {error.filename}: {error.strerror}") from None
        for facts in errand.files:
            if not facts.name:
                raise DataError(
                    f"worker {worker} does not see the data, and {facts.path} cannot be sent: it lies outside of its"
                    f" data set's folder; put all of it where every worker sees it"
                )
        self._sender.send(worker, files)
        return Again((errand,), worker)

    def _read_by(self, cell: Cell) -> Iterable[tuple[str, Mapping[str, Any], Iterable[str]]]:
        yield "", cell.values(), dict.fromkeys([*cell.train, *cell.test])
        if cell.cross and CROSS in self._sources:
            yield CROSS, cell.cross, cell.cross["scenes"]

    def _of(self, of: str, data: Mapping[str, Any], names: Iterable[str]) -> Scenes:
        """Look at the files of scenes, at each once; those that have none are made where they are needed."""
        found: dict[str, tuple[FileFacts, ...]] = {}
        for name in names:
            if (of, name) not in self._files:
                self._files[of, name] = self._looked_at(of, data, name)
            found[name] = self._files[of, name]
        made = tuple(name for name, files in found.items() if not files)
        return Scenes(of, tuple(facts for files in found.values() for facts in files), made)

    def _changed(self, errand: Errand, paths: set[str]) -> dict[str, FileFacts]:
        """Return what else is to be said of files among `paths`, of scenes that hold what they did nevertheless."""
        told = {facts.path: facts for facts in errand.files}
        other: dict[str, FileFacts] = {}
        for of, data, names in self._read_by(Cell(**errand.cell)):
            for name in names:
                if any(facts.path in paths for facts in self._files[of, name]):
                    self._files[of, name] = self._looked_at(of, data, name, self._files[of, name])
                    other |= {facts.path: facts for facts in self._files[of, name]}
        return {path: facts for path, facts in other.items() if not _alike(facts, told[path])}

    def _looked_at(
        self, of: str, data: Mapping[str, Any], name: str, known: Iterable[FileFacts] = ()
    ) -> tuple[FileFacts, ...]:
        """Look at the files of a scene, and read it where they are neither as the survey nor as `known` has them."""
        source, stamps = self._sources[of], data["stamps"].get(name, ())
        seen = [list(known), [FileFacts("", "", size, changed) for _, size, changed in stamps]]
        while True:
            files, absent = [], None
            try:
                files = [facts_of(path, source.path) for path in source.files(name)]
            except OSError as error:
                absent = DataError(f"cannot read {error.filename}: {error.strerror}")
            if absent is None and any(_all_alike(files, one) for one in seen):
                return tuple(files)
            low, high = data["extents"][name]
            open_unchanged(source, name, Found((low, high), data["contents"][name], stamps), "the bench")
            if absent is not None:
                raise absent
            seen[0] = files  # they hold what they did, unless they change again just now


def _all_alike(some: Sequence[FileFacts], others: Sequence[FileFacts]) -> bool:
    return len(some) == len(others) and all(map(_alike, some, others))


def _alike(one: FileFacts, other: FileFacts) -> bool:
    return (one.size, one.changed) == (other.size, other.changed)
