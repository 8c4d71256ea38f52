"""A process of its own for a piece of work, from its start to its end, seen from the one that has started it.

It is a fresh ``python -m MODULE``, so that a script needs no main guard, what kills it takes nothing else with it, and
memory and threads are those of one piece of work. It gets one line of JSON on standard input, and tells on standard
output how it goes, a line of JSON each; `specrec.process_worker.serve` is the other end. It does not outlive this one.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, Any

from specrec.errors import SpecrecError
from specrec.processes import end_group, ending, kill_group, last_line

PATIENCE = 3.0
"""Seconds that a process has for its own end, once its answer is told."""


class DiedError(SpecrecError):
    """A process has died before its answer.

    Parameters
    ----------
    how
        Its exit code or signal, and the last line of its standard error.
    """

    def __init__(self, how: str) -> None:
        super().__init__(f"its process died with {how}")
        self.how = how


class ChildProcess:
    """Does one piece of work after the other, each in a fresh process; another thread can stop it.

    Parameters
    ----------
    module
        That is run.
    hear
        Called with what the process tells before its answer.
    """

    def __init__(self, module: str, hear: Callable[[dict[str, Any]], None]) -> None:
        self._module, self._hear = module, hear
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    @property
    def pid(self) -> int | None:
        """Of the process; None where none runs."""
        with self._lock:
            return None if self._process is None else self._process.pid

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    def stop(self) -> None:
        """End the process, if it runs, and start none any more."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                kill_group(self._process)

    def run(self, sent: Mapping[str, Any], variables: Mapping[str, str] | None = None) -> Any:
        """Send plain values to a process, and return its answer.

        Parameters
        ----------
        sent
            What it gets.
        variables
            Its environment; None: that of this one.

        Raises
        ------
        DiedError
            If it dies, or is stopped.
        SpecrecError
            If it says that the work has failed.
        """
        with TemporaryFile() as errors:
            process = self._start(errors, variables)
            answer: dict[str, Any] | None = None
            try:
                answer = self._converse(process, json.dumps(sent))
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:  # a thread that a plugin has left behind is not waited for
                pass
            except BrokenPipeError:
                process.wait()
            finally:
                with self._lock:
                    self._process = None
                end_group(process)
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        _close(pipe)
            if answer is None:
                said = last_line(errors)
                raise DiedError(f"{ending(process.returncode)}{f': {said}' if said else ''}")
        if "error" in answer:
            raise SpecrecError(answer["error"])
        return answer["answer"]

    def _converse(self, process: "subprocess.Popen[str]", sent: str) -> dict[str, Any] | None:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{sent}\n")
        process.stdin.flush()
        threading.Thread(target=_end_with_it, args=(process,), daemon=True).start()
        for line in process.stdout:
            if not line.endswith("\n"):  # it has died amid it
                return None
            message: dict[str, Any] = json.loads(line)
            if "answer" in message or "error" in message:
                return message
            self._hear(message)
        return None

    def _start(self, errors: IO[bytes], variables: Mapping[str, str] | None) -> "subprocess.Popen[str]":
        with self._lock:
            if self._stopped:
                raise RuntimeError("stopped")
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module],  # -P: not from where the user stands
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=None if variables is None else dict(variables),
                start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the others
            )
            return self._process


def _end_with_it(process: "subprocess.Popen[str]") -> None:
    """End what a process has started as soon as it dies: a fork of it would hold the pipe that is read."""
    process.wait()
    kill_group(process)


def _close(pipe: IO[str]) -> None:
    with suppress(BrokenPipeError):  # the process is gone, and so is what was still to be said to it
        pipe.close()
