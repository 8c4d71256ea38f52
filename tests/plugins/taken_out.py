"""Takes `specrec_pixel` out into a distribution of its own, beside a specrec without it, and compares their numbers.

As a script, ``python tests/plugins/taken_out.py``, it does so in a bare environment that gets everything from the
index, and compares with the specrec of the Python that runs it. That takes minutes, and a gigabyte for torch.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
PACKAGE, DISTRIBUTION, VERSION = "specrec_pixel", "specrec-pixel", "7.3"

PYPROJECT = f"""\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{DISTRIBUTION}"
version = "{VERSION}"
requires-python = ">=3.11"
dependencies = ["specrec"]

[project.entry-points.specrec]
{DISTRIBUTION} = "{PACKAGE}"
"""

BENCH = (
    *("bench", "-q", "--methods", "pixel[steps=20,batch=64],linear", "--dataset", "synthetic[scenes=4,size=32]"),
    *("--limit", "2", "--ceiling", "0", "--device", "cpu"),
)
RUN = ("run", "-q", "pixel", "photo.png", "-o", "cube.npy", "--device", "cpu", "--threads", "1")

Numbers = dict[str, list[Any]]


def lay_out(folder: Path) -> tuple[Path, Path]:
    """Lay two source trees into `folder`: specrec without the plugin, and the plugin with one file more."""
    framework, plugin = folder / "specrec", folder / DISTRIBUTION
    shutil.copytree(ROOT / "specrec", framework / "specrec", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "plugins", framework / "plugins", ignore=shutil.ignore_patterns("__pycache__", PACKAGE))
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, framework)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    shorter, left_out = re.subn(rf'^ *("plugins/{PACKAGE}",|{DISTRIBUTION} = "{PACKAGE}")\n', "", project, flags=re.M)
    if left_out != 2 or PACKAGE in shorter:
        raise ValueError(f"pyproject.toml names {PACKAGE} twice: among the packages and among the entry points")
    (framework / "pyproject.toml").write_text(shorter, "utf-8")
    shutil.copytree(ROOT / "plugins" / PACKAGE, plugin / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    (plugin / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    return framework, plugin


def new_environment(folder: Path, *, with_pip: bool) -> Path:
    """Make a virtual environment and return its Python."""
    venv.EnvBuilder(with_pip=with_pip, symlinks=os.name != "nt").create(folder)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def surroundings(**more: str) -> dict[str, str]:
    """Return the variables of this process without those by which another specrec, plugin or weights would be found."""
    gone = ("PYTHONPATH", "PYTHONHOME", "SPECREC_PLUGINS", "SPECREC_WEIGHTS")
    kept = {name: value for name, value in os.environ.items() if name not in gone}
    return kept | {"PYTHONNOUSERSITE": "1", "OMP_NUM_THREADS": "1"} | more


def call(python: Path | str, arguments: Sequence[str], where: Path, variables: Mapping[str, str]) -> str:
    """Run a Python and return its standard output; what it says of an error is in ours."""
    done = subprocess.run([python, *arguments], cwd=where, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def offered(python: Path, where: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return where specrec and the plugin are, who offers which method, and what is broken."""
    code = (
        "import importlib.util, json, specrec\n"
        "from specrec.registry import registry\n"
        f"plugin = importlib.util.find_spec({PACKAGE!r})\n"
        "methods = {name: [one.distribution, one.version] for name, one in registry().reconstructors.items()}\n"
        "broken = [[one.name, one.distribution, one.reason] for one in registry().broken]\n"
        "files = [specrec.__file__, plugin and plugin.origin]\n"
        "print(json.dumps({'files': files, 'methods': methods, 'broken': broken}))"
    )
    found: dict[str, Any] = json.loads(call(python, ["-c", code], where, variables))
    return found


def numbers(python: Path | str, where: Path, variables: Mapping[str, str], jobs: int = 0) -> tuple[Numbers, np.ndarray]:
    """Run a small bench and the shipped weights on a photo; return the scores of every cell, and the cube."""
    from PIL import Image

    where.mkdir()
    levels = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    Image.fromarray(levels).save(where / "photo.png")
    call(python, ["-m", "specrec", *BENCH, "--jobs", str(jobs), "-o", "results"], where, variables)
    call(python, ["-m", "specrec", *RUN], where, variables)
    cells = sorted((where / "results" / "cells").rglob("*.json"))
    records = [json.loads(cell.read_text("utf-8")) for cell in cells]
    scores = {
        f"{one['written']} fold {one['fold']}": [one["images"], one["curve"], one["parameter_count"]] for one in records
    }
    return scores, np.load(where / "cube.npy")


def main() -> str | None:
    """Compare a bare environment with the specrec of this Python; return what differs."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        variables = surroundings(SPECREC_CACHE=str(folder / "cache"))
        expected = numbers(sys.executable, folder / "together", variables)
        frozen = call(sys.executable, ["-m", "pip", "freeze"], folder, variables).splitlines()
        constraints = [line.partition("+")[0] for line in frozen if "==" in line and not line.startswith("specrec")]
        (folder / "constraints.txt").write_text("\n".join(constraints), "utf-8")  # numbers of other versions may differ
        python = new_environment(folder / "bare", with_pip=True)
        trees = [str(tree) for tree in lay_out(folder / "trees")]
        quiet = ["--quiet", "--disable-pip-version-check", "--constraint", str(folder / "constraints.txt")]
        call(python, ["-m", "pip", "install", *quiet, *trees], folder, variables)
        found = offered(python, folder, variables)
        if found["methods"].get("pixel") != [DISTRIBUTION, VERSION] or found["broken"]:
            return f"{DISTRIBUTION} does not offer pixel: {found}"
        scores, cube = numbers(python, folder / "apart", variables, jobs=1)
    if scores != expected[0] or not np.array_equal(cube, expected[1]):
        return f"the numbers differ: {expected[0]} with everything together, {scores} with {DISTRIBUTION} apart"
    seconds = time.monotonic() - start
    sys.stdout.write(
        f"{DISTRIBUTION} beside a specrec without it: {len(scores)} cells and a cube as before ({seconds:.0f} s)\n"
    )
    return None


if __name__ == "__main__":
    sys.exit(main())
