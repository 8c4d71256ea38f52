"""Several ways of doing the same work, timed in turns in one run."""

import time
from collections.abc import Callable, Mapping


def race(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, tuple[float, float]]:
    """Return the best CPU and wall seconds of every way; each runs once before, to compile and to load."""
    for way in ways.values():
        way()
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            cpu, wall = time.process_time(), time.perf_counter()
            way()
            seconds[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    return {name: (min(cpu for cpu, _ in taken), min(wall for _, wall in taken)) for name, taken in seconds.items()}


def print_table(best: Mapping[str, tuple[float, float]], megapixels: float, ours: str) -> None:
    """Print seconds per megapixel, and each as a multiple of `ours`."""
    for name, (cpu, wall) in best.items():
        multiples = f"{cpu / best[ours][0]:7.2f} {wall / best[ours][1]:7.2f}"
        print(f"  {name:42} {cpu / megapixels:8.4f} {wall / megapixels:8.4f}   {multiples}")
