"""Cells one after the other in this process: for debugging."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from specrec.cells.cell import cell_name
from specrec.cells.executors import CellProgress
from specrec.errors import STOPS, CannotGoOnError


class InProcess(Executor):
    """Runs each cell at once in this process: for debugging."""

    def __init__(self, device: str, progress: CellProgress) -> None:
        self._device = device
        self._progress = progress

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_kwargs: Any) -> Future[Any]:
        """Run ``fn(values)`` and return the finished future."""
        future: Future[Any] = Future()
        values = {**args[0], "device": self._device}
        name = cell_name(values["written"], values["fold"], values["run"])
        try:
            future.set_result(fn(values, lambda done, words: self._progress(name, done, words)))
        except (CannotGoOnError, *STOPS):
            raise
        except BaseException as error:  # a future carries whatever was raised
            future.set_exception(error)
        return future
