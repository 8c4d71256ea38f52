"""Finds what plugins offer, and remembers who is broken and why. It never dies of a plugin."""

from functools import cache

from specrec.registry.loading import load_installed, load_plugins
from specrec.registry.offers import Broken, Offer, Plugin, Registry, Remark

__all__ = ["Broken", "Offer", "Plugin", "Registry", "Remark", "load_plugins", "registry"]


@cache
def registry() -> Registry:
    """Return the registry of this process; the plugins are loaded at the first call."""
    return load_installed()
