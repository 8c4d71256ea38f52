"""Where the cells of a bench compute: processes of this machine, this process, or the workers of a Dask cluster."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass

from specrec.bench.plan import Plan
from specrec.bench.watching import Watcher
from specrec.cells.executors.in_process import InProcess
from specrec.cells.executors.local import LocalProcesses
from specrec.cells.executors.slots import slots
from specrec.errors import UsageError
from specrec.threads import available_cores

NETWORKS_ONLY = re.compile(r"cuda(:\d+)?|mps")
"""Devices that nothing but a network uses."""
CLUSTER_AHEAD = 1024
"""Cells that a cluster has or that wait here for it, so that memory stays flat; it uses no more slots than that."""


@dataclass(frozen=True)
class Place:
    """Where cells compute.

    Parameters
    ----------
    readers
        Scenes that this machine reads at a time, for what the bench itself computes.
    ahead
        Cells that are given to the executor and not finished, at most: some more than it computes at a time.
    executor
        Makes the executor of the cells, once the results folder is there.
    """

    readers: int
    ahead: int
    executor: Callable[[], Executor]


def check_place(dask: str | None, jobs: int | None) -> None:
    """Refuse what cannot be meant, before any work.

    Raises
    ------
    UsageError
        If both are given, or `dask` names no cluster.
    """
    if dask is None:
        return
    from specrec.cluster.address import parse_address

    parse_address(dask)
    if jobs is not None:
        raise UsageError(
            f"--jobs {jobs} and --dask {dask} contradict each other: a cluster has as many cells at a time as its"
            " workers have slots; leave one of them out"
        )


def local_devices(plan: Plan, watch: Watcher, *, device: str, jobs: int | None) -> list[str]:
    """Choose one device of this machine for each cell that computes at a time; parameters as for the bench."""
    return slots(_needed(plan, device, watch)[0], jobs, plan.protocol.threads)


def _needed(plan: Plan, device: str, watch: Watcher) -> tuple[str, bool]:
    """Choose the CPU where nothing else is used, and say whether a method is a network."""
    networks = any("torch" in method.requires for _, method in plan.methods.values())
    if not networks and NETWORKS_ONLY.fullmatch(device):
        watch.note(f"--device {device} has no effect: none of these methods is a network, all compute on the CPU")
        device = "cpu"
    return (device if networks or device != "auto" else "cpu"), networks


@contextmanager
def place(plan: Plan, watch: Watcher, *, device: str, jobs: int | None, dask: str | None) -> Iterator[Place]:
    """Prepare the place of a plan's cells, and leave nothing running at the end; parameters as for the bench."""
    device, networks = _needed(plan, device, watch)
    if dask is None:
        devices = slots(device, jobs, plan.protocol.threads)
        if jobs == 0:
            yield Place(1, 1, lambda: InProcess(devices[0], watch.cell))
        else:
            yield Place(len(devices), 2 * len(devices), lambda: LocalProcesses(devices, watch.cell, watch.note))
        return
    from specrec.cells.executors.cluster import ClusterCells
    from specrec.cluster.connecting import connected
    from specrec.reconstruction.workers import check_device, own_devices

    check_device(device)
    with connected(dask, watch.note, own_devices(device, networks=networks)) as connection:
        yield Place(
            max(1, available_cores() // plan.protocol.threads),
            CLUSTER_AHEAD,
            lambda: ClusterCells(
                connection,
                plan.source,
                plan.folder,
                plan.protocol.threads,
                device,
                watch.cell,
                watch.note,
                other=plan.cross.source if plan.cross is not None else None,
            ),
        )
