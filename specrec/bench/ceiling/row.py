"""The ceiling as a row of the table: diagnostic, and no method; `specrec.cells.ceiling` says what it is."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from specrec.bench.manifest import Manifest
from specrec.cells.ceiling import COLUMNS, LEAST_SCENES, Ceiling, ceiling_path, plain_scores, read_ceiling
from specrec.interfaces import Score

NAME = "ceiling"


def scenes_of(manifest: Manifest, folds: Iterable[int]) -> list[str]:
    """List the scenes that are tested in some folds."""
    return [name for fold in folds for name in manifest.folds[fold]["test"]]


def read_all(folder: Path, manifest: Manifest) -> dict[str, Ceiling]:
    """Read the ceilings of a results folder by scene; empty where the protocol has none, or one is missing."""
    if not manifest.settings["ceiling"]:
        return {}
    folds = manifest.settings["tested"] or range(len(manifest.folds))
    found = {name: read_ceiling(ceiling_path(folder, name)) for name in scenes_of(manifest, folds)}
    there = {name: one for name, one in found.items() if one is not None}
    return there if len(there) == len(found) else {}


def as_image(found: Ceiling) -> dict[str, Any]:
    """Return the ceiling's scores of a scene as a record has those of a method."""
    return {"scores": plain_scores(found.scores)}


def footnotes(ceilings: Mapping[str, Ceiling], columns: Sequence[str]) -> list[str]:
    """Say what the ceiling was made of, and what share of the pixels it leaves out."""
    wanted = [name for name in COLUMNS if name in columns]
    if not ceilings or not wanted:
        return []
    counts = [(found.valid_pixels, int(found.matched.sum())) for found in ceilings.values()]
    valid, matched = (sum(column) for column in zip(*counts, strict=True))
    flattered = ", ".join(f"{name} {_mean([found.flattered[name] for found in ceilings.values()])}" for name in wanted)
    scenes = max(found.scenes for found in ceilings.values())
    if not matched:
        return [f"{NAME}: no colour is held by {LEAST_SCENES} of {scenes} other scenes, so there is none to be known."]
    left_out = 1 - matched / valid
    return [
        f"{NAME}: each pixel gets the mean spectrum of its colour in {scenes} other scenes. {left_out:.1%} of the"
        f" pixels, whose colour fewer than {LEAST_SCENES} of them hold, are left out of rmse@matched on both sides.",
        "That row is somewhat too high, since scenes are finitely many; with the tested scene's own pixels in the means"
        f" it is too low: {flattered}. A mean is the best function of one colour by squared error, not by these roots.",
    ]


def _mean(scores: Sequence[Score]) -> str:
    weight = sum(one.weight for one in scores)
    return f"{sum(one.weight * one.value for one in scores) / weight:.3f}" if weight else "-"
