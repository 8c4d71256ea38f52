"""Functions called with plain values in processes of their own, so many at a time."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

from specrec.child_process import ChildProcess


class ProcessPool(Executor):
    """Calls functions of specrec, each in a `specrec.child_process.ChildProcess`.

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
        self._running: set[ChildProcess] = set()
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
                    process.stop()
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def _run(self, function: str, values: Mapping[str, Any]) -> Any:
        label = values["label"]

        def hear(message: Mapping[str, Any]) -> None:
            if "note" in message:
                self._note(label, message["note"])
            else:
                self._progress(label, message["done"], message["words"])

        process = ChildProcess("specrec.process_worker", hear)
        try:
            with self._lock:
                if self._stopped:
                    raise RuntimeError("stopped")
                self._running.add(process)
            variables = None if self._environment is None else self._environment()
            return process.run({"function": function, "values": values}, variables)
        finally:
            with self._lock:
                self._running.discard(process)
