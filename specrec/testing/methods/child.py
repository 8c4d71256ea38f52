"""The process that a method is tried in: ``python -m specrec.testing.methods.child FOLDER``.

It reads ``request.json``, ``image.npy`` and, where the method could be saved, ``weights.safetensors``; it writes cubes
and ``report.json``.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from specrec.interfaces import FitContext, Reconstructor
from specrec.testing.checks import RAISED
from specrec.testing.small_scenes import first_scenes, noise
from specrec.weights import load_as

_SMALL, _LARGE = 384, 672  # sides in pixels: multiples of 48, beyond the blocks that methods work in (2^17 pixels here)
_PILOT = 96
_PATIENCE = 60.0  # seconds per megapixel: slower methods are measured on images half as wide
_REPEATS = 6  # at most
_KEPT = 0.6  # of a cube: a step that adds less to the peak is one of an allocator


def main(folder: Path) -> None:
    """Do everything, and write down what failed."""
    request = json.loads((folder / "request.json").read_text("utf-8"))
    image = np.load(folder / "image.npy")
    report: dict[str, Any] = {"errors": {}}
    method_class = _class(request)
    weights = folder / "weights.safetensors"
    method: Reconstructor | None = None
    if weights.exists():
        with _noting(report, "load"):
            method = load_as(method_class, weights)
            np.save(folder / "loaded.npy", method.reconstruct(image.copy()))
    fitted = None
    if method is None:
        fitted = _fit(method_class, request, image, report, folder)
    if method is not None or fitted is not None:
        with _noting(report, "memory"):
            report.update(_memory(method or fitted))
    if fitted is None:
        _fit(method_class, request, image, report, folder)
    (folder / "report.json").write_text(json.dumps(report), "utf-8")


def _class(request: dict[str, Any]) -> type[Reconstructor]:
    """Find the class where its module keeps it, or under the name that a plugin offers it by."""
    found: Any = import_module(request["module"])
    try:
        for part in request["class"].split("."):
            found = getattr(found, part)
    except AttributeError:
        from specrec.registry import registry

        offer = registry().reconstructors.get(request["name"])
        if offer is None or offer.value.__qualname__ != request["class"]:
            raise SystemExit(
                f"{request['class']} of {request['module']} cannot be imported: define the class at the top of a module"
            ) from None
        found = offer.value
    return found  # type: ignore[no-any-return] # the name and class were those of one


def _fit(
    method_class: type[Reconstructor], request: dict[str, Any], image: Any, report: dict[str, Any], folder: Path
) -> Reconstructor | None:
    with _noting(report, "fit"):
        method = method_class(**request["settings"])
        scenes, before, started = first_scenes(method.input), _peak(reset=True), time.perf_counter()
        method.fit(scenes, FitContext(seed=request["seed"]))
        report["fit_seconds"], after = time.perf_counter() - started, _peak()
        report["fit_bytes"] = after - before if after is not None and before is not None else None
        np.save(folder / "fitted.npy", method.reconstruct(image))
        return method
    return None


def _memory(method: Any) -> dict[str, Any]:
    """Measure the peak after two small images, after more of them, and after a large one."""
    tile = noise(48, 64, method.input)  # few colours, so that methods that look colours up are quick
    method.reconstruct(_tiled(tile, _PILOT))
    started = time.perf_counter()
    method.reconstruct(_tiled(tile, _PILOT))
    slow = (time.perf_counter() - started) / (_PILOT**2 / 1e6) > _PATIENCE
    small, large = (_SMALL // 2, _LARGE // 2) if slow else (_SMALL, _LARGE)
    _reconstructed(method, tile, small, reset=True)  # the second one may still spread what allocators hold
    peaks = [_reconstructed(method, tile, small)]
    steps: list[float] = []  # what each further image adds, in cubes; what an allocator spreads adds to some alone
    cube = method.reconstruct(_tiled(tile, small)).nbytes
    while len(steps) < _REPEATS and (len(steps) < 2 or max(steps[-2:]) >= _KEPT):
        before = _peak() or 0
        peaks[1:] = [_reconstructed(method, tile, small)]
        steps.append(((_peak() or 0) - before) / cube)
    started = time.perf_counter()
    peaks.append(_reconstructed(method, tile, large))
    seconds = time.perf_counter() - started
    return {
        "pixels": [small**2, large**2],
        "peaks": peaks,
        "kept": min(steps[-4:]),
        "seconds_per_megapixel": seconds / (large**2 / 1e6),
    }


def _reconstructed(method: Reconstructor, tile: Any, side: int, *, reset: bool = False) -> int | None:
    if reset:
        _peak(reset=True)
    method.reconstruct(_tiled(tile, side))
    return _peak()


def _tiled(tile: Any, side: int) -> Any:
    return np.tile(tile, (side // 48, side // 48, 1))[:, :side].copy()


def _peak(*, reset: bool = False) -> int | None:
    """Bytes of memory that this process has had at most (since the last reset, where the system knows that)."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5", "ascii")
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
        if found:
            return int(found[1]) << 10
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


@contextmanager
def _noting(report: dict[str, Any], part: str) -> Iterator[None]:
    try:
        yield
    except RAISED as error:  # a plugin may raise anything
        report["errors"][part] = f"{type(error).__name__}: {error}".strip().partition("\n")[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
