"""What a method promises of a process of its own, as every cell of a bench has: it works there, in bounded memory.

One process is started for each subject; `specrec.testing.methods.child` says what it does.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from specrec.testing.checks import NotApplicable, NotConforming
from specrec.testing.methods.declared import EXTENT
from specrec.testing.methods.fitting import SAME_SEED
from specrec.testing.methods.stored import ROUNDING, SAVES, write
from specrec.testing.methods.subject import SEED, Subject, difference
from specrec.testing.promise import broken, promise
from specrec.weights import load_as

LONGEST = 600.0
"""Seconds that the process may take."""
_ELSEWHERE = 1e-4  # between fits in two processes, whose libraries may add up in another order
_KEPT = 0.6  # of a cube's bytes: what every further image adds to the peak if it is kept
_SLACK, _SMALL = 1.25, 64  # times bytes_per_pixel, and bytes a pixel that allocators scatter


class _Report(NamedTuple):
    """What the process found; arrays are missing where an error says why."""

    found: dict[str, Any]
    loaded: np.ndarray | None
    again: np.ndarray | None
    fitted: np.ndarray | None


@promise("it works in a process of its own", SAME_SEED)
def WORKS_ALONE(subject: Subject) -> None:  # noqa: N802 - the decorator makes a constant of it
    """Started anew, not forked: imported, fitted, and the same cube as here."""
    report = _report(subject)
    if report.fitted is None:
        raise broken(
            f"in a new process fit and reconstruct failed ({report.found['errors']['fit']})",
            "let the method depend on nothing that importing its module does not set up",
        )
    apart = difference(report.fitted, subject.cube)
    if apart > _ELSEWHERE:
        raise broken(
            f"fitted in a new process with the same seed, its cube is {apart:.2g} away",
            "let no number depend on the process: hash(), id(), the order of a set, the time, the process id",
        )


@promise("a saved file gives the same cube in another process", SAVES, WORKS_ALONE)
def _loads_elsewhere(subject: Subject) -> None:
    report = _report(subject)
    if report.loaded is None or report.again is None:
        raise broken(
            f"in a new process the file could not be used ({report.found['errors'].get('load', 'it was not saved')})",
            "let from_state build everything from its arguments: no fit has happened in that process",
        )
    apart = difference(report.loaded, report.again)
    if apart > ROUNDING:
        raise broken(
            f"loaded in a new process, the method gives a cube {apart:.2g} away",
            "keep nothing in the class or the module: state() must give all that was learnt",
        )


@promise("memory grows no faster than bytes_per_pixel says", EXTENT, WORKS_ALONE)
def _memory(subject: Subject) -> str:
    found = _measured(subject)
    declared = subject.fitted.method.bytes_per_pixel
    taken = (found["peaks"][2] - found["peaks"][1]) / (found["pixels"][1] - found["pixels"][0])
    if taken > _SLACK * declared + _SMALL:
        raise broken(
            f"reconstruct takes {taken:.0f} bytes for each further pixel, and bytes_per_pixel is {declared}",
            f"declare {10 * round(taken / 10 + 0.5)}, or work through the image in blocks",
        )
    return f"{taken:.0f} bytes a pixel, {declared} declared"


@promise("nothing is kept of images that are done", EXTENT, WORKS_ALONE)
def _keeps_nothing(subject: Subject) -> None:
    found = _measured(subject)
    if found["kept"] >= _KEPT:
        raise broken(
            f"each further image leaves {found['kept']:.1f} times the bytes of its cube behind",
            "keep neither images nor cubes in the method, not in a cache either",
        )


@promise("time and memory", WORKS_ALONE)
def _time(subject: Subject) -> str:
    found = _report(subject).found
    if "fit_seconds" not in found:
        raise NotApplicable("it did not work in a process of its own")
    memory = f", {found['fit_bytes'] / 1e6:.0f} MB" if found.get("fit_bytes") else ""
    each = f"; reconstruct {found['seconds_per_megapixel']:.2g} s per megapixel" if "pixels" in found else ""
    return f"fit {found['fit_seconds']:.2g} s{memory}{each}"


def _measured(subject: Subject) -> dict[str, Any]:
    found = _report(subject).found
    if "peaks" not in found:
        raise NotApplicable(found["errors"].get("memory", "nothing could be measured"))
    if None in found["peaks"]:
        raise NotApplicable("this system does not tell the peak memory of a process")
    return found


def _report(subject: Subject) -> _Report:
    if subject.report is None:
        try:
            subject.report = _started(subject)
        except NotConforming as error:
            subject.report = error
    if isinstance(subject.report, NotConforming):
        raise subject.report
    report: _Report = subject.report
    return report


def _started(subject: Subject) -> _Report:
    with TemporaryDirectory() as name:
        folder = Path(name)
        again = None
        if isinstance(SAVES.outcome(subject), str):
            write(subject, folder / "weights.safetensors")
            again = subject.cube_of(subject.image, load_as(subject.method, folder / "weights.safetensors"))
        np.save(folder / "image.npy", subject.image)
        request = {
            "name": subject.method.name,
            "module": subject.method.__module__,
            "class": subject.method.__qualname__,
            "settings": subject.settings,
            "seed": SEED,
        }
        (folder / "request.json").write_text(json.dumps(request), "utf-8")
        _run(folder)
        arrays = {part: _load(folder / f"{part}.npy") for part in ("loaded", "fitted")}
        found = json.loads((folder / "report.json").read_text("utf-8"))
    return _Report(found, arrays["loaded"], again, arrays["fitted"])


def _run(folder: Path) -> None:
    paths = [str(Path(path or ".").resolve()) for path in sys.path]
    command = [sys.executable, "-m", "specrec.testing.methods.child", str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise broken(
            f"its process was not done after {LONGEST / 60:.0f} minutes", "let `trials` ask for less"
        ) from None
    if done.returncode < 0:
        raise broken(
            f"its process died of {signal.Signals(-done.returncode).name}",
            "look for a compiled library that crashes, or for memory that runs out",
        )
    if done.returncode or not (folder / "report.json").exists():
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"])[-1]
        raise broken(f"its process ended with exit code {done.returncode} ({last})", "let no plugin end the process")


def _load(path: Path) -> np.ndarray | None:
    return np.load(path) if path.exists() else None


PROMISES = (WORKS_ALONE, _loads_elsewhere, _memory, _keeps_nothing, _time)
