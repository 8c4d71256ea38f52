"""Watches a connection: the workers that fit, those that do not, and whether anybody is there at all."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from specrec.cluster import ClusterError
from specrec.cluster.connecting import WAIT, Connection, how_to_start
from specrec.cluster.workers import WorkerFacts, identities, look_at

LOOK_SECONDS = 1.0
"""Between questions to the scheduler."""
LOST_SECONDS = 5.0
"""Without a connection to the scheduler, after which it counts as gone."""
QUIET_SECONDS = 5.0
"""Without a worker before that is told."""
GO_ON = "what is finished is kept: start it again to go on"


class Watch:
    """Asks the scheduler for its workers, in a thread of its own, and looks at each new one.

    Parameters
    ----------
    connection
        An open one.
    note
        Called with sentences for the user.
    changed
        Called after workers have come or gone.
    """

    def __init__(self, connection: Connection, note: Callable[[str], None], changed: Callable[[], None]) -> None:
        self._connection, self._note, self._changed = connection, note, changed
        self.fitting: dict[str, WorkerFacts] = {}
        self.unfit: dict[str, str] = {}
        self.had_gpus = False
        self._alone_since = self._lost_since = None  # type: float | None
        self._told = False
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, name="specrec-cluster-watch", daemon=True)
        self._thread.start()

    @property
    def slots(self) -> int:
        """Jobs that the workers do at a time."""
        return sum(worker.slots for worker in list(self.fitting.values()))

    @property
    def gpus(self) -> int:
        """Jobs that they do on a GPU at a time."""
        return sum(worker.gpus for worker in list(self.fitting.values()))

    def stop(self) -> None:
        """Ask no more."""
        self._end.set()

    def refuse(self, address: str, reason: str) -> None:
        """Give a worker no further job."""
        if address not in self.unfit:
            self.unfit[address] = reason
            self._note(f"worker {address} is not used: {reason}")
        self.fitting = {known: worker for known, worker in self.fitting.items() if known != address}

    def check(self) -> None:
        """Raise ClusterError where the scheduler is gone, or no worker has been there for too long."""
        now = time.monotonic()
        name, patience = self._connection.name, self._connection.patience
        self._lost_since = None if self._connection.client.status == "running" else self._lost_since or now
        if self._lost_since is not None and now - self._lost_since > LOST_SECONDS:
            raise ClusterError(f"the Dask scheduler at {name} is gone; {GO_ON}")
        if self.fitting:
            self._alone_since, self._told = None, False
            return
        self._alone_since = self._alone_since or now
        waited = now - self._alone_since
        reasons = "; ".join(f"{address}: {reason}" for address, reason in self.unfit.items())
        if waited > patience or (self.unfit and waited > QUIET_SECONDS):
            why = f"no worker at {name} fits: {reasons}" if reasons else f"no worker at {name} for {patience:g} s"
            raise ClusterError(f"{why}; {GO_ON}")
        if waited > QUIET_SECONDS and not self._told:
            self._told = True
            self._note(f"no worker is left at {name}; waiting up to {patience:g} s ({WAIT}); {how_to_start()}")

    def _look(self) -> None:
        while not self._end.is_set():
            if self._connection.client.status == "running":
                with suppress(Exception):  # the scheduler may be gone at any moment; `check` finds out
                    self._take(identities(self._connection.client))
            self._end.wait(LOOK_SECONDS)

    def _take(self, there: dict[str, Any]) -> None:
        before = self.fitting
        new = {address: one for address, one in there.items() if address not in before and address not in self.unfit}
        found = {address: worker for address, worker in before.items() if address in there}
        for worker in look_at(self._connection.client, new) if new else []:
            if worker.trouble:
                self.refuse(worker.address, worker.trouble)
            else:
                found[worker.address] = worker
        for address in [known for known in self.unfit if known not in there]:
            del self.unfit[address]
        self.fitting = {address: worker for address, worker in found.items() if address not in self.unfit}
        self.had_gpus = self.had_gpus or self.gpus > 0
        if set(self.fitting) != set(before) or not before:
            self._changed()
