"""A footnote on what separate tiles cost against the truth, of what every cell has compared."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from specrec.bench.manifest import Manifest
from specrec.cells.separate import Pair
from specrec.tiling import SEAM, parse_tiles


def footnotes(manifest: Manifest, records: Mapping[tuple[str, int, int], Mapping[str, Any]]) -> list[str]:
    """Say for each method of a bench in separate tiles what they cost it, over all its images, folds and runs."""
    mode, size = parse_tiles(manifest.settings["tiles"])
    if mode != "separate":
        return []
    notes = []
    for slug, written in manifest.methods.items():
        images = [image for key, record in records.items() if key[0] == slug for image in record.get("images", [])]
        overall, near = (
            _mean(image.get("separate_tiles", {}).get(part) for image in images) for part in ("overall", "near")
        )
        if overall is not None:
            note = f"{written}: separate tiles of {size} cost {_cost(overall)} RMSE"
            notes.append(note + (f", within {SEAM} pixels of a seam {_cost(near)}" if near is not None else "") + ".")
    return notes


def _mean(pairs: Iterable[Pair | None]) -> tuple[float, float] | None:
    found = np.array([pair for pair in pairs if pair is not None], dtype=np.float64)
    if not len(found):
        return None
    separate, exact = np.average(found[:, :2], axis=0, weights=found[:, 2])
    return float(separate), float(exact)


def _cost(means: tuple[float, float]) -> str:
    return f"{means[0] - means[1]:+.4f} ({means[0]:.4f}, exactly {means[1]:.4f})"
