"""Workers of this machine: each is a process ``python -m specrec.cluster.own`` that keeps one Dask worker alive.

They end with the process that has started them, whatever ends it, and Ctrl-C reaches that process alone. A script that
uses them needs no main guard.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

from specrec.cluster import ClusterError
from specrec.processes import end_group, end_with_parent, ending, last_line

HOST = "127.0.0.1"
"""Nobody on another machine reaches them."""


class OwnWorkers:
    """The processes of the workers, and what they have said on standard error."""

    def __init__(self) -> None:
        self._processes: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []

    def start(self, settings: dict[str, Any]) -> None:
        """Start one more."""
        errors = TemporaryFile()  # noqa: SIM115 - kept as long as the process
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "specrec.cluster.own", json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        self._processes.append((process, errors))

    def check(self) -> None:
        """Raise ClusterError if one has ended by itself."""
        for process, errors in self._processes:
            code = process.poll()
            if code is not None:
                said = last_line(errors)
                raise ClusterError(f"a worker of this machine ended with {ending(code)}{f': {said}' if said else ''}")

    def end(self) -> None:
        """End all of them, and what they have started."""
        for process, errors in self._processes:
            end_group(process)
            with suppress(BrokenPipeError):
                assert process.stdin is not None
                process.stdin.close()
            errors.close()


@contextmanager
def own_cluster(count: int, devices: Sequence[str] = ()) -> Iterator[tuple[str, OwnWorkers]]:
    """Run a scheduler in this process and workers beside it, and give its address.

    Parameters
    ----------
    count
        Number of workers.
    devices
        CUDA devices, which the workers take in turn, as ``CUDA_VISIBLE_DEVICES`` names them.
    """
    import logging

    from distributed import LocalCluster

    make: Any = LocalCluster  # it says no types
    workers = OwnWorkers()
    with (
        TemporaryDirectory(prefix="specrec-dask-", ignore_cleanup_errors=True) as scratch,
        make(
            n_workers=0,
            host=HOST,
            dashboard_address=f"{HOST}:0",
            scheduler_kwargs={"dashboard": False},
            silence_logs=logging.CRITICAL,
            processes=True,
        ) as cluster,
    ):
        address = cluster.scheduler_address
        try:
            for index in range(count):
                device = devices[index % len(devices)] if devices else None
                workers.start({"address": address, "name": f"local-{index}", "scratch": scratch, "device": device})
            yield address, workers
        finally:
            workers.end()


async def keep(address: str, name: str, scratch: str, device: str | None) -> None:
    """Keep one worker alive until the scheduler is gone."""
    from distributed import Nanny

    async with Nanny(
        address,
        nthreads=1,
        name=name,
        host=HOST,
        dashboard=False,
        memory_limit=0,  # what a job needs, it needs in a process of its own
        local_directory=scratch,
        resources={"GPU": 1} if device is not None else None,
        env={"CUDA_VISIBLE_DEVICES": device} if device is not None else None,
    ) as nanny:
        await nanny.finished()


def main() -> None:
    """Be one worker, until the process that has started it is gone."""
    import asyncio

    os.dup2(2, 1)
    threading.Thread(target=end_with_parent, daemon=True).start()
    asyncio.run(keep(**json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
