"""The page of a bench: its scenes pixel by pixel, its table, conditions, costs, scores per image, methods, settings."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from specrec.bench.results import Results
from specrec.bench.statistics import Comparison
from specrec.cells.looks import Look, estimate_path, read_estimate, read_look, reference_path, shown_scenes
from specrec.cubes import open_cube
from specrec.errors import DataError, SpecrecError
from specrec.report.conditions import robustness_part
from specrec.report.costs import cost_part
from specrec.report.looking import SceneToShow, Shown, pack_scenes
from specrec.report.page import PAGE_BYTES, RESERVE, as_json, write_page
from specrec.report.results_parts import (
    comparison_facts,
    method_cards,
    metric_facts,
    scores_of_images,
    settings_of_run,
    table_rows,
)
from specrec.scenes import Mask
from specrec.spectra import Cube


def write_results_page(
    results: Results, target: Path, comparisons: Mapping[tuple[str, str], Comparison] | None = None
) -> Path:
    """Write the page of a results folder, whole or not at all.

    Parameters
    ----------
    results
        As `specrec.bench.results.read_results` gives them.
    target
        The HTML file.
    comparisons
        By part and metric id, how far each method is from the best and whether it is told apart from it; None: those
        of `results`.

    Returns
    -------
    `target`. The page is at most 25 MB: it holds as many pixels as fit, and says which.

    Raises
    ------
    SpecrecError
        If the folder cannot be written to, or the tables alone are too long for a page.
    """
    settings = results.manifest.settings
    parts: dict[str, Any] = {
        "kind": "results",
        "title": f"Bench {settings['name']}, data set {settings['dataset']}",
        "lead": _lead(results),
        "metrics": metric_facts(results.metrics),
        "table": table_rows(results),
        "comparisons": comparison_facts(results.comparisons if comparisons is None else comparisons),
        "cost": cost_part(results),
        "robustness": robustness_part(results),
        "scores": scores_of_images(results),
        "methods": method_cards(results),
        "settings": settings_of_run(results),
        "failed": results.failures,
    }
    scenes, missing = _scenes(results)
    room = PAGE_BYTES - RESERVE - len(as_json({**parts, "missing": missing}))
    packed = pack_scenes(scenes, room, missing)
    return write_page(target, f"{parts['title']} - specrec", {**parts, "missing": missing, "scenes": packed})


def _lead(results: Results) -> str:
    settings = results.manifest.settings
    sizes = " and ".join(str(len(fold["test"])) for fold in results.manifest.folds)
    synthetic = ", synthetic scenes that stand in for no real data" * (settings["dataset"] == "synthetic")
    runs = f"{settings['runs']} run{'s' * (settings['runs'] > 1)}"
    count = len(results.manifest.folds)
    folds = f"{count} fold{'s' * (count > 1)} of {sizes} test scenes"
    return f"{len(results.manifest.methods)} methods, {folds}, {runs}, seed {settings['seed']}{synthetic}"


def _scenes(results: Results) -> tuple[list[SceneToShow], list[str]]:
    """Collect the scenes that cells have kept, and say what is missing."""
    scenes: list[SceneToShow] = []
    missing: list[str] = []
    for fold, names in enumerate(results.manifest.folds):
        if not any(key[1] == fold for key in results.records):
            continue
        for name in shown_scenes(names["test"]):
            found = _stored_cubes(results, fold, name, missing) or _looks(results, fold, name, missing)
            if found is not None:
                scenes.append(found)
    return scenes, missing


def _done(results: Results, fold: int) -> list[tuple[int, str, str]]:
    return [
        (style, slug, written)
        for style, (slug, written) in enumerate(results.manifest.methods.items())
        if results.records.get((slug, fold, 0), {}).get("status") == "done"
    ]


def _looks(results: Results, fold: int, name: str, missing: list[str]) -> SceneToShow | None:
    position = results.manifest.folds[fold]["test"].index(name)
    if not reference_path(results.folder, fold, position).exists():
        missing.append(f"{name}: no cell kept its reference")
        return None
    try:
        look = read_look(results.folder, fold, position, name)
    except SpecrecError as error:
        missing.append(str(error))
        return None

    def valid(step: int) -> Mask:
        return look.valid[:: step // look.step, :: step // look.step]

    def scored(step: int) -> Mask:
        return look.scored[:: step // look.step, :: step // look.step]

    shown = [Shown("truth", -1, look.wavelengths, partial(_thinned, lambda: look.cube, look), valid, "the reference")]
    for style, slug, written in _done(results, fold):
        record = results.folder / "cells" / slug / f"fold{fold}-run0.json"
        if read_estimate(record, position, look) is None:
            missing.append(f"{name}: {written} was computed without keeping a cube")
            continue
        again = partial(_estimate, record, position, look)
        shown.append(
            Shown(written, style, look.wavelengths, partial(_thinned, again, look), valid, f"estimate, {slug}")
        )
    return SceneToShow(
        name, look.shape, shown, look.quantity, "scaled to 0..1" if _scaled(results) else "", look.step, scored,
        note=_note(results, fold),
    )  # fmt: skip


def _note(results: Results, fold: int) -> str:
    runs: int = results.manifest.settings["runs"]
    return f"Tested in fold {fold}" + f", run 0 of {runs}" * (runs > 1)


def _estimate(record: Path, position: int, look: Look) -> Cube:
    found = read_estimate(record, position, look)
    if found is None:  # it was there when the page was begun
        raise DataError(f"{estimate_path(record, position)} cannot be read any more")
    return found


def _thinned(read: Callable[[], Cube], look: Look, step: int) -> Cube:
    return read()[:: step // look.step, :: step // look.step]


def _stored_cubes(results: Results, fold: int, name: str, missing: list[str]) -> SceneToShow | None:
    """Take the cubes of --save-cubes, where all of them can be read; their masks are those of the scene."""
    done = _done(results, fold)
    true = results.folder / "cubes" / "reference" / f"{name}.h5"
    paths = [results.folder / "cubes" / slug / f"fold{fold}-run0" / f"{name}.h5" for _, slug, _ in done]
    if results.manifest.settings["region"] != "full" or not done or not all(path.is_file() for path in (true, *paths)):
        return None
    try:
        with open_cube(true) as file:
            mask, wavelengths, attributes = file.mask, file.wavelengths, file.attributes
            height, width = file.shape[:2]
        for path in paths:
            with open_cube(path) as file:
                if file.shape[:2] != (height, width) or not np.array_equal(file.wavelengths, wavelengths):
                    raise DataError(f"{path} does not fit {true}")
    except SpecrecError as error:
        missing.append(f"{name}: {error}")
        return None

    def valid(step: int) -> Mask:
        whole = np.ones((height, width), dtype=np.bool_) if mask is None else mask
        return whole[::step, ::step]

    shown = [Shown("truth", -1, wavelengths, partial(_read, true), valid, "the reference")]
    for (style, slug, written), path in zip(done, paths, strict=True):
        shown.append(Shown(written, style, wavelengths, partial(_read, path), valid, f"estimate, {slug}"))
    units = "scaled to 0..1" if _scaled(results) else ""
    quantity = str(attributes.get("quantity", ""))
    return SceneToShow(name, (height, width), shown, quantity, units, note=_note(results, fold))


def _read(path: Path, step: int) -> Cube:
    with open_cube(path) as file:
        return file.read(step=step)


def _scaled(results: Results) -> bool:
    return bool(results.manifest.settings["scaling"] == "minmax")
