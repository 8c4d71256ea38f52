"""Plugins of strangers: small distributions in a folder that is on the path, as pip would leave them."""

import importlib
import os
import subprocess
import sys
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

from specrec.registry import Registry, load_plugins

GOOD = """
import numpy as np
from specrec import Metric, Reconstructor, Score, hookimpl

class Grey(Reconstructor):
    name = "{name}"
    summary = "grey"

    def fit(self, scenes, context):
        self.bands_ = scenes[0].shape[2]
        return self

    def reconstruct(self, rgb):
        return np.repeat(rgb.mean(axis=2, keepdims=True), self.bands_, axis=2).astype(np.float32)

    def state(self):
        return {{"bands": np.array([self.bands_])}}, {{}}

    @classmethod
    def from_state(cls, settings, arrays, config):
        method = cls(**settings)
        method.bands_ = int(arrays["bands"][0])
        return method

def score(estimate, reference, mask, wavelengths):
    return Score(1.0, 1.0)

@hookimpl
def specrec_reconstructors():
    return [Grey]

@hookimpl
def specrec_metrics():
    return [Metric("of-{name}", "1", "0..1", False, "one", "", score)]
"""


class Site:
    """A folder of distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def install(self, name: str, code: str, *, distribution: str = "", points: str = "") -> Path:
        """Write a distribution ``specrec-NAME`` with one module, ``hostile_NAME``, and return the module's path."""
        distribution = distribution or f"specrec-{name}"
        info = self.folder / f"{distribution.replace('-', '_')}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(points or f"[specrec]\n{name} = hostile_{name.replace('-', '_')}\n")
        module = self.folder / f"hostile_{name.replace('-', '_')}.py"
        module.write_text(code)
        importlib.invalidate_caches()
        return module

    def good(self, name: str) -> Path:
        """Install a plugin that does what it should: a method of that name, and a metric ``of-NAME``."""
        return self.install(name, GOOD.format(name=name))

    def points(self) -> list[EntryPoint]:
        return [point for one in distributions(path=[str(self.folder)]) for point in one.entry_points]

    def load(self) -> Registry:
        """Load all that is installed, here, beside nothing else."""
        return load_plugins(self.points())

    def run(self, *words: object, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line in a process of its own."""
        path = os.pathsep.join([str(self.folder), *filter(None, sys.path)])
        environment = {**os.environ, "PYTHONPATH": path, **variables}
        return subprocess.run(
            [sys.executable, "-m", "specrec", *map(str, words)],
            cwd=self.folder.parent, env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
