"""The missing cells of a bench, given to an executor and stored as they come."""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import suppress
from itertools import islice
from typing import Any

from specrec.bench.watching import Watcher
from specrec.cache import DISK_IS_FULL, disk_is_full
from specrec.cells import records
from specrec.cells.cell import Cell
from specrec.cells.compute import run_cell
from specrec.cluster import ClusterError
from specrec.errors import CannotGoOnError, in_a_line


def compute(executor: Executor, missing: Sequence[Cell], watch: Watcher, ahead: int) -> tuple[str, ...]:
    """Compute cells, and say of each that failed why.

    Parameters
    ----------
    executor
        Where; it is shut down at the end.
    missing
        The cells.
    watch
        Is told of each that is finished.
    ahead
        At most so many are given to the executor and not finished: some more than it computes at a time.

    Raises
    ------
    CannotGoOnError
        If a file cannot be written, or data changed: the cells that are stored stay, and no other is begun.
    ClusterError
        If the cluster is gone.
    """
    started = time.time()
    running: dict[Future[dict[str, Any]], Cell] = {}
    waiting = iter(missing)
    failed = []
    finished = False
    try:
        while True:
            for cell in islice(waiting, max(1, ahead) - len(running)):
                running[executor.submit(run_cell, cell.values())] = cell
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                cell = running.pop(future)
                record = _record_of(cell, future)
                if record["status"] == "failed":
                    failed.append(f"{cell.label}: {record['reason']}")
                watch.finished(record)
        finished = True
    finally:
        executor.shutdown(cancel_futures=not finished)
        for folder in {place for cell in missing for place in cell.folders}:
            for left in folder.glob(".*"):  # what a process that was stopped had begun to write
                with suppress(OSError):  # nothing can be removed where nothing can be written
                    left.unlink()
        for folder in {place for cell in missing for place in cell.shared_folders}:
            for left in folder.glob(".*"):  # a cell of a bench that has died may be ending just now
                with suppress(OSError):
                    if left.stat().st_mtime < started:
                        left.unlink()
        for folder in sorted({place for cell in missing for place in list(cell.checkpoint.parents)[:2]}, reverse=True):
            with suppress(OSError):  # it is not there, or a training that was stopped keeps its state in it
                folder.rmdir()
    return tuple(sorted(failed))


def _record_of(cell: Cell, future: Future[dict[str, Any]]) -> dict[str, Any]:
    """Take the record of a cell, or write that it failed; what stands in the way of all cells is raised."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, CannotGoOnError | ClusterError):  # not of this cell: no other can be computed either
        raise error
    if isinstance(error, OSError) and error.errno in DISK_IS_FULL:  # that of the temporary files, say
        raise disk_is_full(cell.label, error)
    return records.write_failure(cell, in_a_line(error))
