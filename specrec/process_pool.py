"""Functions called with plain values in processes of their own, so many at a time.

Each call is a fresh ``python -m specrec.process_worker``, so that a script needs no main guard, what kills one process
takes nothing with it, and memory and threads are those of one piece of work. No process outlives this one.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, Any

from specrec.errors import SpecrecError
from specrec.processes import end_group, ending, last_line

PATIENCE = 3.0
"""Seconds that a process has for its own end, once its answer is told."""


class ProcessPool(Executor):
    """Calls functions of specrec in processes of their own.

    Parameters
    ----------
    jobs
        How many at a time.
    progress
        Called from threads of this process with the ``"label"`` of the values, the fraction done and a few words.
    note
        Called likewise, with the label and a sentence that was logged.
    environment
        Gives the environment variables of a process; None: those of this one.
    """

    def __init__(
        self,
        jobs: int,
        progress: Callable[[str, float, str], None],
        note: Callable[[str, str], None] = lambda _label, _words: None,
        environment: Callable[[], dict[str, str]] | None = None,
    ) -> None:
        self._progress, self._note, self._environment = progress, note, environment
        self._pool = ThreadPoolExecutor(jobs)
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_kwargs: Any) -> Future[Any]:
        """Call ``fn(values, progress)`` in a process.

        `fn` is a function of a module of specrec, its only argument here a mapping of plain JSON values, and so is what
        it returns. The future raises SpecrecError where the function fails or its process dies.
        """
        return self._pool.submit(self._run, f"{fn.__module__}:{fn.__qualname__}", args[0])

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop; with `cancel_futures` the processes in hand are ended too."""
        if cancel_futures:
            with self._lock:
                self._stopped = True
                for process in self._running:
                    process.kill()
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def _run(self, function: str, values: Mapping[str, Any]) -> Any:
        with TemporaryFile() as errors:
            process = self._start(errors)
            answer: dict[str, Any] | None = None
            try:
                answer = self._converse(process, json.dumps({"function": function, "values": values}), values["label"])
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:  # a thread that a plugin has left behind is not waited for
                pass
            except BrokenPipeError:
                process.wait()
            finally:
                with self._lock:
                    self._running.discard(process)
                end_group(process)
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        _close(pipe)
            if answer is None:
                said = last_line(errors)
                raise SpecrecError(f"its process died with {ending(process.returncode)}{f': {said}' if said else ''}")
        if "error" in answer:
            raise SpecrecError(answer["error"])
        return answer["answer"]

    def _converse(self, process: "subprocess.Popen[str]", sent: str, label: str) -> dict[str, Any] | None:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{sent}\n")
        process.stdin.flush()
        for line in process.stdout:
            message: dict[str, Any] = json.loads(line)
            if "done" in message:
                self._progress(label, message["done"], message["words"])
            elif "note" in message:
                self._note(label, message["note"])
            else:
                return message
        return None

    def _start(self, errors: IO[bytes]) -> "subprocess.Popen[str]":
        with self._lock:
            if self._stopped:
                raise RuntimeError("stopped")
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "specrec.process_worker"],  # -P: not from where the user stands
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                env=None if self._environment is None else self._environment(),
                start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the others
            )
            self._running.add(process)
        return process


def _close(pipe: IO[str]) -> None:
    with suppress(BrokenPipeError):  # the process is gone, and so is what was still to be said to it
        pipe.close()
