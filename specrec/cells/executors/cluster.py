"""Cells on the workers of a Dask cluster: given out, with what a worker does not see, and their files fetched."""

import json
import secrets
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from specrec.cache import written_whole
from specrec.cells.cell import Cell
from specrec.cells.compute import run_cell
from specrec.cells.executors import CellProgress
from specrec.cells.executors.collecting import check_key, collect
from specrec.cells.executors.errand import Computed, Errand, Missing
from specrec.cells.executors.fitness import providers
from specrec.cells.executors.remote import run_cell_here
from specrec.cells.executors.supplies import Supplies
from specrec.cluster.connecting import Connection
from specrec.cluster.executor import ClusterExecutor
from specrec.cluster.given import Again, Done
from specrec.cluster.job import Answer
from specrec.cluster.sending import Sender
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
        self._folder, self._device = folder.resolve(), device
        self._progress, self._note = progress, note
        self._sender = Sender(connection.client, note)
        self._supplies = Supplies(source, other, self._folder, self._sender)
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
        sets = [cell.dataset, *([cell.cross["dataset"]] if cell.cross else [])]
        return Errand(
            cell=values,
            token=self._token,
            installed=providers(cell.method, *sets),
            known=self._known,
            scenes=self._supplies.scenes(cell),
            results=self._supplies.results(cell),
        )

    def _told(self, label: str, message: dict[str, Any]) -> None:
        if "note" in message:
            self._note(message["note"])
        else:
            self._progress(label, message["done"], message["words"])

    def _received(self, args: tuple[Any, ...], answer: Answer) -> Done | Again:
        [errand] = args
        if isinstance(answer.value, Missing):
            return self._supplies.give(errand, answer.worker, set(answer.value.paths))
        assert isinstance(answer.value, Computed)
        cell = Cell(**errand.cell)
        check_key(self._sender, cell, answer.worker, answer.value)
        if answer.value.folder:
            collect(self._sender, cell, self._folder, answer.worker, answer.value)
        return Done(answer.value.record)
