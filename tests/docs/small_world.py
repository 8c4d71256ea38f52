"""The world in which the commands of the pages are run: as they stand there, with trainings of a few steps.

A training that takes minutes on a page takes seconds here, and a bench has a few small scenes. Nothing else differs: it
is the same code, the same command line, the same processes. `SMALLER` is all that is changed, module by module, when it
is imported; a `sitecustomize` that calls `install` brings it into every Python that a command starts.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any


def _gan(module: Any) -> None:
    narrow = {"width": 8, "discriminator_width": 8}
    for name, steps in {"paper": 1, "quick": 4, "small": 1}.items():
        module.Gan.presets[name].update({**narrow, "steps": steps})


def _pixel(module: Any) -> None:
    for preset in module.Pixel.presets.values():
        preset["steps"] = 10


def _synthetic(module: Any) -> None:
    source = module.SyntheticSource
    source.parameters = {**source.parameters, "size": replace(source.parameters["size"], default=64)}
    further = source.further
    source.further = lambda self, count: further(self, min(count, 40))


def _protocol(module: Any) -> None:
    parse = module.parse

    def smaller(text: str, name: str) -> Any:
        chosen = parse(text, name)
        tested = chosen.tested or ((0,) if name in ("embedded-null", "family", "robustness") else ())
        chosen = chosen.changed(runs=1, tested=tested)
        if not chosen.options:  # real scenes: as many as there are, in two halves
            return chosen.changed(scenes_per_fold=0)
        size = 256 if chosen.preset == "small" else 64  # its nine branches need crops of 256
        return chosen.changed(
            scenes_per_fold=2,
            options={**chosen.options, "scenes": 4, "size": size},
            ceiling=min(chosen.ceiling, 8),
            influence=min(chosen.influence, 1),
            score_training=min(chosen.score_training, 1),
            cross_scenes=1 if chosen.cross else 0,
        )

    module.parse = smaller


def _recipes(module: Any) -> None:
    module.METHODS = {name: module.METHODS[name] for name in ("gan", "arad", "linear")}
    module.TESTING = module.TESTING.replace("scenes=40", "scenes=2")


SMALLER: dict[str, Callable[[Any], None]] = {
    "recipes": _recipes,  # of benchmarks/weights
    "specrec.bench.protocol": _protocol,
    "specrec.datasets.synthetic.source": _synthetic,
    "specrec_gan.method": _gan,
    "specrec_pixel.method": _pixel,
}


class _Loader(importlib.abc.Loader):
    """Loads a module as it is, and then makes it smaller."""

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        SMALLER[module.__name__](module)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name not in SMALLER:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


def install() -> None:
    """Make what is imported from now on smaller."""
    sys.meta_path.insert(0, _Finder())
