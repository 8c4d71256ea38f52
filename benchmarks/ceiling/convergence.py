"""How fast the ceiling comes down with the number of other scenes, and how much lower a geometric median would be.

    python benchmarks/ceiling/convergence.py [WORLD] [MOST]

On the 40 scenes of a synthetic world: for each number of further scenes and each rule of what has a match, the share of
the pixels that have one, the ceiling on them, and its quotient to that of all MOST scenes (1280) on the same pixels.
"""

import sys

import numpy as np

from specrec.bench.ceiling.colour_table import NONE, ColourTable, colour_codes
from specrec.datasets.synthetic.source import SyntheticSource
from specrec.interfaces import SceneSource
from specrec.scenes import TrainingScene

STEPS = (40, 80, 160, 240, 320, 640, 1280)
RULES = {"pixels": (1, 4, 16, 64), "scenes": (1, 2, 4, 8, 16)}
SAMPLED = 1000  # colours of the comparison with the median
WELL_KNOWN = 48  # pixels that such a colour has at least


def read(source: SceneSource, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Spectra (n, 31) and codes (n,) of the valid pixels."""
    scene = TrainingScene(source.open(name))
    cube = scene.cube()
    return cube[scene.mask], colour_codes(scene.rgb_of(cube))[scene.mask]


def rmse(spectra: np.ndarray, means: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Of each pixel, (n,), in 8-bit levels."""
    blocks = (slice(first, first + 65536) for first in range(0, len(spectra), 65536))
    return np.concatenate([255 * np.sqrt(np.square(spectra[b] - means[places[b]]).mean(axis=1)) for b in blocks])


def geometric_median(spectra: np.ndarray) -> np.ndarray:
    """The point of least mean distance (Weiszfeld 1937, Tohoku Mathematical Journal 43, 355)."""
    point = spectra.mean(axis=0)
    for _ in range(200):
        weights = 1 / np.maximum(np.linalg.norm(spectra - point, axis=1), 1e-6)
        point = weights @ spectra / weights.sum()
    return point


def main() -> None:
    """Print the tables."""
    world = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    most = int(sys.argv[2]) if len(sys.argv) > 2 else STEPS[-1]
    tested = SyntheticSource(world=world)
    further = tested.further(most)
    spectra, codes = (np.concatenate(parts) for parts in zip(*(read(tested, n) for n in tested.names()), strict=True))
    table = ColourTable(np.unique(codes), 31)
    places = table.places(codes)
    kept, found = [], {}
    by_index = sorted(further.names(), key=lambda name: (len(name), name))
    for count, name in enumerate(by_index, 1):
        theirs, of = read(further, name)
        table.add(of[np.newaxis], theirs[np.newaxis])
        if count <= STEPS[1]:
            kept.append((theirs, of))
        if count in STEPS:
            errors = rmse(spectra, table.means(), places)
            found[count] = (errors, table.pixels[places], table.scenes[places], table.spreads()[places])
    last = found[max(found)][0]
    for rule, leasts in RULES.items():
        for least in leasts:
            for count, (errors, pixels, scenes, spreads) in found.items():
                some = np.flatnonzero((pixels if rule == "pixels" else scenes) >= least)
                wide = some[np.argsort(-spreads[some], kind="stable")[: len(some) // 10]]
                if len(wide):
                    parts = (f"{errors[p].mean():.3f} x{errors[p].mean() / last[p].mean():.3f}" for p in (some, wide))
                    print(f"{least} {rule}, {count} further: {len(some) / len(codes):.1%}", *parts, sep="  ")
    compare_with_median(spectra, places, kept, table)


def compare_with_median(spectra: np.ndarray, places: np.ndarray, kept: list, table: ColourTable) -> None:
    """Print what a mean and what a geometric median of the same spectra make of the tested pixels."""
    theirs = np.concatenate([part for part, _ in kept])
    of = table.places(np.concatenate([part for _, part in kept]))
    counts = np.bincount(of[of != NONE], minlength=table.codes.size)
    rows = np.random.default_rng(0).permutation(np.flatnonzero(counts >= WELL_KNOWN))[:SAMPLED]
    chosen = np.isin(places, rows)
    means, medians = np.zeros((2, table.codes.size, 31))
    for row in rows:
        some = theirs[of == row].astype(np.float64)
        means[row], medians[row] = some.mean(axis=0), geometric_median(some)
    mean, median = (rmse(spectra[chosen], points, places[chosen]) for points in (means, medians))
    order = np.argsort(-table.spreads()[places[chosen]], kind="stable")
    for words, part in (("all", order), ("widest tenth", order[: len(order) // 10])):
        print(f"{len(rows)} colours, {words}: mean {mean[part].mean():.3f}, median {median[part].mean():.3f}")


if __name__ == "__main__":
    main()
