"""A connection to a Dask cluster, its own or one that is there, with an end to every wait."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from specrec.cluster import ClusterError
from specrec.cluster.address import Address, parse_address
from specrec.cluster.own import OwnWorkers, own_cluster
from specrec.cluster.workers import WorkerFacts, identities, look_at
from specrec.errors import UsageError

CONNECT_SECONDS = 10
"""For a scheduler to answer."""
WAIT_SECONDS = 600.0
"""For workers to appear, where there are none; the environment variable `WAIT` says otherwise."""
WAIT = "SPECREC_DASK_WAIT"


@dataclass(frozen=True)
class Connection:
    """A cluster that answers.

    Parameters
    ----------
    client
        `distributed.Client`.
    name
        The address, for messages.
    patience
        Seconds without any worker after which the work is given up.
    """

    client: Any
    name: str
    patience: float


@contextmanager
def connected(
    text: str, note: Callable[[str], None] = lambda _words: None, devices: Sequence[str] = ()
) -> Iterator[Connection]:
    """Connect to the cluster that ``--dask`` names; workers of this machine live as long as the block.

    Parameters
    ----------
    text
        As in `specrec.cluster.address.parse_address`.
    note
        Called with sentences for the user.
    devices
        CUDA devices for workers of this machine, one each.

    Raises
    ------
    UsageError
        If the text names no cluster, or Dask is not installed.
    ClusterError
        If nobody answers, no worker appears, or one runs another specrec; the message names address or worker.
    """
    address = parse_address(text)
    patience = patience_asked_for()
    try:
        import dask
        import distributed  # noqa: F401 - both or neither
    except ImportError:
        raise UsageError(f"--dask {text} needs Dask, which is not installed: pip install 'specrec[dask]'") from None
    logger = logging.getLogger("distributed")
    level = logger.level
    with ExitStack() as stack:
        stack.callback(logger.setLevel, level)
        logger.setLevel(logging.CRITICAL)  # what matters is said here, in one sentence
        stack.enter_context(dask.config.set({"distributed.comm.timeouts.connect": f"{CONNECT_SECONDS}s"}))
        own: OwnWorkers | None = None
        scheduler = address.scheduler
        if address.own:
            scheduler, own = stack.enter_context(own_cluster(address.own, devices))
        client = stack.enter_context(_client(scheduler, address))
        connection = Connection(client, address.text, patience)
        _check_workers(connection, _first_workers(connection, address.own, own, note))
        yield connection


def patience_asked_for() -> float:
    """Read how long to wait for workers, in seconds."""
    text = os.environ.get(WAIT, "")
    try:
        seconds = float(text) if text else WAIT_SECONDS
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"{WAIT} must be a number of seconds, not {text!r}")
    return seconds


@contextmanager
def _client(scheduler: str, address: Address) -> Iterator[Any]:
    try:
        client = _answered(scheduler)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ClusterError(
            f"no Dask scheduler answers at {scheduler} (--dask {address.text}): {reason}; start one with dask scheduler"
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=2)


def _answered(scheduler: str) -> Any:
    """Make a client in a thread that can be left: Dask waits for ever for one that takes a connection and is silent."""
    from distributed import Client

    made: SimpleQueue[Any] = SimpleQueue()
    make: Any = Client  # it says no types

    def connect() -> None:
        try:
            made.put(make(scheduler, timeout=CONNECT_SECONDS, set_as_default=False, name="specrec"))
        except BaseException as error:  # it is raised where somebody waits
            made.put(error)

    threading.Thread(target=connect, name="specrec-connecting", daemon=True).start()
    try:
        found = made.get(timeout=CONNECT_SECONDS + 2)
    except Empty:
        raise TimeoutError("whoever is there takes the connection and says nothing") from None
    if isinstance(found, BaseException):
        raise found
    return found


def _first_workers(
    connection: Connection, own: int, processes: OwnWorkers | None, note: Callable[[str], None]
) -> list[WorkerFacts]:
    """Wait for one worker; for all of them where they are this machine's own."""
    begun = time.monotonic()
    told = False
    while True:
        if connection.client.status != "running":
            raise ClusterError(f"the Dask scheduler at {connection.name} is gone")
        if processes is not None:
            processes.check()
        there = identities(connection.client)
        if len(there) >= max(own, 1):
            found = look_at(connection.client, there)
            if found:
                return found
        waited = time.monotonic() - begun
        if waited > connection.patience:
            raise ClusterError(f"no worker at {connection.name} within {connection.patience:g} s; {how_to_start()}")
        if waited > 1 and not told and not own:
            told = True
            note(
                f"waiting for workers at {connection.name}, up to {connection.patience:g} s ({WAIT} says otherwise);"
                f" {how_to_start()}"
            )
        time.sleep(0.1)


def how_to_start() -> str:
    """Say how workers come into being."""
    return "start some with dask worker ADDRESS --nthreads 1"


def _check_workers(connection: Connection, found: Sequence[WorkerFacts]) -> None:
    for worker in found:
        if worker.trouble:
            raise ClusterError(f"worker {worker.address} at {connection.name} does not fit: {worker.trouble}")
