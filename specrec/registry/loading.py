"""Finds the plugins that are installed and loads them: specrec's own first, so that nobody takes their names."""

import os
from collections.abc import Iterable
from contextlib import ExitStack
from importlib.metadata import EntryPoint, distributions, entry_points

from specrec import hookspecs
from specrec.errors import STOPS, in_a_line, plain_line
from specrec.interfaces import INTERFACE_VERSION
from specrec.registry.choice import VARIABLE, Found, chosen
from specrec.registry.offers import Broken, Plugin, Registry, Remark
from specrec.registry.printing import Catcher
from specrec.registry.trial import fatal


def installed() -> list[EntryPoint]:
    """List the entry points of all plugins; a distribution whose own list is damaged has none."""
    try:
        return list(entry_points(group=hookspecs.PROJECT))
    except Exception:  # of all of them, because of one
        found: dict[str, list[EntryPoint]] = {}
        for distribution in distributions():
            try:
                points = distribution.entry_points.select(group=hookspecs.PROJECT)
                found.setdefault(distribution.name, list(points))  # the first on the path counts
            except Exception:  # it is no plugin that could be named
                continue
        return [point for points in found.values() for point in points]


def load_plugins(points: Iterable[EntryPoint]) -> Registry:
    """Build a registry from entry points, in the order of their names; ``SPECREC_PLUGINS`` chooses among them.

    Raises
    ------
    UsageError
        If that names a plugin that is not there.
    """
    every = sorted(map(_found, points), key=lambda plugin: (not plugin.own, plugin.point.name, plugin.distribution))
    load, leave = chosen(os.environ.get(VARIABLE, ""), every)
    registry = Registry()
    for plugin in every:
        registry.plugins.append(Plugin(plugin.point.name, plugin.distribution, plugin.version, blocked=plugin in leave))
    with ExitStack() as stack:
        catcher: Catcher | None = None
        for plugin in load:
            if plugin.own:
                _load(registry, plugin, None)
                continue
            if catcher is None:
                catcher = Catcher()
                stack.callback(catcher.close)
            _load(registry, plugin, catcher)
    return registry


def _found(point: EntryPoint) -> Found:
    try:
        distribution = str(point.dist.name) if point.dist is not None else point.value
        version = str(point.dist.version) if point.dist is not None else "0"
    except Exception:  # its metadata are damaged
        distribution, version = point.value, "0"
    return Found(point, plain_line(distribution), plain_line(version))


def _load(registry: Registry, plugin: Found, catcher: Catcher | None) -> None:
    name, distribution = plain_line(plugin.point.name), plugin.distribution

    def say(when: str, printed: str) -> None:
        words = f"prints {when}, which would spoil what specrec writes: {plain_line(printed, 100)}"
        registry.remarks.append(Remark(name, distribution, words))

    try:
        if catcher is None:
            registry.add(plugin.point.load(), distribution, plugin.version, name)
            return
        if reason := fatal(plugin):
            registry.broken.append(Broken(name, distribution, reason))
            return
        with catcher.catching(lambda printed: say("on import", printed)):
            loaded = plugin.point.load()
        with catcher.catching(lambda printed: say("in a hook", printed)):
            registry.add(loaded, distribution, plugin.version, name)
    except STOPS:
        raise
    except BaseException as error:  # a plugin may do anything; the registry goes on
        registry.broken.append(Broken(name, distribution, _reason(error)))


def _reason(error: BaseException) -> str:
    words = f"it cannot be imported ({in_a_line(error)})"
    missing = getattr(error, "name", None)
    if isinstance(error, ImportError) and isinstance(missing, str) and missing.partition(".")[0] == "specrec":
        words += f"; it may need another specrec, this one has version {INTERFACE_VERSION} of the interface"
    return words
