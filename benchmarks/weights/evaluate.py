"""Test weights on scenes never trained on: python benchmarks/weights/evaluate.py [--folder FOLDER] [--cave FOLDER].

Prints RMSE (0..255) per exposure, the mean over scenes weighted by valid pixels. With --cave also on real scenes, each
scaled to its range: no condition the weights were trained for, so it tells how far they carry.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from recipes import EXPOSURES, METHODS, TESTING

import specrec
from specrec.datasets import open_source
from specrec.registry import registry
from specrec.scenes import TrainingScene


def scenes(spec: str, folder: Path | None = None) -> Iterator[TrainingScene]:
    source = open_source(spec, folder)
    for name in source.names():
        yield TrainingScene(source.open(name), "none" if folder is None else "minmax")


def error(method: specrec.Reconstructor, views: Iterator[TrainingScene]) -> float:
    rmse = registry().metric("rmse")
    scores = []
    for view in views:
        cube = view.cube()
        scores.append(rmse(method.reconstruct(view.rgb_of(cube)), cube, view.mask, view.wavelengths))
    return float(np.average([score.value for score in scores], weights=[score.weight for score in scores]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="of weights; default: those that ship")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--cave", type=Path)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    columns = [*(f"exposure {exposure}" for exposure in EXPOSURES), *(["CAVE"] if arguments.cave else [])]
    print("| RMSE (0..255) | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
    for name in arguments.methods.split(","):
        weights = arguments.folder / f"{name}.safetensors" if arguments.folder else None
        method = specrec.load(name, weights, arguments.device)
        errors = [error(method, scenes(TESTING.format(exposure=exposure))) for exposure in EXPOSURES]
        if arguments.cave:
            errors.append(error(method, scenes("cave", arguments.cave)))
        print(f"| `{name}` | " + " | ".join(f"{value:.2f}" for value in errors) + " |", flush=True)


if __name__ == "__main__":
    main()
