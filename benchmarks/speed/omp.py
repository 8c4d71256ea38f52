"""Speed and steadiness of the coding of colours: specrec_arad.pursuit against spams.omp and scikit-learn in one run.

Run it with ``OMP_NUM_THREADS=1 python benchmarks/speed/omp.py``. All take the same colours to spectra over the same
dictionary, on one thread, in turns, the best of some repeats: CPU seconds beside wall seconds. scikit-learn gets a
small sample, by its fastest way for many signals (the Gram matrix made once) and by its estimator. "8-bit image" is a
rendered scene with a sensor's noise, which leaves about four pixels per colour as photographs have, with and without
coding each distinct colour once, as `arad` does; decoding sRGB is timed too.
"Moved" is the share of recovered spectra that a rounding of the input changes by more than a tolerance, relative to the
length of the spectrum.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from specrec.datasets.synthetic.source import SyntheticSource
from specrec.interfaces import FitContext
from specrec.rendering import srgb_to_xyz
from specrec.scenes import TrainingScene
from specrec_arad.method import Arad
from specrec_arad.pursuit import code, decode

TRAINING_SCENES, TEST_SCENES, IMAGE_SIZE, SAMPLE = 4, 2, 1024, 2000
NOISE = 3.0  # levels of 8 bit: without it a scene of this size has 21 pixels per colour
Coder = Callable[[NDArray], NDArray]


def coders(colours: NDArray, spectral: NDArray, sparsity: int) -> dict[str, Coder]:
    """Return what takes signals (n, 3) to spectra (n, 31), by name."""

    def ours(values: NDArray) -> NDArray:
        block = Arad.block
        found = [decode(code(values[i : i + block], colours, sparsity), spectral) for i in range(0, len(values), block)]
        return np.concatenate(found)

    def theirs(values: NDArray) -> NDArray:
        import spams

        columns, atoms = (np.asfortranarray(array.T, dtype=values.dtype) for array in (values, colours))
        found = spams.omp(columns, atoms, L=sparsity, eps=0.0, numThreads=1)
        return np.asarray(found.T @ spectral)

    def by_gram(values: NDArray) -> NDArray:
        from sklearn.linear_model import orthogonal_mp_gram

        found = orthogonal_mp_gram(colours @ colours.T, colours @ values.T, n_nonzero_coefs=sparsity)
        return np.asarray(found.T @ spectral)

    def by_estimator(values: NDArray) -> NDArray:
        from sklearn.linear_model import OrthogonalMatchingPursuit

        model = OrthogonalMatchingPursuit(n_nonzero_coefs=sparsity, fit_intercept=False, precompute=True)
        return np.asarray(model.fit(colours.T, values.T).coef_ @ spectral)

    names = "specrec", "spams.omp", "sklearn orthogonal_mp_gram", "sklearn OrthogonalMatchingPursuit"
    return dict(zip(names, (ours, theirs, by_gram, by_estimator), strict=True))


def in_turns(work: dict[str, Callable[[], object]], repeats: int) -> dict[str, tuple[float, float]]:
    """Run each once in turn, `repeats` times, and return the shortest CPU and wall seconds of each."""
    best = dict.fromkeys(work, (float("inf"), float("inf")))
    for _ in range(repeats):
        for name, run in work.items():
            cpu, wall = time.process_time(), time.perf_counter()
            run()
            spent = time.process_time() - cpu, time.perf_counter() - wall
            best[name] = min(best[name][0], spent[0]), min(best[name][1], spent[1])
    return best


def main() -> None:
    """Print time per pixel of all, the ratios to ours, and the share of spectra that rounding moves."""
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
    large = SyntheticSource(scenes=1, size=IMAGE_SIZE)
    clean = TrainingScene(large.open(large.names()[0])).rgb()
    levels = np.rint(255.0 * clean + NOISE * np.random.default_rng(0).standard_normal(clean.shape))
    image = (np.clip(levels, 0.0, 255.0) / 255.0).astype(np.float32)
    eight_bit = Arad.from_state({"atoms": chosen.atoms}, *method.state())
    pixels = image.reshape(-1, 3)

    every = coders(colours, spectral, chosen.sparsity)
    ours, theirs = every["specrec"], every["spams.omp"]
    sample = signals[np.random.default_rng(0).choice(len(signals), SAMPLE, replace=False)]
    for coder in every.values():  # compiled and imported before the clock starts
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn says where a residual became zero early
            coder(sample)
    eight_bit.reconstruct(image[:8, :8])

    print(f"{chosen.atoms} atoms, sparsity {chosen.sparsity}, one thread, best of {chosen.repeats} in turns")
    _table("unquantised", signals, {"specrec": ours, "spams.omp": theirs}, chosen.repeats)
    _table("small sample", sample, every, chosen.repeats)
    distinct = len(np.unique(np.rint(pixels * 255).astype(np.int64) @ [65536, 256, 1]))
    print(f"8-bit image: {len(pixels) / distinct:.1f} pixels per colour")
    image_coders: dict[str, Coder] = {
        "specrec": lambda _pixels: eight_bit.reconstruct(image),
        "specrec, every pixel": lambda pixels: _every_pixel(eight_bit, pixels),
        "spams.omp": lambda pixels: theirs(srgb_to_xyz(pixels)).astype(np.float32),
    }
    _table("8-bit image", pixels, image_coders, chosen.repeats)

    noise = np.random.default_rng(0).standard_normal(signals.shape)
    start = signals * (1.0 + 1e-3 * noise)  # no longer float32 numbers
    for name, coder in {"specrec": ours, "spams.omp": theirs}.items():
        for change, values in {"1e-12": start * (1.0 + 1e-12 * noise), "float32": start.astype(np.float32)}.items():
            moved = _relative_distance(coder(values), coder(start))
            print(
                f"{name:10} moved by {change}: {(moved > 1e-4).mean():7.3%} > 1e-4, {(moved > 1e-2).mean():7.3%} > 1 %"
            )


def _every_pixel(method: Arad, pixels: NDArray) -> NDArray:
    blocks = [method.reconstruct_colours(pixels[i : i + method.block]) for i in range(0, len(pixels), method.block)]
    return np.concatenate(blocks)


def _table(what: str, signals: NDArray, every: dict[str, Coder], repeats: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spent = in_turns({name: partial(coder, signals) for name, coder in every.items()}, repeats)
    ours = spent["specrec"]
    for name, (cpu, wall) in spent.items():
        micro = 1e6 / len(signals)
        print(
            f"{what:14} {len(signals):8} pixels {name:34}{cpu * micro:9.3f} us CPU {wall * micro:9.3f} us wall"
            f"   {cpu / ours[0]:7.2f} times CPU {wall / ours[1]:7.2f} wall"
        )


def _relative_distance(spectra: NDArray, reference: NDArray) -> NDArray:
    length = np.linalg.norm(reference, axis=1)
    return np.linalg.norm(spectra - reference, axis=1) / np.where(length > 0.0, length, 1.0)


if __name__ == "__main__":
    main()
