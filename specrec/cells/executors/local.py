"""Cells in processes of this machine, so many at a time."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from specrec.cells.cell import cell_name
from specrec.cells.compute import run_cell
from specrec.cells.executors import CellProgress
from specrec.cells.executors.one_process import CellProcess


class LocalProcesses(Executor):
    """Runs each cell in a process of its own, so many at a time.

    Parameters
    ----------
    devices
        One per process at a time, such as ``["cpu", "cpu"]`` or ``["cuda:0"]``.
    progress
        Called from threads of this process.
    note
        Called likewise, with a sentence that a cell has logged.
    """

    def __init__(
        self, devices: Sequence[str], progress: CellProgress, note: Callable[[str], None] = lambda _words: None
    ) -> None:
        self._free: SimpleQueue[str] = SimpleQueue()
        for device in devices:
            self._free.put(device)
        self._progress = progress
        self._note = note
        self._pool = ThreadPoolExecutor(len(devices))
        self._running: set[CellProcess] = set()
        self._lock = threading.Lock()
        self._stopped = False

    @property
    def pids(self) -> list[int]:
        """The processes that compute now."""
        with self._lock:
            return [process.pid for process in self._running if process.pid is not None]

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_kwargs: Any) -> Future[Any]:
        """Run ``run_cell(values)`` in a process; no other function is known there."""
        if fn is not run_cell:
            raise ValueError("local processes run cells only")
        return self._pool.submit(self._run, args[0])

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop; with `cancel_futures` the cells in hand are given up too."""
        if cancel_futures:
            with self._lock:
                self._stopped = True
                for process in self._running:
                    process.stop()
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def _run(self, values: dict[str, Any]) -> Any:
        device = self._free.get()
        name = cell_name(values["written"], values["fold"], values["run"])
        process = CellProcess(
            {**values, "device": device}, lambda done, words: self._progress(name, done, words), self._note
        )
        try:
            with self._lock:
                if self._stopped:
                    raise RuntimeError("stopped")
                self._running.add(process)
            return process.run()
        finally:
            with self._lock:
                self._running.discard(process)
            self._free.put(device)
