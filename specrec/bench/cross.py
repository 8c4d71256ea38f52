"""The other data set of a protocol with ``cross-data``: every method is tested on it, and none is trained on it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from specrec.bench.folds import Split, sampled
from specrec.bench.protocol import Protocol
from specrec.bench.watching import Watcher
from specrec.cells.region import region_mask
from specrec.datasets import find_folder, make_source, scene_names
from specrec.datasets.survey import Survey, check_rendered_grid, survey
from specrec.errors import DataError, UsageError, explained
from specrec.interfaces import SceneSource, heeded
from specrec.parameters import parse_spec
from specrec.registry import registry


@dataclass(frozen=True)
class Cross:
    """The other data set, and the names of its scenes that are tested."""

    source: SceneSource
    scenes: tuple[str, ...]

    def for_cell(self, found: Survey) -> dict[str, Any]:
        """Say in plain values what a cell needs of it."""
        return {
            "dataset": self.source.name,
            "data": str(self.source.path.resolve()) if self.source.path is not None else None,
            "options": dict(self.source.settings),
            "scenes": list(self.scenes),
            "extents": {name: (found.facts[name].low, found.facts[name].high) for name in self.scenes},
            "contents": {name: found.facts[name].sha256 for name in self.scenes},
            "stamps": {name: [file.stamp for file in found.facts[name].files] for name in self.scenes},
        }


def plan_cross(chosen: Protocol, folder: str | os.PathLike[str] | None, limit: int | None) -> Cross | None:
    """Choose the scenes of the other data set; None where a protocol has none.

    Parameters
    ----------
    chosen
        With ``cross`` and ``cross_scenes``: so many seeded ones, 0: all there are.
    folder
        Of the other data set; None: by its environment variable.
    limit
        At most so many scenes.

    Raises
    ------
    UsageError
        If a folder is given and no other data set, or its folder is not there.
    """
    if not chosen.cross:
        if folder is not None:
            raise UsageError(f"--cross-data {os.fspath(folder)} is the folder of another data set; name it (--cross)")
        return None
    source = source_of_cross(chosen.cross, folder)
    names = sorted(scene_names(source))
    counts = [count for count in (chosen.cross_scenes, limit) if count]
    return Cross(source, tuple(sampled(names, min(counts), (chosen.seed,)) if counts else names))


def source_of_cross(written: str, folder: str | os.PathLike[str] | None) -> SceneSource:
    """Open the other data set as a protocol names it; UsageError if its folder is not there or not known."""
    name, given = parse_spec(written)
    kind = registry().scene_source(name)
    try:
        path = find_folder(kind, folder)
    except UsageError:
        if folder is None:
            raise UsageError(
                f"the data set {name!r} of --cross is read from a folder; name it (--cross-data FOLDER) or set"
                f" {kind.path_variable}"
            ) from None
        raise
    return make_source(kind, path, given)


def read_cross(
    cross: Cross, chosen: Protocol, split: Split, facts: Survey, watch: Watcher, *, skip_damaged: bool
) -> tuple[Cross, Survey]:
    """Look at every scene of the other data set, and leave damaged ones out where that is wanted.

    Raises
    ------
    DataError
        If one is damaged, cannot be rendered, or holds what some method is trained on.
    """
    with explained(f"the data set {cross.source.name!r} cannot make its scenes", DataError):
        cross.source.prepare(
            cross.scenes, heeded(lambda done, words: watch.phase(f"making scenes of the other data set: {words}", done))
        )
    found = survey(
        cross.source,
        cross.scenes,
        lambda done, words: watch.phase(f"checking scenes of the other data set: {words}", done),
    )
    for name, reason in found.damaged.items():
        if not skip_damaged:
            raise DataError(
                f"scene {name} of the other data set is damaged: {reason}; repair it, or pass --skip-damaged"
            )
        watch.note(f"scene {name} of the other data set is left out: {reason}")
    if not found.facts:
        raise DataError(f"the other data set {cross.source.name!r} has no scene that can be used")
    check_rendered_grid(found)
    for one in found.facts.values():
        region_mask(chosen.region, *one.shape[:2])
    _check_new(found, facts, [name for index in chosen.computed_folds for name in split.folds[index].train])
    return replace(cross, scenes=tuple(found.facts)), found


def _check_new(found: Survey, facts: Survey, trained: Sequence[str]) -> None:
    known = {facts.facts[name].sha256: name for name in trained if name in facts.facts}
    for name, one in found.facts.items():
        if one.sha256 in known:
            raise DataError(
                f"scene {name} of the other data set holds the same as {known[one.sha256]}, which is trained on;"
                " choose other scenes (--cross)"
            )
