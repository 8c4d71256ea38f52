"""Whether the hooks of a plugin are those that there are, and whether this specrec serves it."""

import sys
from inspect import isfunction

import pluggy

from specrec import hookspecs
from specrec.interfaces import INTERFACE_VERSION, unserved
from specrec.parameters import nearest

HOOKS = tuple(name for name, value in vars(hookspecs).items() if isfunction(value) and name.startswith("specrec_"))


def problem_with_hooks(plugin: object) -> str | None:
    """Say why the hooks of a plugin cannot be called, and what to change; None where they can."""
    home = sys.modules.get(getattr(plugin, "__module__", "") or "")
    needed = getattr(plugin, "SPECREC_INTERFACE", getattr(home, "SPECREC_INTERFACE", INTERFACE_VERSION))
    if reason := unserved(needed):
        return reason
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is None:
            if name in HOOKS and callable(getattr(plugin, name, None)):
                return f"{name} is not marked as a hook; write @specrec.hookimpl above it"
            continue
        called = options.get("specname") or name
        if called not in HOOKS and not options.get("optionalhook"):
            return f"there is no hook {called!r}; {nearest(called, HOOKS)}"
    return None
