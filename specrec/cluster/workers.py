"""The workers of a cluster: who is there, what each has, and whether it runs the same specrec."""

import os
import socket
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from specrec.errors import in_a_line
from specrec.threads import available_cores


@dataclass(frozen=True)
class WorkerFacts:
    """What is known of one worker.

    Parameters
    ----------
    address
        Such as ``tcp://10.0.0.2:41234``.
    slots
        Jobs at a time, its ``--nthreads``.
    gpus
        What its ``--resources GPU=..`` says.
    host, cores
        The machine, and the cores of it that the worker may use.
    trouble
        Why it cannot be used; empty: it can.
    """

    address: str
    slots: int
    gpus: int
    host: str = ""
    cores: frozenset[int] = frozenset()
    trouble: str = ""


def describe() -> dict[str, Any]:
    """Say of the worker that runs this what the client has to know."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(available_cores()))
    return {"specrec": version("specrec"), "host": socket.gethostname(), "cores": cores}


def identities(client: Any) -> dict[str, Any]:
    """Ask the scheduler for its workers, by address."""
    try:
        found = client.scheduler_info(n_workers=-1)  # some versions list five where they are not asked for all
    except TypeError:
        found = client.scheduler_info()
    return dict(found["workers"])


def look_at(client: Any, seen: Mapping[str, Any]) -> list[WorkerFacts]:
    """Ask workers what they are; one that is gone meanwhile is left out.

    Parameters
    ----------
    client
        Of Dask.
    seen
        What the scheduler says of each, by address.
    """
    answers = client.run(describe, workers=list(seen), on_error="return")
    mine = version("specrec")
    found = []
    for address, answer in answers.items():
        slots, gpus = int(seen[address]["nthreads"]), int(seen[address].get("resources", {}).get("GPU", 0))
        if isinstance(answer, OSError):
            continue
        if isinstance(answer, Exception):
            trouble = f"it cannot run this specrec ({in_a_line(answer)}); install specrec {mine} there"
            found.append(WorkerFacts(address, slots, gpus, trouble=trouble))
        elif answer["specrec"] != mine:
            trouble = f"it has specrec {answer['specrec']}, and this is {mine}; install the same there"
            found.append(WorkerFacts(address, slots, gpus, answer["host"], trouble=trouble))
        else:
            found.append(WorkerFacts(address, slots, gpus, answer["host"], frozenset(answer["cores"])))
    return found


def crowded(workers: Iterable[WorkerFacts], threads: int) -> dict[str, str]:
    """Say of each host whose workers compute with more threads than it has cores how to start them otherwise.

    Examples
    --------
    >>> one = WorkerFacts("tcp://a:1", 4, 0, "node1", frozenset({0, 1}))
    >>> print(crowded([one], 1)["node1"])
    the workers on node1 run 4 jobs at a time, of 1 thread each, on 2 cores; start them with fewer slots \
(dask worker --nthreads 1 --nworkers 2)
    """
    slots: dict[str, int] = defaultdict(int)
    cores: dict[str, set[int]] = defaultdict(set)
    for worker in workers:
        if not worker.trouble:
            slots[worker.host] += worker.slots
            cores[worker.host] |= worker.cores
    return {
        host: f"the workers on {host} run {count} job{'s' * (count > 1)} at a time, of {threads}"
        f" thread{'s' * (threads > 1)} each, on {len(cores[host])} core{'s' * (len(cores[host]) > 1)}; start them with"
        f" fewer slots (dask worker --nthreads 1 --nworkers {max(1, len(cores[host]) // threads)})"
        for host, count in slots.items()
        if count * threads > max(len(cores[host]), threads)
    }
