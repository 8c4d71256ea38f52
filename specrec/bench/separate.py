"""What separate tiles cost against the truth: each image is also estimated exactly, and a footnote says both."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from specrec.bench.manifest import Manifest
from specrec.interfaces import Reconstructor
from specrec.metrics.spectral import rmse
from specrec.scenes import Image, Mask, Window
from specrec.spectra import Cube
from specrec.tiling import SEAM, near_seams, parse_tiles, reconstruct

Pair = tuple[float, float, float]
"""RMSE of the separate tiles, RMSE of the exact estimate, and the pixels that both are means over."""


def compare(
    method: Reconstructor, rgb: Image, separate: Cube, reference: Cube, mask: Mask, size: int
) -> dict[str, Pair]:
    """Score separate tiles of `size` beside the exact estimate, ``overall`` and ``near`` a seam where one counts."""
    exact = reconstruct(method, rgb)
    height, width = mask.shape
    near = mask & near_seams(Window(0, 0, height, width), (height, width), size)
    pairs = {}
    for part, chosen in {"overall": mask, "near": near}.items():
        if chosen.any():
            scores = [rmse(estimate, reference, chosen) for estimate in (separate, exact)]
            pairs[part] = (scores[0].value, scores[1].value, scores[0].weight)
    return pairs


def footnotes(manifest: Manifest, records: Mapping[tuple[str, int, int], Mapping[str, Any]]) -> list[str]:
    """Say for each method of a bench in separate tiles what they cost it, over all its images, folds and runs."""
    mode, size = parse_tiles(manifest.settings["tiles"])
    if mode != "separate":
        return []
    notes = []
    for slug, written in manifest.methods.items():
        images = [image for key, record in records.items() if key[0] == slug for image in record.get("images", [])]
        overall, near = (_mean(image["separate_tiles"].get(part) for image in images) for part in ("overall", "near"))
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
