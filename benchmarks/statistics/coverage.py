"""How often the 95 % interval of a table holds the truth: python benchmarks/statistics/coverage.py.

Differences of two methods on a few scenes are drawn from a normal distribution and from a skewed one, the exponential;
each set has its interval as a bench computes it, with fewer resamples. Prints the table of docs/statistics.md.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

from specrec.bench import paired
from specrec.bench.scores import SceneScores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, nargs="+", default=[6, 8, 12, 24, 40, 100])
    parser.add_argument("--simulations", type=int, default=1000, help="for each seed")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--resamples", type=int, default=1999)
    chosen = parser.parse_args()
    paired.RESAMPLES = chosen.resamples
    print("| scenes | " + " | ".join(map(str, chosen.scenes)) + " |")
    print("|---|" + "---:|" * len(chosen.scenes))
    for name in ("normal", "exponential"):
        shares = [np.mean([held(name, n, chosen.simulations, s) for s in range(chosen.seeds)]) for n in chosen.scenes]
        print(f"| {name} | " + " | ".join(f"{100 * share:.0f} %" for share in shares) + " |", flush=True)


def held(name: str, scenes: int, simulations: int, seed: int) -> float:
    """Find the share of the intervals that hold 1, the mean of either distribution."""
    paired.SEED = seed
    rng = np.random.default_rng(seed)
    size = (simulations, scenes)
    draws = rng.normal(1.0, 1.0, size) if name == "normal" else rng.exponential(1.0, size)
    found = paired.intervals([scores(draw) for draw in draws], scores(np.zeros(scenes)))
    return float(np.mean([low <= 1.0 <= high for low, high, _ in found]))


def scores(values: NDArray[np.float64]) -> SceneScores:
    """Take values for the scores of one run, each scene with weight 1."""
    names = tuple(map(str, range(len(values))))
    return SceneScores(names, values[None], np.ones((1, len(values))))


if __name__ == "__main__":
    main()
