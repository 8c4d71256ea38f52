"""Cells in processes of this machine, so many at a time.

Each is a fresh ``python -m specrec.cells.worker``, so that a script needs no main guard, one method's crash
takes nothing with it, and memory and threads are counted per cell. Where a metric of a third party kills the process,
the cell is run once more without that metric.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from tempfile import TemporaryFile
from typing import Any

from specrec.cells.cell import cell_name
from specrec.cells.compute import run_cell
from specrec.cells.executors import CellProgress
from specrec.errors import SpecrecError
from specrec.processes import end_group, ending, last_line
from specrec.registry.trial import environment

PATIENCE = 3.0
"""Seconds that the process of a cell has for its own end, once the result is told."""


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
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    @property
    def pids(self) -> list[int]:
        """The processes that compute now."""
        with self._lock:
            return [process.pid for process in self._running]

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
                    process.kill()
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def _run(self, values: dict[str, Any]) -> Any:
        device = self._free.get()
        without: dict[str, str] = {}
        try:
            while True:
                try:
                    return self._in_process({**values, "device": device}, without)
                except _DiedInMetricError as death:
                    without[death.metric] = str(death)
        finally:
            self._free.put(device)

    def _in_process(self, values: dict[str, Any], without: Mapping[str, str]) -> Any:
        name = cell_name(values["written"], values["fold"], values["run"])
        metric = ""
        with TemporaryFile() as errors:
            process = self._start(errors)
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                result = None
                process.stdin.write(json.dumps({"cell": values, "without": without}) + "\n")
                process.stdin.flush()
                for line in process.stdout:
                    message = json.loads(line)
                    if "record" in message:
                        result = message["record"]
                        break  # a thread that the method has left behind is not waited for
                    elif "error" in message:
                        raise SpecrecError(message["error"])
                    elif "note" in message:
                        self._note(f"{name}: {message['note']}")
                    elif "metric" in message:
                        metric = message["metric"]
                    else:
                        self._progress(name, message["done"], message["words"])
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                pass
            except BrokenPipeError:
                process.wait()
                result = None
            finally:
                with self._lock:
                    self._running.discard(process)
                end_group(process)
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        _close(pipe)
            if result is None:
                said = last_line(errors)
                how = f"{ending(process.returncode)}{f': {said}' if said else ''}"
                if metric and metric not in without and not self._stopped:
                    self._note(f"{name}: the metric {metric} kills the process ({how}); it is run again without it")
                    raise _DiedInMetricError(metric, f"it kills the process ({how})")
                raise SpecrecError(f"its process died with {how}")
            return result

    def _start(self, errors: Any) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise RuntimeError("stopped")
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "specrec.cells.worker"],  # -P: not from where the user stands
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                env=environment(),
                start_new_session=True,  # Ctrl-C reaches the bench alone, which then stops its processes
            )
            self._running.add(process)
        return process


class _DiedInMetricError(SpecrecError):
    """The process of a cell died while it computed a metric of a third party."""

    def __init__(self, metric: str, how: str) -> None:
        super().__init__(how)
        self.metric = metric


def _close(pipe: Any) -> None:
    with suppress(BrokenPipeError):  # the process is gone, and so is what was still to be said to it
        pipe.close()
