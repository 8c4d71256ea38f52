"""What a fitted method costs: operations, memory, and seconds for each megapixel, measured alike for every method.

All of it is measured in the cell, after testing, on one and the same real image: a part of the first test scene of the
first fold. It is a real one because methods of single pixels compute each colour once. Seconds of the processor are
what is compared; those on the clock depend on what computes beside.
"""

import ctypes
import gc
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from specrec.cells.cell import Cell
from specrec.cells.machine import processor
from specrec.interfaces import Reconstructor
from specrec.memory import peak_of
from specrec.scenes import Image, TrainingScene, Window
from specrec.tiling import reconstruct

SIDE = 512
"""Pixels of the image's sides, at most: the upper left of a larger scene."""
PASSES = 5
"""At most; the quickest counts."""
LEAST_SECONDS, SHARE = 2.0, 0.05
"""No further pass begins where passes have taken so many seconds, or this share of the training if that is more."""
_CLEAR = Path("/proc/self/clear_refs")


def measure_cost(cell: Cell, method: Reconstructor, scene: TrainingScene, fit_seconds: float) -> dict[str, Any]:
    """Reconstruct a part of `scene` a few times, on the CPU and, where the cell computes on one, on a GPU.

    Returns
    -------
    Plain values. ``image`` and ``image_shape`` (height, width) say on what. ``memory_bytes`` is by how much the memory
    of the process rises at most in a pass, the cube included; None where the system cannot tell.
    ``cpu_seconds_per_megapixel`` are of the processor and ``wall_seconds_per_megapixel`` on the clock, with
    ``cpu_threads`` threads of ``processor``. ``gpu_seconds_per_megapixel``, ``gpu_memory_bytes`` and ``gpu`` are None
    where the cell computes on no GPU.
    """
    height, width = (min(side, SIDE) for side in scene.shape[:2])
    rgb = scene.rgb(Window(0, 0, height, width))
    rgb.setflags(write=False)
    megapixels = height * width / 1e6
    budget = max(LEAST_SECONDS, SHARE * fit_seconds)
    device = method.device
    found: dict[str, Any] = {"image": scene.name, "image_shape": [height, width], "cpu_threads": cell.threads}
    try:
        method.device = "cpu"
        found["memory_bytes"] = memory_of(lambda: reconstruct(method, rgb, cell.tiles))
        wall, cpu = seconds_of(lambda: reconstruct(method, rgb, cell.tiles), budget)
        found["cpu_seconds_per_megapixel"] = cpu / megapixels
        found["wall_seconds_per_megapixel"] = wall / megapixels
        found["processor"] = processor()
        on_gpu = device.startswith("cuda") and "torch" in method.requires
        method.device = device
        found |= _on_gpu(method, rgb, cell.tiles, budget) if on_gpu else _no_gpu()
    finally:
        method.device = device
    return found


def memory_of(work: Callable[[], object]) -> int | None:
    """Bytes by which the memory of this process rises at most while it works; None where the system cannot tell.

    What was freed before is given back to the system first: else it would be used again, and nothing would rise.
    """
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):  # other systems, and other C libraries, have no such call
        ctypes.CDLL(None).malloc_trim(0)
    try:
        _CLEAR.write_text("5", "ascii")  # the high-water mark falls to what is resident now
        before = peak_of()
    except OSError:
        before = None
    work()
    after = peak_of() if before is not None else None
    return None if before is None or after is None else max(0, after - before)


def peak_memory() -> int | None:
    """Most bytes that this process has had resident so far; None where the system cannot tell.

    On Linux ``ru_maxrss`` is never less than what the parent had when it started this process.
    """
    peak = peak_of()
    if peak is not None:
        return peak
    try:
        import resource
    except ImportError:  # Windows has no such count
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def seconds_of(work: Callable[[], object], budget: float) -> tuple[float, float]:
    """Seconds of the quickest pass, on the clock and of the processor; at least one, as many as the budget allows."""
    walls: list[float] = []
    cpus: list[float] = []
    while not walls or (len(walls) < PASSES and sum(walls) + walls[-1] < budget):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


def _no_gpu() -> dict[str, Any]:
    return {"gpu_seconds_per_megapixel": None, "gpu_memory_bytes": None, "gpu": None}


def _on_gpu(method: Reconstructor, rgb: Image, tiles: str, budget: float) -> dict[str, Any]:
    import torch

    def work() -> None:
        reconstruct(method, rgb, tiles)
        torch.cuda.synchronize(method.device)

    work()  # kernels are chosen, and the weights go there
    before = torch.cuda.memory_allocated(method.device)
    torch.cuda.reset_peak_memory_stats(method.device)
    wall, _ = seconds_of(work, budget)
    return {
        "gpu_seconds_per_megapixel": wall / (rgb.shape[0] * rgb.shape[1] / 1e6),
        "gpu_memory_bytes": torch.cuda.max_memory_allocated(method.device) - before,
        "gpu": torch.cuda.get_device_name(method.device),
    }
