"""A results folder that no bench has to be run for: its scores are those that a test asks for."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from specrec.bench.results import Results, read_results

MadeResults = Callable[..., Results]


@pytest.fixture
def made_results(tmp_path: Path) -> MadeResults:
    """Write and read a results folder.

    `scores` by method and metric are (runs, scenes) or (scenes,); `weights` (scenes,), or likewise by method. Scenes go
    into the two folds in halves, or into one. `failed` are cells that have failed: (method, fold, run).
    """

    def make(
        scores: Mapping[str, Mapping[str, ArrayLike]],
        weights: ArrayLike | Mapping[str, ArrayLike] | None = None,
        *,
        names: list[str] | None = None,
        folds: int = 2,
        failed: Mapping[tuple[str, int, int], str] | None = None,
        unusable: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Results:
        every = {
            name: {key: np.atleast_2d(np.asarray(v, float)) for key, v in by.items()} for name, by in scores.items()
        }
        metrics = list(dict.fromkeys(key for by in every.values() for key in by))
        runs, count = next(iter(next(iter(every.values())).values())).shape
        scenes = names or [f"scene{index}" for index in range(count)]
        parts = [list(part) for part in np.array_split(np.arange(count), folds)]
        folder = tmp_path / "made"
        manifest = {
            "settings": {"name": "made", "dataset": "cave", "metrics": metrics, "runs": runs, "ceiling": 0, **settings},
            "folds": [{"test": [scenes[i] for i in part], "train": []} for part in parts],
            "unused": [],
            "scenes": {},
            "rendering": "none",
            "methods": {f"m{index}": name for index, name in enumerate(every)},
            "unusable": dict(unusable or {}),
        }
        folder.mkdir(exist_ok=True)
        (folder / "manifest.json").write_text(json.dumps(manifest))
        for index, (name, by) in enumerate(every.items()):
            mine = weights.get(name) if isinstance(weights, Mapping) else weights
            weight = np.broadcast_to(np.ones(count) if mine is None else np.asarray(mine, float), (runs, count))
            for fold, part in enumerate(parts):
                for run in range(runs):
                    reason = (failed or {}).get((name, fold, run))
                    record: dict[str, Any] = {
                        "results_version": 1, "status": "failed" if reason else "done", "method": name, "written": name,
                        "slug": f"m{index}", "fold": fold, "run": run, "settings": {}, "broken_metrics": {},
                    }  # fmt: skip
                    if reason:
                        record["reason"] = reason
                    else:
                        record["images"] = [
                            {
                                "scene": scenes[i],
                                "valid_pixels": 1,
                                "scores": {key: [_plain(v[run, i]), weight[run, i], 0.0] for key, v in by.items()},
                            }
                            for i in part
                        ]
                    path = folder / "cells" / f"m{index}" / f"fold{fold}-run{run}.json"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(json.dumps(record))
        return read_results(folder)

    return make


def _plain(value: float) -> float | str:
    return float(value) if np.isfinite(value) else str(value)
