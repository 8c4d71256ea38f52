"""Draw how a training of `gan` went: python benchmarks/weights/curve.py FOLDER --picture curve.png [--cave FOLDER].

FOLDER holds copies of the checkpoint that `make.py` keeps beside gan.safetensors, taken from time to time. The picture
shows the loss and the RMSE on fresh broad worlds; the table adds RMSE on CAVE, as reflectance.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from evaluate import broad_scenes, cave_scenes, scores
from recipes import METHODS
from safetensors import safe_open

import specrec
from specrec.registry import registry

_SMOOTHED = 20  # rounds that a point of the loss is the mean of


def read(path: Path) -> tuple[specrec.Reconstructor, list[dict[str, float]]]:
    """Take the generator and the loss curve out of a checkpoint."""
    method = registry().build(METHODS["gan"])
    prefix = "module.generator."
    with safe_open(path, framework="numpy") as file:
        about: dict[str, Any] = json.loads(file.metadata()["checkpoint"])
        names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118 - it is no mapping
        arrays = {name.removeprefix(prefix): file.get_tensor(name) for name in names}
    bands = len(arrays["out.bias"])
    return method.from_state(method.settings, arrays, {"bands": bands, "seed": 0}), about["values"]["curve"]


def draw(curve: list[dict[str, float]], points: list[tuple[int, float]], picture: Path) -> None:
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    count = len(curve) // _SMOOTHED * _SMOOTHED
    loss = next(name for name in ("l1", "l2") if name in curve[0])
    steps, losses = (
        np.array([entry[key] for entry in curve[:count]]).reshape(-1, _SMOOTHED).mean(axis=1) for key in ("step", loss)
    )
    figure, left = plt.subplots(figsize=(7, 3.5), layout="constrained")
    left.plot(steps, losses, color="0.4", label=f"training: {loss} in [-1, 1]")
    left.set(xlabel="generator updates", ylabel=f"{loss}", title="gan on broad worlds")
    right = left.twinx()
    right.plot(*zip(*points, strict=True), "o-", color="tab:red", label="40 fresh worlds: RMSE")
    right.set(ylabel="RMSE (0..255)")
    figure.legend(loc="upper right", bbox_to_anchor=(0.88, 0.85))
    figure.savefig(picture, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--picture", type=Path, required=True)
    parser.add_argument("--cave", type=Path)
    arguments = parser.parse_args()
    rows = [read(path) for path in sorted(arguments.folder.glob("*.safetensors"))]
    rows.sort(key=lambda row: row[1][-1]["step"])
    print(
        "| generator updates | fresh worlds, RMSE |"
        + (" CAVE, RMSE |\n|---:|---:|---:|" if arguments.cave else "\n|---:|---:|")
    )
    points = []
    for method, curve in rows:
        step = int(curve[-1]["step"])
        points.append((step, scores(method, broad_scenes("1"), ("rmse",))[0]))
        cave = scores(method, cave_scenes(arguments.cave, None), ("rmse",)) if arguments.cave else []
        print(f"| {step} | " + " | ".join(f"{value:.2f}" for value in [points[-1][1], *cave]) + " |", flush=True)
    draw(rows[-1][1], points, arguments.picture)


if __name__ == "__main__":
    main()
