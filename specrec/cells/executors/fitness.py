"""Whether the machine that computes a cell has what the bench has: the same plugins, devices and scenes."""

import socket
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from specrec.datasets import make_source
from specrec.hookspecs import PROJECT
from specrec.interfaces import Progress
from specrec.registry import registry
from specrec.registry.sameness import identity, unlike
from specrec.scenes import content_hash

HERE = "this process"
"""The distribution of what a script has registered itself, which no other process knows."""


def providers(method: str, *datasets: str) -> dict[str, dict[str, Any]]:
    """Say what decides the numbers of a cell, in the words of `lacking`: each as `specrec.registry.sameness` has it.

    Examples
    --------
    >>> sorted(providers("mean", "synthetic"))
    ['specrec', 'the data set synthetic', 'the method mean']
    """
    found = registry()
    wanted: dict[str, dict[str, Any]] = {"specrec": {"from": version(PROJECT), "code": {}}}
    if method in found.reconstructors:
        wanted[f"the method {method}"] = identity(found.reconstructors[method])
    for name in datasets:
        if name in found.scene_sources:
            wanted[f"the data set {name}"] = identity(found.scene_sources[name])
    others = [metric for metric in found.metrics.values() if metric.distribution not in (PROJECT, HERE)]
    return wanted | {f"the metric {metric.name}": identity(metric) for metric in others}


def lacking(wanted: Mapping[str, Mapping[str, Any]], method: str, *datasets: str) -> str | None:
    """Say what is not installed here as it is where the bench runs; None: nothing."""
    here = providers(method, *datasets)
    for what, theirs in wanted.items():
        mine, why = here.get(what), ""
        if mine is None:
            broken = [one for one in registry().broken if one.distribution == theirs["from"].rpartition(" ")[0]]
            why = f" ({broken[0].reason})" if broken else ""
        unfit = unlike(f"{what}{why}", theirs, mine, "the bench")
        if unfit is not None:
            return f"{socket.gethostname()} {unfit}"
    return None


def make_scenes(data: Mapping[str, Any], names: Sequence[str], progress: Progress) -> str | None:
    """Make scenes that are not read from files, and say which is not as the bench has it; None: all are.

    Parameters
    ----------
    data
        With the keys ``dataset``, ``data``, ``options`` and ``contents``, as a cell has them.
    names
        Of the scenes.
    progress
        Called with the fraction done and a few words.
    """
    if not names:
        return None
    path = Path(data["data"]) if data["data"] is not None else None
    source = make_source(registry().scene_source(data["dataset"]), path, data["options"])
    source.prepare(names, progress)
    for name in names:
        scene = source.open(name)
        if content_hash(scene.cube(), scene.mask) != data["contents"][name]:
            return (
                f"{socket.gethostname()} makes another scene {name} than the machine of the bench: their libraries"
                " differ; install the same versions of specrec and NumPy there"
            )
    return None


def device_here(wanted: str, method: str) -> str:
    """Choose the device of a cell on the machine that computes it.

    Raises
    ------
    UsageError
        If it is not there.
    """
    if wanted == "cpu" or "torch" not in registry().reconstructor(method).requires:
        return "cpu"
    from specrec.training.session import choose_device

    return choose_device(wanted)
