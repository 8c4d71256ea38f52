"""Progress on standard error: one line that is rewritten on a terminal, a line now and then elsewhere."""

import logging
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from specrec.bench.watching import Watcher
from specrec.cells.cell import cell_name
from specrec.errors import printable

REDRAWN = 0.2  # seconds between changes of the line on a terminal
TOLD = 20.0  # seconds between lines where there is no terminal


class Line:
    """A status line; quiet on demand."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._last = time.monotonic() if not self._terminal else 0.0
        self._width = 0
        self._lock = threading.Lock()
        _listen(self)

    def status(self, text: str) -> None:
        """Show what is under way, unless something was shown just before."""
        with self._lock:
            now = time.monotonic()
            if self._quiet or now - self._last < (REDRAWN if self._terminal else TOLD):
                return
            self._last = now
            if self._terminal:
                columns = _columns()
                text = printable(text)
                text = text if len(text) < columns else text[: columns - 2] + "…"
                sys.stderr.write("\r" + text.ljust(self._width))
                self._width = len(text)
            else:
                sys.stderr.write(printable(text) + "\n")
            sys.stderr.flush()

    def say(self, text: str, *, always: bool = False) -> None:
        """Write a line that stays, in letters that can be shown; `always`: also where it is quiet."""
        with self._lock:
            if self._quiet and not always:
                return
            self._clear()
            sys.stderr.write(printable(text) + "\n")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take away what is shown, before standard output gets a line on the same terminal."""
        with self._lock:
            self._clear()
            sys.stderr.flush()

    def _clear(self) -> None:
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            self._width = 0

    def progress(self, title: str) -> "Any":
        """A progress callback for one piece of work, with the time that remains."""
        remaining = Remaining()

        def show(done: float, words: str) -> None:
            self.status(f"{title} {done:4.0%} {words}{remaining(done)}")

        return show


class _Notes(logging.Handler):
    """Says on a line what specrec logs, such as how much room something will take."""

    def __init__(self, line: Line) -> None:
        super().__init__(logging.INFO)
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        self._line.say(record.getMessage(), always=record.levelno >= logging.WARNING)


def _listen(line: Line) -> None:
    logger = logging.getLogger("specrec")
    logger.setLevel(logging.INFO)
    logger.handlers = [_Notes(line)]  # a process has one line


class BenchProgress(Watcher):
    """What a bench shows: the cells under way, and a line for each that is finished."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._started = time.monotonic()
        self._under_way: dict[str, str] = {}
        self._remaining: dict[str, Remaining] = {}
        self._total = 0
        self._finished = 0

    def phase(self, words: str, done: float) -> None:
        """Show the common work before the cells."""
        self._line.status(f"{words} {done:4.0%}")

    def note(self, words: str) -> None:
        """Say it."""
        self._line.say(words)

    def planned(self, total: int, missing: int) -> None:
        """Say how much there is to do."""
        self._total = missing
        self._started = time.monotonic()
        there = f", {total - missing} are there already" if missing < total else ""
        self._line.say(f"{missing} of {total} cells to compute{there}" if missing else f"all {total} cells are there")

    def cell(self, label: str, done: float, words: str) -> None:
        """Show one cell beside the others."""
        remaining = self._remaining.setdefault(label, Remaining())
        self._under_way[label] = f"{label} {done:.0%} {words}{remaining(done)}"
        shown = " | ".join(sorted(self._under_way.values()))
        self._line.status(f"[{self._finished}/{self._total}] {shown}")

    def finished(self, record: Mapping[str, Any]) -> None:
        """Say how a cell ended."""
        name = cell_name(record["written"], record["fold"], record["run"])
        self._under_way.pop(name, None)
        self._finished += 1
        if record["status"] == "failed":
            ending = f"failed: {record['reason']}"
        else:
            ending = f"fit {record['fit_seconds']:.0f} s, reconstruct {record['reconstruct_seconds']:.1f} s"
            for metric, reason in record["broken_metrics"].items():
                ending += f", without {metric} ({reason})"
        elapsed = time.monotonic() - self._started
        self._line.say(f"[{self._finished}/{self._total}] {name}: {ending} ({elapsed:.0f} s since the start)")


class Remaining:
    """Says how long a piece of work will go on, judged from the first progress that was told of.

    What comes before, such as reading data, tells nothing; nor does what an earlier start had done.
    """

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None  # when, and the fraction done then

    def __call__(self, done: float) -> str:
        """Say it, given the fraction done; nothing as long as it cannot be judged."""
        now = time.monotonic()
        if self._first is None or self._first[1] <= 0.0:
            self._first = (now, done)
        elapsed, gained = now - self._first[0], done - self._first[1]
        if gained < 0.01 or elapsed < 2:
            return ""
        seconds = elapsed * (1.0 - done) / gained
        return f", {seconds / 60:.0f} min remain" if seconds > 120 else f", {seconds:.0f} s remain"


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns
