"""One cell in one process, on this machine or on a worker's.

Where a metric of a third party kills the process, the cell is run once more without that metric.
"""

from collections.abc import Callable, Mapping
from typing import Any

from specrec.cells.cell import cell_name
from specrec.child_process import ChildProcess, DiedError
from specrec.errors import CannotGoOnError, ChangedDataError, SpecrecError
from specrec.registry.trial import environment


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
        self._process = ChildProcess("specrec.cells.worker", self._hear)
        self._metric = ""

    @property
    def pid(self) -> int | None:
        """Of the process; None where none runs."""
        return self._process.pid

    def stop(self) -> None:
        """End the process, if it runs, and start none."""
        self._process.stop()

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
            self._metric = ""
            sent = {"cell": self._values, "without": without, **self._needs}
            variables = environment() if self._variables is None else self._variables
            try:
                answer = self._process.run(sent, variables)
            except DiedError as death:
                if not self._metric or self._metric in without or self._process.is_stopped:
                    raise
                kills = f"kills the process ({death.how})"
                without[self._metric] = f"it {kills}"
                self._note(f"{self._name}: the metric {self._metric} {kills}; it is run again without it")
                continue
            if "stop" in answer:
                kind = ChangedDataError if answer["changed"] else CannotGoOnError
                raise kind(answer["stop"], answer["place"])
            if "unfit" in answer:
                raise UnfitError(answer["unfit"])
            record: dict[str, Any] = answer["record"]
            return record

    def _hear(self, message: Mapping[str, Any]) -> None:
        if "note" in message:
            self._note(f"{self._name}: {message['note']}")
        elif "metric" in message:
            self._metric = message["metric"]
        else:
            self._progress(message["done"], message["words"])
