"""The three hooks through which plugins offer methods, metrics and data sets."""

from collections.abc import Iterable

import pluggy

from specrec.interfaces import Metric, Reconstructor, SceneSource

PROJECT = "specrec"
"""The pluggy project and the entry point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Decorator of a plugin's own functions."""


@hookspec
def specrec_reconstructors() -> Iterable[type[Reconstructor]]:  # type: ignore[empty-body] # a specification has none
    """Return the Reconstructor classes that this plugin offers."""


@hookspec
def specrec_metrics() -> Iterable[Metric]:  # type: ignore[empty-body] # a specification has none
    """Return the Metric objects that this plugin offers."""


@hookspec
def specrec_scene_sources() -> Iterable[type[SceneSource]]:  # type: ignore[empty-body] # a specification has none
    """Return the SceneSource classes that this plugin offers."""
