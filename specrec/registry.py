"""Finds what plugins offer, and remembers who is broken and why. It never dies of a plugin."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any, Generic, TypeVar

import pluggy

from specrec import hookspecs
from specrec.errors import PluginError, UsageError
from specrec.interfaces import Metric, Reconstructor, SceneSource
from specrec.parameters import Value, nearest, parse_spec

T = TypeVar("T")


@dataclass(frozen=True)
class Offer(Generic[T]):
    """One thing a plugin offers, and who offers it."""

    name: str
    value: T
    distribution: str
    version: str


@dataclass(frozen=True)
class Broken:
    """A plugin, or one thing of it, that cannot be used, with the reason."""

    name: str
    distribution: str
    reason: str


@dataclass
class Registry:
    """Everything that the installed plugins offer, by name."""

    reconstructors: dict[str, Offer[type[Reconstructor]]] = field(default_factory=dict)
    metrics: dict[str, Offer[Metric]] = field(default_factory=dict)
    scene_sources: dict[str, Offer[type[SceneSource]]] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)

    def reconstructor(self, name: str) -> type[Reconstructor]:
        """Return the method class of that name."""
        return self._find(self.reconstructors, name, "method", "specrec methods").value

    def metric(self, name: str) -> Metric:
        """Return the metric of that id."""
        return self._find(self.metrics, name, "metric", "specrec metrics").value

    def scene_source(self, name: str) -> type[SceneSource]:
        """Return the data set class of that name."""
        return self._find(self.scene_sources, name, "data set", "specrec data list").value

    def build(self, spec: str, **extra: Value) -> Reconstructor:
        """Build a method from ``name[key=value]``."""
        name, given = parse_spec(spec)
        return self.reconstructor(name)(**{**extra, **given})

    def _find(self, offers: dict[str, Offer[T]], name: str, kind: str, listing: str) -> Offer[T]:
        if name in offers:
            return offers[name]
        for broken in self.broken:
            if broken.name == name:
                raise PluginError(f"{kind} {name!r} of {broken.distribution} cannot be used: {broken.reason}")
        raise UsageError(f"unknown {kind} {name!r}; {nearest(name, offers)} ({listing} lists them)")

    def add(self, plugin: object, distribution: str = "this process", version: str = "0") -> None:
        """Register a plugin object and take in what its hooks return."""
        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        try:
            manager.register(plugin)
            manager.check_pending()
        except Exception as error:  # a plugin may do anything; the registry goes on
            self.broken.append(Broken(getattr(plugin, "__name__", repr(plugin)), distribution, _say(error)))
            return
        hook = manager.hook
        self._take(hook.specrec_reconstructors, self.reconstructors, distribution, version, _not_a_method)
        self._take(hook.specrec_metrics, self.metrics, distribution, version, _not_a_metric)
        self._take(hook.specrec_scene_sources, self.scene_sources, distribution, version, _not_a_source)

    def _take(
        self,
        hook: Callable[[], list[Iterable[Any]]],
        offers: dict[str, Offer[Any]],
        distribution: str,
        version: str,
        problem: Callable[[Any], str | None],
    ) -> None:
        try:
            values = [value for result in hook() for value in result]
            names = [str(value.name) for value in values]
            problems = [problem(value) for value in values]
        except Exception as error:  # a plugin may do anything; the registry goes on
            self.broken.append(Broken(distribution, distribution, _say(error)))
            return
        for name, value, reason in zip(names, values, problems, strict=True):
            taken = offers.pop(name, None)
            if taken is not None:
                reason = f"{taken.distribution} and {distribution} both offer {name!r}; uninstall one of them"
            elif any(broken.name == name and "both offer" in broken.reason for broken in self.broken):
                reason = f"{distribution} offers {name!r}, which others offer too; uninstall all but one"
            if reason is None:
                offers[name] = Offer(name, value, distribution, version)
            else:
                self.broken.append(Broken(name, distribution, reason))


def _not_a_method(method: Any) -> str | None:
    if not (isinstance(method, type) and issubclass(method, Reconstructor)):
        return f"{method!r} is not a Reconstructor class"
    if not hasattr(method, "summary"):
        return "it has no summary"
    for module in method.requires:
        if find_spec(module) is None:
            return f"it needs the module {module!r}, which is not installed (or has no wheel for this platform)"
    return None


def _not_a_metric(metric: Any) -> str | None:
    return None if isinstance(metric, Metric) else f"{metric!r} is not a Metric"


def _not_a_source(source: Any) -> str | None:
    if not (isinstance(source, type) and issubclass(source, SceneSource)):
        return f"{source!r} is not a SceneSource class"
    return None


def _say(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def load_plugins(points: Iterable[EntryPoint]) -> Registry:
    """Build a registry from entry points, in the order of their names."""
    found = Registry()
    for point in sorted(points, key=lambda point: point.name):
        distribution = point.dist.name if point.dist is not None else point.value
        version = point.dist.version if point.dist is not None else "0"
        try:
            plugin = point.load()
        except Exception as error:  # a plugin may do anything; the registry goes on
            found.broken.append(Broken(point.name, distribution, f"it cannot be imported ({_say(error)})"))
            continue
        found.add(plugin, distribution, version)
    return found


@cache
def registry() -> Registry:
    """Return the registry of this process; the plugins are loaded at the first call."""
    return load_plugins(entry_points(group=hookspecs.PROJECT))
