"""Cells on the workers of a Dask cluster: given out, with what a worker does not see, and their files fetched."""

import json
import re
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from specrec.cache import written_whole
from specrec.cells import records
from specrec.cells.ceiling import ceiling_path
from specrec.cells.cell import Cell
from specrec.cells.compute import run_cell
from specrec.cells.executors import CellProgress
from specrec.cells.executors.errand import Computed, Errand, Missing, Scenes
from specrec.cells.executors.fitness import providers
from specrec.cells.executors.remote import run_cell_here
from specrec.cluster.connecting import Connection
from specrec.cluster.executor import ClusterExecutor
from specrec.cluster.files import FileFacts, facts_of
from specrec.cluster.given import Again, Done
from specrec.cluster.job import Answer
from specrec.cluster.sending import Sender
from specrec.errors import DataError, SpecrecError
from specrec.interfaces import SceneSource
from specrec.registry import registry
from specrec.registry.trial import KNOWN, environment

TOKEN = ".seen-"
"""Begins the name of the file by which a worker knows that it sees the results folder."""


class ClusterCells(Executor):
    """Runs each cell in a process of its own on a worker.

    Parameters
    ----------
    connection
        An open one.
    source
        The data set, as this process sees it.
    folder
        Of the results.
    threads
        Of one cell.
    device
        One of `specrec.reconstruction.workers.DEVICES`.
    progress, note
        As for `specrec.cells.executors.local.LocalProcesses`.
    other
        The other data set of a protocol with ``cross-data``.
    """

    def __init__(
        self,
        connection: Connection,
        source: SceneSource,
        folder: Path,
        threads: int,
        device: str,
        progress: CellProgress,
        note: Callable[[str], None],
        other: SceneSource | None = None,
    ) -> None:
        self._source, self._folder, self._device = source, folder.resolve(), device
        self._other = other
        self._progress, self._note = progress, note
        self._sender = Sender(connection.client, note)
        self._files: dict[tuple[str, str], tuple[FileFacts, ...]] = {}
        self._token = (f"{TOKEN}{secrets.token_hex(8)}", secrets.token_hex(32))
        self._known: dict[str, str] = json.loads(environment()[KNOWN])
        for left in self._folder.glob(f"{TOKEN}*"):  # of a bench that was killed
            left.unlink(missing_ok=True)
        with written_whole(self._folder / self._token[0]) as temporary:
            temporary.write_text(self._token[1], "utf-8")
        self._executor = ClusterExecutor(
            connection, threads=threads, told=self._told, note=note, receive=self._received
        )

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_kwargs: Any) -> Future[Any]:
        """Run ``run_cell(values)`` on a worker; no other function is known there."""
        if fn is not run_cell:
            raise ValueError("workers run cells only")
        values = {**args[0], "device": self._device}
        cell = Cell(**values)
        offer = registry().reconstructors.get(cell.method)
        gpu = self._device != "cpu" and offer is not None and "torch" in offer.value.requires
        return self._executor.submit(run_cell_here, self._errand(cell, values), label=cell.label, gpu=gpu)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop; with `cancel_futures` the cells in hand are given up too."""
        self._executor.shutdown(wait, cancel_futures=cancel_futures)
        with suppress(OSError):
            (self._folder / self._token[0]).unlink()

    def _errand(self, cell: Cell, values: dict[str, Any]) -> Errand:
        sets = [cell.dataset]
        scenes = [self._scenes("", self._source, dict.fromkeys([*cell.train, *cell.test]))]
        if cell.cross and self._other is not None:
            sets.append(cell.cross["dataset"])
            scenes.append(self._scenes("cross", self._other, cell.cross["scenes"]))
        paths = [ceiling_path(self._folder, name) for name in cell.test] if cell.ceiling else []
        return Errand(
            cell=values,
            token=self._token,
            installed=providers(cell.method, *sets),
            known=self._known,
            scenes=tuple(scenes),
            results=tuple(facts_of(path, self._folder) for path in paths if path.exists()),
        )

    def _scenes(self, of: str, source: SceneSource, names: Iterable[str]) -> Scenes:
        """Look at the files of scenes, at each once; those that have none are made where they are needed."""
        found: dict[str, tuple[FileFacts, ...]] = {}
        for name in names:
            if (of, name) not in self._files:
                try:
                    files = [facts_of(path, source.path) for path in source.files(name)]
                except OSError as error:
                    raise DataError(f"cannot read {error.filename}: {error.strerror}") from None
                self._files[of, name] = tuple(files)
            found[name] = self._files[of, name]
        made = tuple(name for name, files in found.items() if not files)
        return Scenes(of, tuple(facts for files in found.values() for facts in files), made)

    def _told(self, label: str, message: dict[str, Any]) -> None:
        if "note" in message:
            self._note(message["note"])
        else:
            self._progress(label, message["done"], message["words"])

    def _received(self, args: tuple[Any, ...], answer: Answer) -> Done | Again:
        [errand] = args
        if isinstance(answer.value, Missing):
            return self._supplied(errand, answer.worker, set(answer.value.paths))
        assert isinstance(answer.value, Computed)
        if answer.value.folder:
            self._fetch(Cell(**errand.cell), answer.worker, answer.value)
        return Done(answer.value.record)

    def _supplied(self, errand: Errand, worker: str, paths: set[str]) -> Again:
        """Give a worker what it misses: first the digests, by which it knows a copy, then the files."""
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

    def _fetch(self, cell: Cell, worker: str, computed: Computed) -> None:
        for name, size in computed.files:
            target = self._folder / name
            if not re.fullmatch(r"(cells|cubes|looks)/.+", name) or ".." in Path(name).parts:
                raise SpecrecError(f"worker {worker} gives a file {name!r}, which no cell writes")
            if name.startswith(("looks/", "cubes/reference/")) and target.exists():
                continue  # every cell has the same
            if target == cell.path and computed.record["status"] == "failed":
                before = records.read(cell.path)
                if before is not None and before["status"] == "done":
                    continue  # a failure never replaces a good result
            self._sender.fetch(worker, f"{computed.folder}/results/{name}", size, target)
        self._sender.remove(worker, computed.folder)
