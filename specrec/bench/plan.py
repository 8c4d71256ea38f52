"""What a bench will compute: protocol, methods, scenes and folds, resolved before anything is computed."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from specrec.bench import folds, protocol
from specrec.bench.cross import Cross, plan_cross
from specrec.bench.protocol import Protocol
from specrec.cells.ceiling import SHOWN
from specrec.cells.columns import check_column, shown
from specrec.datasets import find_folder, make_source, scene_names
from specrec.errors import PluginError, UsageError, explained
from specrec.interfaces import Reconstructor, SceneSource
from specrec.parameters import nearest, parse_spec, slug, split_specs
from specrec.registry import registry

PRESETS = ("paper", "quick")
"""What a protocol may always ask for, also where no method that has it can be used."""


@dataclass(frozen=True)
class Plan:
    """Everything a bench needs.

    Parameters
    ----------
    protocol
        With every override.
    methods
        By slug: as the user wrote it, and configured.
    unusable
        Methods that a broken plugin cannot give, each with the reason.
    source
        Of the scenes.
    split
        Folds of scene names.
    folder
        Of the results.
    cross
        The other data set that is only tested, if there is one.
    """

    protocol: Protocol
    methods: dict[str, tuple[str, Reconstructor]]
    unusable: dict[str, str]
    source: SceneSource
    split: folds.Split
    folder: Path
    cross: Cross | None = None


def make_plan(
    methods: str | Sequence[str] | None = None,
    dataset: str | None = None,
    data: str | os.PathLike[str] | None = None,
    *,
    protocol: str | None = None,
    fold_count: int | None = None,
    runs: int | None = None,
    seed: int | None = None,
    folds_from: str | os.PathLike[str] | None = None,
    metrics: str | Sequence[str] | None = None,
    tiles: str | None = None,
    ceiling: int | None = None,
    cross: str | None = None,
    cross_data: str | os.PathLike[str] | None = None,
    limit: int | None = None,
    output: str | os.PathLike[str] | None = None,
) -> Plan:
    """Resolve what `specrec.bench.run.bench` is asked for; parameters and errors as there."""
    chosen = _protocol(protocol, dataset)
    ids = tuple(split_specs(metrics if isinstance(metrics, str) else ",".join(metrics))) if metrics else None
    if folds_from is not None and fold_count is not None:
        raise UsageError("--folds-from says how many folds there are; leave out --folds")
    chosen = chosen.changed(folds=fold_count, runs=runs, seed=seed, metrics=ids, tiles=tiles, ceiling=ceiling)
    chosen = chosen.changed(cross=cross)
    chosen = chosen.changed(metrics=_columns(chosen, given=ids is not None))
    presets = {*PRESETS, *(name for offer in registry().reconstructors.values() for name in offer.value.presets)}
    if chosen.preset not in presets:
        wanted = nearest(chosen.preset, presets)
        raise UsageError(f"protocol {chosen.name}: no method has a preset {chosen.preset!r}; {wanted}")
    built, unusable = _methods((*chosen.methods, *chosen.controls) if methods is None else methods, chosen.preset)
    source_class = registry().scene_source(chosen.dataset)
    source = make_source(source_class, find_folder(source_class, data), chosen.options)
    split = _split(scene_names(source), chosen, folds_from, limit)
    chosen = chosen.changed(folds=len(split.folds), options=dict(source.settings))
    folder = Path(output) if output is not None else Path("specrec-results") / f"{chosen.name}-{chosen.dataset}"
    return Plan(chosen, built, unusable, source, split, folder, plan_cross(chosen, cross_data, limit))


def _protocol(name: str | None, dataset: str | None) -> Protocol:
    if dataset is None:
        chosen = protocol.load(name or "embedded")
        return chosen.settled(chosen.dataset)
    source, given = parse_spec(dataset)
    registry().scene_source(source)
    chosen = (protocol.load(name) if name is not None else protocol.for_dataset(source)).settled(source)
    return chosen.changed(options={**chosen.options, **given})


def _columns(chosen: Protocol, *, given: bool) -> tuple[str, ...]:
    """Check the metrics of a protocol, and add what its ceiling and its conditions give where the user names none."""
    for metric in chosen.metrics:
        check_column(metric, ceiling=chosen.ceiling > 0, robustness=chosen.robustness)
    added = () if given else (*(SHOWN if chosen.ceiling else ()), *(shown(text) for text in chosen.robustness))
    return (*chosen.metrics, *(metric for metric in added if metric not in chosen.metrics))


def _methods(methods: str | Sequence[str], preset: str) -> tuple[dict[str, tuple[str, Reconstructor]], dict[str, str]]:
    """Configure methods; those of broken plugins come with their reasons, and are an error where there is no other."""
    texts = split_specs(methods if isinstance(methods, str) else ",".join(methods))
    if not texts:
        known = nearest("", registry().reconstructors)
        raise UsageError(f"no methods given (--methods), and the protocol names none; {known}")
    built: dict[str, tuple[str, Reconstructor]] = {}
    unusable: dict[str, str] = {}
    for text in texts:
        name, given = parse_spec(text)
        written = "".join(text.split())
        try:
            kind = registry().reconstructor(name)
            with explained(f"method {name!r} cannot be set up"):
                method = kind.with_preset(preset, given)
                if not isinstance(method, kind) or json.loads(json.dumps(method.settings)) != dict(method.settings):
                    raise PluginError(f"method {name!r} changes what it was told in its constructor; it must not")
                built[slug(name, method.settings)] = (written, method)
        except PluginError as error:
            unusable[written] = str(error)
    if not built:
        raise PluginError("; ".join(unusable.values()))
    return built, unusable


def _split(
    names: Sequence[str], chosen: Protocol, folds_from: str | os.PathLike[str] | None, limit: int | None
) -> folds.Split:
    if limit is not None and limit < 1:
        raise UsageError(f"--limit must be at least 1, not {limit}")
    if folds_from is not None:
        return folds.from_lists(Path(folds_from), names, limit)
    per_fold = chosen.scenes_per_fold
    if limit is not None and per_fold * chosen.folds > len(names):
        per_fold = 0  # with a limit, the scenes there are will do
    split = folds.seeded(names, chosen.folds, per_fold, chosen.seed)
    return split if limit is None else folds.limited(split, limit)
