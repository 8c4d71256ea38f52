"""Beginning a cell of each method for a few seconds, and judging by its progress how long the whole would take.

Each is begun in a process of its own with a temporary folder, as many at a time as the bench would compute, and is then
stopped. The cache folder is the bench's own: scenes that are prepared meanwhile are there when it starts.
"""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

from specrec.cells.cell import Cell
from specrec.cells.compute import run_cell
from specrec.cells.executors.local import LocalProcesses
from specrec.errors import in_a_line
from specrec.memory import peak_of
from specrec.robustness.conditions import condition

TRAINED = 0.9
"""The fraction of a cell at which its training ends, as `specrec.cells.compute` tells it."""
LEAST_GAIN = 1e-4
"""Of the fraction between two messages: below, nothing can be said."""
PATIENCE = 120.0
"""Seconds that a cell has for its start and for reading, before its first step."""
POLLED = 0.05  # seconds


@dataclass
class Trial:
    """What was seen of one cell.

    Parameters
    ----------
    cell
        As it would be computed.
    told
        Seconds since its start and the fraction done, message by message.
    seconds
        How long it ran.
    finished
        Whether that was to its end.
    failed
        Why, where it failed.
    peak_bytes
        Most memory of its process so far; None where the system cannot tell.
    """

    cell: Cell
    told: list[tuple[float, float]] = field(default_factory=list)
    seconds: float = 0.0
    finished: bool = False
    failed: str = ""
    peak_bytes: int | None = None

    @property
    def images(self) -> float:
        """How many images are tested, in units of a test image: conditions make those longer than the others."""
        plain = len(self.cell.scored_training) + len(self.cell.cross["scenes"] if self.cell.cross else ())
        photos = 1 + sum(condition(text).disturbs for text in self.cell.robustness)
        return len(self.cell.test) + plain / photos

    def until(self, seconds: float) -> float:
        """Say when to stop it: so many seconds after its first step, for which it is waited."""
        first = next((when for when, done in list(self.told) if done > 0.0), None)
        return seconds + (PATIENCE if first is None else first)

    def seconds_per_image(self) -> float | None:
        """How long testing an image took; None where it was not begun, or the first was not done."""
        tested = [(when, done) for when, done in self.told if done >= TRAINED]
        if not tested:
            return None
        start = tested[0][0]
        if self.finished:
            return (self.seconds - start) / self.images
        last, done = tested[-1]
        images = (done - TRAINED) / (1.0 - TRAINED) * len(self.cell.test)
        return (last - start) / images if images >= 0.5 else None

    def training(self) -> float | None:
        """How long reading and training take together, by the steps seen so far; None where there were too few.

        Reading tells no progress, so the pace is judged from the first step on.
        """
        for when, done in self.told:
            if done >= TRAINED:
                return when
        steps = [(when, done) for when, done in self.told if done > 0.0]
        if len(steps) < 2 or steps[-1][1] - steps[0][1] < LEAST_GAIN:
            return None
        (first, begun), (last, done) = steps[0], steps[-1]
        return last + (TRAINED - done) * (last - first) / (done - begun)


def warm_up(cells: Sequence[Cell], devices: Sequence[str], seconds: float) -> list[Trial]:
    """Begin each cell and stop it so many seconds after its first step, one on each of `devices` at a time.

    Ctrl-C ends them all.
    """
    stop = threading.Event()
    free: SimpleQueue[str] = SimpleQueue()
    for device in devices:
        free.put(device)

    def begin(cell: Cell) -> Trial:
        device = free.get()
        try:
            return _begin(cell, device, seconds, stop)
        finally:
            free.put(device)

    pool = ThreadPoolExecutor(len(devices))
    try:
        return list(pool.map(begin, cells))
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _begin(cell: Cell, device: str, seconds: float, stop: threading.Event) -> Trial:
    trial = Trial(cell)
    with TemporaryDirectory(prefix="specrec-") as folder:
        started = time.monotonic()

        def told(_label: str, done: float, _words: str) -> None:
            trial.told.append((time.monotonic() - started, done))

        executor = LocalProcesses([device], told)
        try:
            # what stands in the results folder, or is measured beside the scores once, is left out
            begun = replace(cell, folder=folder, save_cubes=False, ceiling=0, influence=0, cost=False)
            future = executor.submit(run_cell, asdict(begun))
            while not future.done() and not stop.is_set() and time.monotonic() - started < trial.until(seconds):
                for pid in executor.pids:
                    trial.peak_bytes = max(trial.peak_bytes or 0, peak_of(pid) or 0) or None
                stop.wait(POLLED)
            trial.seconds, trial.finished = time.monotonic() - started, future.done()
        finally:
            executor.shutdown(cancel_futures=True)
    if trial.finished:
        error = future.exception()
        record: dict[str, Any] = future.result() if error is None else {"status": "failed", "reason": in_a_line(error)}
        trial.failed = record["reason"] if record["status"] == "failed" else ""
        trial.peak_bytes = record.get("peak_memory_bytes") or trial.peak_bytes
    return trial
