"""The missing cells of a bench, given to an executor and stored as they come."""

import time
from collections.abc import Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from specrec.bench.watching import Watcher
from specrec.cells import records
from specrec.cells.cell import Cell
from specrec.cells.compute import run_cell
from specrec.cluster import ClusterError
from specrec.errors import in_a_line


def compute(executor: Executor, missing: Sequence[Cell], watch: Watcher) -> tuple[str, ...]:
    """Compute cells, and say of each that failed why."""
    started = time.time()
    futures: dict[Future[dict[str, Any]], Cell] = {}
    failed = []
    finished = False
    try:
        for cell in missing:
            futures[executor.submit(run_cell, asdict(cell))] = cell
        for future in as_completed(futures):
            cell = futures[future]
            error = future.exception()
            if isinstance(error, ClusterError):  # not of this cell: nothing more can be computed
                raise error
            record = future.result() if error is None else records.write_failure(cell, in_a_line(error))
            if record["status"] == "failed":
                failed.append(f"{cell.label}: {record['reason']}")
            watch.finished(record)
        finished = True
    finally:
        executor.shutdown(cancel_futures=not finished)
        for folder in {place for cell in missing for place in cell.folders}:
            for left in folder.glob(".*"):  # what a process that was stopped had begun to write
                left.unlink(missing_ok=True)
        for folder in {place for cell in missing for place in cell.shared_folders}:
            for left in folder.glob(".*"):  # another bench of other methods may be writing the newer ones just now
                with suppress(FileNotFoundError):
                    if left.stat().st_mtime < started:
                        left.unlink()
        for folder in sorted({place for cell in missing for place in list(cell.checkpoint.parents)[:2]}, reverse=True):
            with suppress(OSError):  # it is not there, or a training that was stopped keeps its state in it
                folder.rmdir()
    return tuple(sorted(failed))
