"""Whether the machine that computes a cell has what the bench has: the same plugins, devices and scenes."""

import socket
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from specrec.datasets import make_source
from specrec.hookspecs import PROJECT
from specrec.interfaces import Progress
from specrec.registry import Offer, registry
from specrec.scenes import content_hash

HERE = "this process"
"""The distribution of what a script has registered itself, which no other process knows."""


def providers(method: str, *datasets: str) -> dict[str, str]:
    """Say which distributions decide the numbers of a cell, in the words of `lacking`.

    Examples
    --------
    >>> sorted(providers("mean", "synthetic"))
    ['specrec', 'the data set synthetic', 'the method mean']
    """
    found = registry()
    wanted = {"specrec": version(PROJECT)}
    if method in found.reconstructors:
        wanted[f"the method {method}"] = _words(found.reconstructors[method])
    for name in datasets:
        if name in found.scene_sources:
            wanted[f"the data set {name}"] = _words(found.scene_sources[name])
    others = [metric for metric in found.metrics.values() if metric.distribution not in (PROJECT, HERE)]
    return wanted | {f"the metric {metric.name}": _words(metric) for metric in others}


def _words(offer: Offer[Any]) -> str:
    return f"{offer.distribution} {offer.version}"


def lacking(wanted: Mapping[str, str], method: str, *datasets: str) -> str | None:
    """Say what is not installed here as it is where the bench runs; None: nothing."""
    here = providers(method, *datasets)
    for what, theirs in wanted.items():
        mine = here.get(what)
        if mine is None:
            broken = [one for one in registry().broken if one.distribution == theirs.rpartition(" ")[0]]
            why = f" ({broken[0].reason})" if broken else ""
            return f"{socket.gethostname()} lacks {what}{why}; install {theirs} there"
        if mine != theirs:
            return f"{socket.gethostname()} has {mine} for {what}, and the bench {theirs}; install the same there"
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
