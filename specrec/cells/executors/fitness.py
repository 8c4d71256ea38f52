"""Whether the machine that computes a cell has what the bench has: the same plugins, devices and scenes."""

import socket
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from specrec.cells.cell import Cell
from specrec.datasets import make_source
from specrec.hookspecs import PROJECT
from specrec.interfaces import Progress
from specrec.registry import registry
from specrec.scenes import content_hash

HERE = "this process"
"""The distribution of what a script has registered itself, which no other process knows."""


def providers(method: str, dataset: str) -> dict[str, str]:
    """Say which distributions decide the numbers of a cell, in the words of `lacking`.

    Examples
    --------
    >>> sorted(providers("mean", "synthetic"))
    ['specrec', 'the data set synthetic', 'the method mean']
    """
    found = registry()
    wanted = {"specrec": version(PROJECT)}
    for what, name, offers in (
        ("method", method, found.reconstructors),
        ("data set", dataset, found.scene_sources),
    ):
        if name in offers:
            wanted[f"the {what} {name}"] = f"{offers[name].distribution} {offers[name].version}"
    others = [metric for metric in found.metrics.values() if metric.distribution not in (PROJECT, HERE)]
    return wanted | {f"the metric {metric.name}": f"{metric.distribution} {metric.version}" for metric in others}


def lacking(wanted: Mapping[str, str], method: str, dataset: str) -> str | None:
    """Say what is not installed here as it is where the bench runs; None: nothing."""
    here = providers(method, dataset)
    for what, theirs in wanted.items():
        mine = here.get(what)
        if mine is None:
            broken = [one for one in registry().broken if one.distribution == theirs.rpartition(" ")[0]]
            why = f" ({broken[0].reason})" if broken else ""
            return f"{socket.gethostname()} lacks {what}{why}; install {theirs} there"
        if mine != theirs:
            return f"{socket.gethostname()} has {mine} for {what}, and the bench {theirs}; install the same there"
    return None


def make_scenes(cell: Cell, names: Sequence[str], progress: Progress) -> str | None:
    """Make scenes that are not read from files, and say which is not as the bench has it; None: all are."""
    if not names:
        return None
    path = Path(cell.data) if cell.data is not None else None
    source = make_source(registry().scene_source(cell.dataset), path, cell.options)
    source.prepare(names, progress)
    for name in names:
        scene = source.open(name)
        if content_hash(scene.cube(), scene.mask) != cell.contents[name]:
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
