"""What `specrec train` says of several methods: those under way, and a line for each that is finished or failed."""

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from specrec.cli.progress import Line, Remaining
from specrec.errors import in_a_line
from specrec.reconstruction.many_trainings import TrainingWatcher


class TrainProgress(TrainingWatcher):
    """Says it on a line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._under_way: dict[str, str] = {}
        self._remaining: dict[str, Remaining] = {}
        self._missing = self._ended = 0

    def phase(self, words: str, done: float) -> None:
        """Show the look at the data."""
        self._line.status(f"checking scenes: {words} {done:4.0%}")

    def planned(self, total: int, missing: int) -> None:
        """Say how many are left out."""
        self._missing = missing
        if missing < total:
            there = total - missing
            words = "its weights exist" if there == 1 else "their weights exist"
            self._line.say(f"{there} of {total} methods left out: {words}")

    def progress(self, method: str, done: float, words: str) -> None:
        """Show one training beside the others."""
        with self._lock:
            remaining = self._remaining.setdefault(method, Remaining())
            self._under_way[method] = f"{method} {done:.0%} {words}{remaining(done)}"
            shown = " | ".join(sorted(self._under_way.values()))
            self._line.status(f"[{self._ended}/{self._missing}] {shown}")

    def note(self, method: str, words: str) -> None:
        """Say it."""
        self._line.say(f"{method}: {words}" if method else words)

    def finished(self, method: str, target: Path, card: Mapping[str, Any]) -> None:
        """Say what was written."""
        scenes = len(card["training_scenes"])
        self._end(method, f"{target}, {card['parameter_count']} parameters, {scenes} scenes")

    def failed(self, method: str, error: Exception) -> None:
        """Say which failed and why, also where it is quiet."""
        self._end(method, f"failed: {in_a_line(error)}", always=True)

    def _end(self, method: str, words: str, *, always: bool = False) -> None:
        with self._lock:
            self._under_way.pop(method, None)
            self._ended += 1
            seconds = time.monotonic() - self._started
            counted = f"[{self._ended}/{self._missing}]"
        self._line.say(f"{counted} {method}: {words} ({seconds:.0f} s since the start)", always=always)
