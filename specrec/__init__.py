"""Spectral reconstruction from RGB: interfaces, a benchmark, and baselines that run as plugins.

The same as on the command line: ``specrec.load("gan").reconstruct(rgb)``, ``specrec.render(cube)``,
``specrec.bench(methods=["gan", "arad"])``. Names are imported when they are used, so that importing specrec is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specrec.bench.run import bench as bench
    from specrec.cubes import read_cube as read_cube
    from specrec.cubes import write_cube as write_cube
    from specrec.errors import SpecrecError as SpecrecError
    from specrec.hookspecs import hookimpl as hookimpl
    from specrec.images import read_image as read_image
    from specrec.interfaces import INTERFACE_VERSION as INTERFACE_VERSION
    from specrec.interfaces import FitContext as FitContext
    from specrec.interfaces import Metric as Metric
    from specrec.interfaces import Reconstructor as Reconstructor
    from specrec.interfaces import SceneSource as SceneSource
    from specrec.interfaces import Score as Score
    from specrec.parameters import Parameter as Parameter
    from specrec.reconstruction import load as load
    from specrec.rendering import render as render
    from specrec.scenes import Scene as Scene
    from specrec.spectra import WAVELENGTHS as WAVELENGTHS

_HOMES = {
    "INTERFACE_VERSION": "specrec.interfaces",
    "FitContext": "specrec.interfaces",
    "Metric": "specrec.interfaces",
    "Parameter": "specrec.parameters",
    "Reconstructor": "specrec.interfaces",
    "Scene": "specrec.scenes",
    "SceneSource": "specrec.interfaces",
    "Score": "specrec.interfaces",
    "SpecrecError": "specrec.errors",
    "WAVELENGTHS": "specrec.spectra",
    "hookimpl": "specrec.hookspecs",
    "load": "specrec.reconstruction",
    "read_cube": "specrec.cubes",
    "read_image": "specrec.images",
    "render": "specrec.rendering",
    "write_cube": "specrec.cubes",
}

__all__ = [*_HOMES, "bench"]


def __getattr__(name: str) -> Any:
    if name == "bench":
        return import_module("specrec.bench")  # a module that can be called
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'specrec' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
