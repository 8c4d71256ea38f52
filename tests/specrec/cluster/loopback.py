"""A real Dask cluster on this machine's loopback: a scheduler, and workers that tests may kill."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[3]
SCHEDULER = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
WORKER = ["distributed.cli.dask_worker", "--host", "127.0.0.1", "--no-dashboard", "--nthreads", "1"]

BEGIN = """
import os, runpy, sys, threading
threading.Thread(target=lambda: (os.read(0, 1), os.killpg(0, 9)), daemon=True).start()
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
"""
"""A module that is run, and ends with the tests, whatever ends them."""


class Loopback:
    """A scheduler and its workers, each in a process of its own.

    Parameters
    ----------
    folder
        For their files.
    path
        Folders that come first on the path of the workers.
    variables
        Of the workers' environment.
    """

    def __init__(self, folder: Path, path: tuple[Path, ...] = (), **variables: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "scheduler.json"
        self._environment = {**os.environ, "SPECREC_CACHE": str(folder / "cache"), **variables}
        self._path = path
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start(*SCHEDULER, "--scheduler-file", str(self.file))
        until(lambda: self.file.exists() and self.file.read_bytes().rstrip().endswith(b"}"))  # it is written in steps

    @property
    def address(self) -> str:
        return str(json.loads(self.file.read_text())["address"])

    def worker(self, *words: str, path: tuple[Path, ...] = (), nanny: bool = False, **variables: str):
        """Start one more worker."""
        where = str(self.folder / f"scratch{len(self.processes)}")
        more = ["--nanny" if nanny else "--no-nanny", "--local-directory", where, *words]
        return self._start(*WORKER, *more, "--scheduler-file", str(self.file), path=path, **variables)

    def _start(self, *words: str, path: tuple[Path, ...] = (), **variables: str) -> "subprocess.Popen[bytes]":
        folders = [*path, *self._path, ROOT, ROOT / "plugins"]
        environment = {**self._environment, "PYTHONPATH": os.pathsep.join(map(str, folders)), **variables}
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", BEGIN, *words],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            assert process.stdin is not None
            process.stdin.close()


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something that is bound to happen."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it has not happened"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(pid: int, command: str) -> list[int]:
    """List the processes that one has started and whose command line has a word in it."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):  # of any of its threads
        with suppress(OSError):
            for child in map(int, path.read_text().split()):
                if command.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(child)
    return found
