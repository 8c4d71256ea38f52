"""Whether the hooks of a plugin are those that there are, and whether this specrec serves it."""

import sys
from difflib import get_close_matches
from inspect import isfunction
from types import ModuleType

import pluggy

from specrec import hookspecs
from specrec.errors import PluginError, plain_line
from specrec.interfaces import INTERFACE_VERSION, unserved
from specrec.parameters import nearest

_PREFIX = f"{hookspecs.PROJECT}_"
HOOKS = tuple(name for name, value in vars(hookspecs).items() if isfunction(value) and name.startswith(_PREFIX))


def hooks_of(plugin: object) -> pluggy.HookRelay:
    """Return the hooks of a plugin, to be called.

    Raises
    ------
    PluginError
        If they cannot be; it says what to change.
    """
    if reason := _problem(plugin):
        raise PluginError(reason)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin)
    except pluggy.PluginValidationError as error:
        raise PluginError(plain_line("; ".join(str(error).splitlines()))) from error
    return manager.hook


def _problem(plugin: object) -> str | None:
    home = sys.modules.get(getattr(plugin, "__module__", "") or "")
    needed = getattr(plugin, "SPECREC_INTERFACE", getattr(home, "SPECREC_INTERFACE", INTERFACE_VERSION))
    if reason := unserved(needed):
        return reason
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    marked = {}
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is not None:
            marked[name] = options.get("specname") or name
            if marked[name] not in HOOKS and not options.get("optionalhook"):
                return f"there is no hook {marked[name]!r}; {nearest(marked[name], HOOKS)}"
        elif name in HOOKS and callable(getattr(plugin, name, None)):
            return f"{name} is not marked as a hook; write @specrec.hookimpl above it"
    if not marked and (isinstance(plugin, type) or isfunction(plugin)):
        kind = "class" if isinstance(plugin, type) else "function"
        name, module = (plain_line(str(word), 80) for word in (plugin.__name__, plugin.__module__))
        return f'its entry point names the {kind} {name}; let it name the module with the hooks, as in "{module}"'
    return _misspelt(plugin, {*marked.values()}) if isinstance(plugin, ModuleType) else None


def _misspelt(module: ModuleType, there: set[str]) -> str | None:
    """Find a function of a module that was meant to be a hook; one that only begins like a hook is its own affair."""
    for name, value in vars(module).items():
        if not (name.startswith(_PREFIX) and isfunction(value) and value.__module__ == module.__name__):
            continue
        endings = [hook.removeprefix(_PREFIX) for hook in HOOKS if hook not in there]
        if name not in there and (near := get_close_matches(name.removeprefix(_PREFIX), endings, 1, 0.8)):
            return f"{name} is no hook; did you mean {_PREFIX}{near[0]} (with @hookimpl)?"
    return None
