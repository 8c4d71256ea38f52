"""The scores of the test scenes of a bench, as its cells hold them, and how they become a number of the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from specrec.bench.manifest import Manifest
from specrec.cells.columns import CROSS

if TYPE_CHECKING:
    from specrec.bench.results import Results

Records = Mapping[tuple[str, int, int], Mapping[str, Any]]
"""Cells by slug, fold and run."""


@dataclass(frozen=True)
class SceneScores:
    """One metric of one method on the test scenes of a part of the table.

    Parameters
    ----------
    scenes
        Their names.
    values, weights
        (runs, scenes) float64. A scene of weight 0 does not count, and its value is 0.
    """

    scenes: tuple[str, ...]
    values: NDArray[np.float64]
    weights: NDArray[np.float64]

    @cached_property
    def number(self) -> float:
        """What the table shows: over the runs, the mean of the weighted means over scenes."""
        return float(np.mean([weighted(*run) for run in zip(self.values, self.weights, strict=True)]))

    @property
    def per_scene(self) -> NDArray[np.float64]:
        """The mean over runs of each scene; NaN where it counts in none."""
        counted = self.weights > 0
        runs = counted.sum(axis=0)
        totals = np.where(counted, self.values, 0.0).sum(axis=0)
        means: NDArray[np.float64] = np.divide(totals, runs, out=np.full(len(runs), np.nan), where=runs > 0)
        return means


def parts(manifest: Manifest) -> list[tuple[str, list[int]]]:
    """Name the parts of the table, each over some folds."""
    every = len(manifest.folds)
    folds = sorted(set(manifest.settings["tested"])) or list(range(every))
    whole = [("weighted", folds)] if len(folds) == every else []
    return whole + [(f"fold {fold}", [fold]) for fold in folds]


def shown_part(results: "Results") -> str:
    """Name the part of the table to draw: the first one in which a method has numbers, so over all folds if it can."""
    listed = [part for part, _ in parts(results.manifest)]
    filled = {row.part for row in results.rows if row.slug and row.numbers}
    return next((part for part in listed if part in filled), listed[0])


def images_of(record: Mapping[str, Any], metric: str) -> Sequence[Mapping[str, Any]]:
    """List the images of a record that a column is about: those of its test scenes, or of another data set."""
    images: Sequence[Mapping[str, Any]] = record.get("cross_images" if metric.endswith(CROSS) else "images", [])
    return images


def scenes_of(manifest: Manifest, folds: Sequence[int], metric: str) -> list[str]:
    """List the scenes that a column is about, each once."""
    if metric.endswith(CROSS):
        return list(manifest.cross_scenes)
    return list(dict.fromkeys(name for fold in folds for name in manifest.folds[fold]["test"]))


def weighted(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Mean of what counts, by its weights; NaN where nothing does.

    Examples
    --------
    >>> weighted(np.array([1.0, 4.0, np.inf]), np.array([2.0, 1.0, 0.0]))
    2.0
    """
    counted = weights > 0
    if not counted.all():
        values, weights = values[counted], weights[counted]
    return float((values * weights).sum() / weights.sum()) if len(weights) else float("nan")


def scene_scores(
    records: Records, slug: str, manifest: Manifest, folds: Sequence[int], metric: str
) -> SceneScores | None:
    """Collect the scores of a method; None where a cell or a score is missing, or its scenes are others.

    A scene that several of the folds test counts as one: the mean of its values, and the sum of its weights.
    """
    scenes = scenes_of(manifest, folds, metric)
    runs = range(manifest.settings["runs"])
    values, weights = np.zeros((2, len(runs), len(scenes)))
    for run in runs:
        images = [images_of(records.get((slug, fold, run), {}), metric) for fold in folds]
        if metric.endswith(CROSS) and not all(images):  # the other folds have the same scenes: none would be missed
            return None
        found = [image for of_fold in images for image in of_fold]
        scores = [image["scores"].get(metric) for image in found]
        names = [image["scene"] for image in found]
        if not scenes or None in scores or set(names) != set(scenes):
            return None
        each = np.array([(float(score[0]), float(score[1])) for score in scores])
        if names == scenes:
            weights[run] = each[:, 1]
            counted = each[:, 1] > 0
            values[run, counted] = (each[counted, 0] * each[counted, 1] + 0.0) / each[counted, 1]
            continue
        for index, scene in enumerate(scenes):
            several = each[[name == scene for name in names]]
            weights[run, index] = several[:, 1].sum()
            if weights[run, index] > 0:
                values[run, index] = weighted(several[:, 0], several[:, 1])
    return SceneScores(tuple(scenes), values, weights)
