"""Time every metric on one 256 x 256 x 31 image, and CIEDE2000 against colour-science; one thread, best of five.

Run: OMP_NUM_THREADS=1 python benchmarks/speed/metrics.py
"""

import time
import warnings
from collections.abc import Callable

import numpy as np

from specrec.metrics import specrec_metrics
from specrec.metrics.ciede2000 import ciede2000
from specrec.rendering import lab, xyz
from specrec.spectra import WAVELENGTHS


def best_seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the shortest of a few runs, CPU seconds."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def main() -> None:
    """Print a line per metric, the sum, and the ratio to colour-science."""
    rng = np.random.default_rng(0)
    reference = rng.random((256, 256, 31), dtype=np.float32)
    estimate = reference + np.float32(0.05) * rng.standard_normal(reference.shape, dtype=np.float32)
    mask = rng.random(reference.shape[:2]) < 0.95
    total = 0.0
    for metric in specrec_metrics():
        seconds = best_seconds(lambda metric=metric: metric(estimate, reference, mask, WAVELENGTHS))
        total += seconds
        print(f"{metric.name:16} {1e3 * seconds:7.1f} ms")
    print(f"{'all':16} {1e3 * total:7.1f} ms")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import it warns of optional packages that are not needed here
        import colour
    pair = lab(xyz(estimate)), lab(xyz(reference))
    ours, theirs = (best_seconds(lambda f=f: f(*pair)) for f in (ciede2000, colour.difference.delta_E_CIE2000))
    print(f"CIEDE2000 of 65,536 pairs: {1e3 * ours:.1f} ms, colour-science {1e3 * theirs:.1f} ms, {theirs / ours:.1f}x")


if __name__ == "__main__":
    main()
