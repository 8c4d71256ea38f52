"""Test weights on scenes never trained on: python benchmarks/weights/evaluate.py [--folder FOLDER] [--cave FOLDER].

Prints RMSE (0..255) on fresh broad worlds per exposure, the mean over scenes weighted by valid pixels. With --cave also
RMSE and GFC on real scenes, as reflectance and multiplied by daylights, each scaled to its range: no condition the
weights were trained for, so it tells how far they carry.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from recipes import DAYLIGHTS, EXPOSURES, METHODS, TESTING

import specrec
from specrec.datasets import open_source
from specrec.datasets.synthetic.light import daylight
from specrec.registry import registry
from specrec.scenes import Scene, TrainingScene, Window
from specrec.spectra import Cube


def broad_scenes(exposure: str) -> Iterator[TrainingScene]:
    source = open_source(TESTING.format(exposure=exposure))
    for name in source.names():
        yield TrainingScene(source.open(name), "none")


def cave_scenes(folder: Path, kelvin: float | None) -> Iterator[TrainingScene]:
    source = open_source("cave", folder)
    for name in source.names():
        scene = source.open(name)
        yield TrainingScene(scene if kelvin is None else replace(scene, read=partial(_lit, scene, kelvin)), "minmax")


def _lit(scene: Scene, kelvin: float, window: Window | None) -> Cube:
    return scene.cube(window) * daylight(kelvin).astype(np.float32)


def scores(method: specrec.Reconstructor, views: Iterator[TrainingScene], names: tuple[str, ...]) -> list[float]:
    metrics = [registry().metric(name) for name in names]
    rows = []
    for view in views:
        cube = view.cube()
        estimate = method.reconstruct(view.rgb_of(cube))
        rows.append([metric(estimate, cube, view.mask, view.wavelengths) for metric in metrics])
    return [
        float(np.average([score.value for score in column], weights=[score.weight for score in column]))
        for column in zip(*rows, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="of weights; default: those that ship")
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--cave", type=Path)
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    columns = [f"exposure {exposure}" for exposure in EXPOSURES]
    if arguments.cave:
        lights = ["", *(f", {kelvin:.0f} K" for kelvin in DAYLIGHTS)]
        columns += [f"CAVE{light} {metric}" for light in lights for metric in ("RMSE", "GFC")]
    print("| RMSE (0..255), GFC | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
    for name in arguments.methods.split(","):
        weights = arguments.folder / f"{name}.safetensors" if arguments.folder else None
        method = specrec.load(name, weights, arguments.device)
        cells = [f"{scores(method, broad_scenes(exposure), ('rmse',))[0]:.2f}" for exposure in EXPOSURES]
        for kelvin in (None, *DAYLIGHTS) if arguments.cave else ():
            rmse, gfc = scores(method, cave_scenes(arguments.cave, kelvin), ("rmse", "gfc"))
            cells += [f"{rmse:.2f}", f"{gfc:.3f}"]
        print(f"| `{name}` | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
