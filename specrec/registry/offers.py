"""What plugins offer, by name, and what is wrong with some of them. It never dies of a plugin."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, Literal, TypeVar

from specrec.errors import STOPS, PluginError, UsageError, in_a_line, plain_line
from specrec.interfaces import Metric, Reconstructor, SceneSource
from specrec.parameters import Value, nearest, parse_spec
from specrec.registry.checking import name_problem, not_a_method, not_a_metric, not_a_source
from specrec.registry.choice import OWN, VARIABLE, normal
from specrec.registry.hooks import hooks_of

T = TypeVar("T")
Kind = Literal["method", "metric", "data set"]
MOST_OFFERS = 1000
"""More things than a hook could ever give."""


@dataclass(frozen=True)
class Offer(Generic[T]):
    """One thing a plugin offers, and who offers it."""

    name: str
    value: T
    distribution: str
    version: str
    plugin: str = ""
    """The name of its entry point."""


@dataclass(frozen=True)
class Broken:
    """A plugin, or one thing of it, that cannot be used, with the reason."""

    name: str
    distribution: str
    reason: str
    kind: Kind | None = None
    """Of the one thing; None: the plugin as a whole, or one of its hooks."""


@dataclass(frozen=True)
class Plugin:
    """A plugin that is installed: an entry point of a distribution."""

    name: str
    distribution: str
    version: str
    blocked: bool = False
    """Whether ``SPECREC_PLUGINS`` leaves it out."""


@dataclass(frozen=True)
class Remark:
    """What is wrong with a plugin that can be used all the same."""

    name: str
    distribution: str
    words: str


@dataclass
class Registry:
    """Everything that the installed plugins offer, by name."""

    reconstructors: dict[str, Offer[type[Reconstructor]]] = field(default_factory=dict)
    metrics: dict[str, Offer[Metric]] = field(default_factory=dict)
    scene_sources: dict[str, Offer[type[SceneSource]]] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)
    plugins: list[Plugin] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    _contested: set[tuple[Kind, str]] = field(default_factory=set, repr=False)

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

    def _find(self, offers: Mapping[str, Offer[T]], name: str, kind: Kind, listing: str) -> Offer[T]:
        if name in offers:
            return offers[name]
        for broken in self.broken:
            if (broken.kind == kind and broken.name == name) or (broken.kind is None and _could_be(broken, name)):
                raise PluginError(f"{kind} {name!r} of {broken.distribution} cannot be used: {broken.reason}")
        for plugin in self.plugins:
            if plugin.blocked and _could_be(plugin, name):
                raise PluginError(f"{kind} {name!r} of {plugin.distribution} cannot be used: {VARIABLE} leaves it out")
        words = f"unknown {kind} {name!r}; {nearest(name, offers)} ({listing} lists them)"
        # one of these may be the one that offers it
        lost = [f"{one.name} ({one.distribution})" for one in self.broken if one.kind is None]
        left_out = [plugin.name for plugin in self.plugins if plugin.blocked]
        words += f"; broken and so left out: {', '.join(lost)}" if lost else ""
        words += f"; left out by {VARIABLE}: {', '.join(left_out)}" if left_out else ""
        raise UsageError(words)

    def breaks(self, broken: Broken) -> None:
        """List something as broken, once."""
        if broken not in self.broken:
            self.broken.append(broken)

    def add(
        self, plugin: object, distribution: str = "this process", version: str = "0", name: str | None = None
    ) -> None:
        """Register a plugin object and take in what its hooks return; `name` is that of its entry point."""
        called = distribution if name is None else name
        try:
            if name is None:
                called = plain_line(str(getattr(plugin, "__name__", None) or repr(plugin)))
            hook = hooks_of(plugin)
        except STOPS:
            raise
        except BaseException as error:  # a plugin may do anything; the registry goes on
            self.breaks(Broken(called, distribution, in_a_line(error)))
            return
        origin = (called, distribution, version)
        count = self._take(hook.specrec_reconstructors, self.reconstructors, origin, "method", not_a_method)
        count += self._take(hook.specrec_metrics, self.metrics, origin, "metric", not_a_metric)
        count += self._take(hook.specrec_scene_sources, self.scene_sources, origin, "data set", not_a_source)
        if not count:
            self.remarks.append(Remark(called, distribution, "it offers nothing: none of its hooks returns anything"))

    def _take(
        self,
        hook: Callable[[], list[Iterable[Any]]],
        offers: dict[str, Offer[Any]],
        origin: tuple[str, str, str],
        kind: Kind,
        problem: Callable[[Any], str | None],
    ) -> int:
        """Take in what a hook gives, and return how many things that were, or one where it fails."""
        plugin, distribution, version = origin
        try:
            values = list(islice((value for result in hook() for value in _listed(result, hook)), MOST_OFFERS + 1))
            if len(values) > MOST_OFFERS:
                raise PluginError(f"it gives over {MOST_OFFERS} things")
        except STOPS:
            raise
        except BaseException as error:  # a plugin may do anything; the registry goes on
            self.breaks(Broken(plugin, distribution, f"its hook for a {kind} fails: {in_a_line(error)}"))
            return 1
        for value in values:
            name, reason = _examined(value, kind, problem)
            if reason is None and name is not None:
                reason = self._taken(offers, name, distribution, kind)
            if reason is None and name is not None:
                offers[name] = Offer(name, value, distribution, version, plugin)
            elif name is None:
                self.breaks(Broken(plugin, distribution, f"a {kind} of it: {reason}"))
            else:
                self.breaks(Broken(name, distribution, str(reason), kind))
        return len(values)

    def _taken(self, offers: dict[str, Offer[Any]], name: str, distribution: str, kind: Kind) -> str | None:
        """Say who else has a name, and take it from a third party; None: it is free."""
        others = [one for one in self.broken if (one.name, one.kind) == (name, kind)]
        holder = offers[name].distribution if name in offers else None
        if distribution in (holder, *(one.distribution for one in others)):
            return f"it offers the {kind} {name!r} twice; give one of them another name"
        if OWN in (normal(holder or ""), *(normal(one.distribution) for one in others)):
            return f"the name {name!r} is taken by specrec; give this {kind} another name"
        if holder is not None:
            del offers[name]
            self._contested.add((kind, name))
            return f"{holder} and {distribution} both offer {name!r}; uninstall one of them"
        if (kind, name) in self._contested:
            return f"{distribution} offers {name!r}, which others offer too; uninstall all but one"
        return None


def _listed(result: Any, hook: Any) -> Iterable[Any]:
    if isinstance(result, str | type) or not isinstance(result, Iterable):
        raise TypeError(f"{hook.name} returns a list, not {plain_line(repr(result), 80)}")
    return result


def _examined(value: Any, kind: Kind, problem: Callable[[Any], str | None]) -> tuple[str | None, str | None]:
    """Return the name of what is offered, None where it has none that can be used, and what is wrong with it."""
    name = None
    try:
        reason = problem(value)
        given = getattr(value, "name", None)
        if name_problem(given, kind) is None:
            name = str(given)
    except STOPS:
        raise
    except BaseException as error:  # even an attribute may raise
        reason = f"it cannot be looked at ({in_a_line(error)})"
    return name, reason


def _could_be(plugin: Broken | Plugin, name: str) -> bool:
    """Whether a plugin that is not loaded is the one that a user means by the name of a thing it may offer."""
    return normal(name) in {normal(plugin.name), normal(plugin.distribution)} or (
        normal(plugin.distribution) == f"{OWN}-{normal(name)}"
    )
