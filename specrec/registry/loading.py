"""Finds the plugins that are installed and loads them: specrec's own first, so that nobody takes their names."""

import os
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from pathlib import Path

from specrec import hookspecs
from specrec.errors import STOPS, in_a_line, plain_line
from specrec.interfaces import INTERFACE_VERSION
from specrec.registry.choice import VARIABLE, Found, chosen
from specrec.registry.offers import Broken, Plugin, Registry, Remark
from specrec.registry.printing import Catcher
from specrec.registry.surroundings import kept
from specrec.registry.trial import fatal


def installed() -> list[EntryPoint]:
    """List the entry points of all plugins; a distribution whose own list is damaged has none."""
    return _listed()[0]


def load_installed() -> Registry:
    """Load all plugins that are installed; a distribution whose list of entry points is damaged is broken."""
    points, damaged = _listed()
    registry = load_plugins(points)
    for name in damaged:
        registry.breaks(Broken(name, name, "its entry_points.txt cannot be read; reinstall or remove it"))
    return registry


def _listed() -> tuple[list[EntryPoint], list[str]]:
    try:
        return list(entry_points(group=hookspecs.PROJECT)), []
    except Exception:  # of all of them, because of one
        found: dict[str, list[EntryPoint]] = {}
        damaged = []
        for distribution in distributions():
            name = _name(distribution)
            if name in found:
                continue  # the first on the path counts
            try:
                found[name] = list(distribution.entry_points.select(group=hookspecs.PROJECT))
            except Exception:
                found[name] = []
                if _may_have_plugins(distribution):
                    damaged.append(name)
        return [point for points in found.values() for point in points], damaged


def _name(distribution: Distribution) -> str:
    """Say what a distribution is called; one whose metadata are damaged, what its folder is called."""
    with suppress(Exception):
        if name := distribution.metadata["Name"]:
            return plain_line(str(name))
    return plain_line(Path(str(getattr(distribution, "_path", "unknown"))).name)


def _may_have_plugins(distribution: Distribution) -> bool:
    try:
        return f"[{hookspecs.PROJECT}]" in (distribution.read_text("entry_points.txt") or "")
    except Exception:  # nobody can know
        return True


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
    distribution, version = point.value, "0"
    with suppress(Exception):  # its metadata may be damaged
        if point.dist is not None:
            distribution = _name(point.dist)
            version = str(point.dist.version or "0")
    return Found(point, plain_line(distribution), plain_line(version))


def _load(registry: Registry, plugin: Found, catcher: Catcher | None) -> None:
    name, distribution = plain_line(plugin.point.name), plugin.distribution

    def say(when: str, printed: str) -> None:
        words = f"prints {when}, which would spoil what specrec writes: {plain_line(printed, 100)}"
        registry.remarks.append(Remark(name, distribution, words))

    def tell(when: str, changed: str) -> None:
        registry.remarks.append(Remark(name, distribution, f"changes {changed} {when}; it was changed back"))

    try:
        if catcher is None:
            registry.add(plugin.point.load(), distribution, plugin.version, name)
            return
        if plugin.point.pattern.match(plugin.point.value) is None:
            words = f"its entry point is no module, but {plain_line(repr(plugin.point.value), 80)}"
            registry.breaks(Broken(name, distribution, f'{words}; write it as in {name} = "specrec_mine"'))
            return
        if reason := fatal(plugin):
            registry.breaks(Broken(name, distribution, reason))
            return
        with catcher.catching(lambda printed: say("on import", printed)), kept(lambda what: tell("on import", what)):
            loaded = plugin.point.load()
        with catcher.catching(lambda printed: say("in a hook", printed)), kept(lambda what: tell("in a hook", what)):
            registry.add(loaded, distribution, plugin.version, name)
    except STOPS:
        raise
    except BaseException as error:  # a plugin may do anything; the registry goes on
        registry.breaks(Broken(name, distribution, _reason(error)))


def _reason(error: BaseException) -> str:
    words = f"it cannot be imported ({in_a_line(error)})"
    missing = getattr(error, "name", None)
    if isinstance(error, ImportError) and isinstance(missing, str) and missing.partition(".")[0] == "specrec":
        words += f"; it may need another specrec, this one has version {INTERFACE_VERSION} of the interface"
    return words
