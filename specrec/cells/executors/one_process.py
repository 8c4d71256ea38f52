"""One cell in one process, on this machine or on a worker's.

It is a fresh ``python -m specrec.cells.worker``, so that a script needs no main guard, one method's crash takes nothing
with it, and memory and threads are counted per cell. Where a metric of a third party kills the process, the cell is run
once more without that metric.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from tempfile import TemporaryFile
from typing import Any

from specrec.cells.cell import cell_name
from specrec.errors import CannotGoOnError, ChangedDataError, SpecrecError
from specrec.processes import end_group, ending, last_line
from specrec.registry.trial import environment

PATIENCE = 3.0
"""Seconds that the process of a cell has for its own end, once the result is told."""


class UnfitError(SpecrecError):
    """The process of a cell finds that this machine is not as the bench needs it."""


class CellProcess:
    """The process of one cell, from its start to its end; another thread can stop it.

    Parameters
    ----------
    values
        A `Cell` as a dictionary.
    progress
        Called with the fraction done and a few words.
    note
        Called with a sentence that the cell has logged.
    needs
        What else the process is told, as `specrec.cells.worker` says.
    variables
        The environment of the process; default: that of this one.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        progress: Callable[[float, str], None],
        note: Callable[[str], None],
        *,
        needs: Mapping[str, Any] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._values = dict(values)
        self._name = cell_name(values["written"], values["fold"], values["run"])
        self._progress, self._note = progress, note
        self._needs = dict(needs or {})
        self._variables = variables
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    @property
    def pid(self) -> int | None:
        """Of the process; None where none runs."""
        with self._lock:
            return None if self._process is None else self._process.pid

    def stop(self) -> None:
        """End the process, if it runs, and start none."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def run(self) -> dict[str, Any]:
        """Compute the cell and return its record.

        Raises
        ------
        CannotGoOnError
            If a file cannot be written, or data changed.
        SpecrecError
            If the process died.
        UnfitError
            If this machine is not as `needs` says.
        """
        without: dict[str, str] = {}
        while True:
            try:
                return self._once(without)
            except _DiedInMetricError as death:
                without[death.metric] = str(death)

    def _once(self, without: Mapping[str, str]) -> dict[str, Any]:
        metric = ""
        result: dict[str, Any] | None = None
        with TemporaryFile() as errors:
            process = self._start(errors)
            try:
                assert process.stdin is not None
                assert process.stdout is not None
                sent = {"cell": self._values, "without": without, **self._needs}
                process.stdin.write(json.dumps(sent) + "\n")
                process.stdin.flush()
                for line in process.stdout:
                    message = json.loads(line)
                    if "record" in message:
                        result = message["record"]
                        break  # a thread that the method has left behind is not waited for
                    elif "stop" in message:
                        kind = ChangedDataError if message["changed"] else CannotGoOnError
                        raise kind(message["stop"], message["place"])
                    elif "error" in message:
                        raise SpecrecError(message["error"])
                    elif "unfit" in message:
                        raise UnfitError(message["unfit"])
                    elif "note" in message:
                        self._note(f"{self._name}: {message['note']}")
                    elif "metric" in message:
                        metric = message["metric"]
                    else:
                        self._progress(message["done"], message["words"])
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                pass
            except BrokenPipeError:
                process.wait()
                result = None
            finally:
                with self._lock:
                    self._process = None
                end_group(process)
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        _close(pipe)
            if result is None:
                said = last_line(errors)
                how = f"{ending(process.returncode)}{f': {said}' if said else ''}"
                if metric and metric not in without and not self._stopped:
                    self._note(
                        f"{self._name}: the metric {metric} kills the process ({how}); it is run again without it"
                    )
                    raise _DiedInMetricError(metric, f"it kills the process ({how})")
                raise SpecrecError(f"its process died with {how}")
            return result

    def _start(self, errors: Any) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise RuntimeError("stopped")
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "specrec.cells.worker"],  # -P: not from where the user stands
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                env=environment() if self._variables is None else dict(self._variables),
                start_new_session=True,  # Ctrl-C reaches the bench alone, which then stops its processes
            )
            return self._process


class _DiedInMetricError(SpecrecError):
    """The process of a cell died while it computed a metric of a third party."""

    def __init__(self, metric: str, how: str) -> None:
        super().__init__(how)
        self.metric = metric


def _close(pipe: Any) -> None:
    with suppress(BrokenPipeError):  # the process is gone, and so is what was still to be said to it
        pipe.close()
