"""Speed and steadiness of the coding of colours: specrec_arad.pursuit against spams.omp, side by side in one run.

Run it with ``OMP_NUM_THREADS=1 python benchmarks/speed/omp.py``. Times are CPU seconds of one thread; both code the
same pixels of the same scenes over the same dictionary, in turns. "Moved" is the share of recovered spectra that a
rounding of the input changes by more than a tolerance, relative to the length of the spectrum.
"""

import argparse
import time

import numpy as np

from specrec.datasets.synthetic.source import SyntheticSource
from specrec.interfaces import FitContext
from specrec.scenes import TrainingScene
from specrec_arad.method import Arad
from specrec_arad.pursuit import code, decode

TRAINING_SCENES, TEST_SCENES = 4, 2


def main() -> None:
    """Print CPU time per pixel of both, their ratio, and the share of spectra that rounding moves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--atoms", type=int, default=500)
    parser.add_argument("--sparsity", type=int, default=3, choices=(1, 2, 3))
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()

    source = SyntheticSource(scenes=TRAINING_SCENES + TEST_SCENES)
    scenes = [TrainingScene(source.open(name), input="linear") for name in source.names()]
    method = Arad(input="linear", atoms=chosen.atoms).fit(scenes[:TRAINING_SCENES], FitContext())
    spectral, colours = method.spectral_atoms_, method.colour_atoms_
    signals = np.concatenate([scene.rgb()[scene.mask] for scene in scenes[TRAINING_SCENES:]]).astype(np.float64)

    def ours(values: np.ndarray) -> np.ndarray:
        return decode(code(values, colours, chosen.sparsity), spectral).astype(np.float64)

    def theirs(values: np.ndarray) -> np.ndarray:
        import spams

        kind = values.dtype
        columns, atoms = (np.asfortranarray(array.T, dtype=kind) for array in (values, colours))
        found = spams.omp(columns, atoms, L=chosen.sparsity, eps=0.0, numThreads=1)
        return np.asarray(found.T @ spectral)

    coders = {"specrec": ours, "spams.omp": theirs}
    seconds: dict[str, list[float]] = {name: [] for name in coders}
    for _ in range(chosen.repeats):
        for name, coder in coders.items():
            start = time.process_time()
            coder(signals)
            seconds[name].append(time.process_time() - start)

    noise = np.random.default_rng(0).standard_normal(signals.shape)
    changes = {"1e-12": signals * (1.0 + 1e-12 * noise), "float32": (signals * (1.0 + 1e-3 * noise)).astype(np.float32)}
    starts = {"1e-12": signals, "float32": signals * (1.0 + 1e-3 * noise)}
    print(f"{len(signals)} pixels, {chosen.atoms} atoms, sparsity {chosen.sparsity}, best of {chosen.repeats}")
    for name, coder in coders.items():
        line = f"{name:10}{1e6 * min(seconds[name]) / len(signals):8.2f} us per pixel"
        for change, values in changes.items():
            moved = _relative_distance(coder(values), coder(starts[change]))
            line += f"   moved by {change}: {(moved > 1e-4).mean():7.3%} > 1e-4, {(moved > 1e-2).mean():7.3%} > 1 %"
        print(line)
    print(f"spams.omp / specrec: {min(seconds['spams.omp']) / min(seconds['specrec']):.2f}")


def _relative_distance(spectra: np.ndarray, reference: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(reference, axis=1)
    return np.linalg.norm(spectra - reference, axis=1) / np.where(length > 0.0, length, 1.0)


if __name__ == "__main__":
    main()
