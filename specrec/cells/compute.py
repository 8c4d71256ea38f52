"""What happens inside a cell: a method is trained and its test scenes are reconstructed, and the record is written."""

import shutil
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from specrec.cache import DISK_IS_FULL, disk_is_full
from specrec.cells.answers import check_geometry, count_as_json, curve_as_json
from specrec.cells.cell import Cell
from specrec.cells.columns import CROSS, SCORED, columns_of
from specrec.cells.cost import measure_cost, peak_memory
from specrec.cells.influence import save_influence
from specrec.cells.key import decided_by, key_of
from specrec.cells.looks import shown_scenes
from specrec.cells.operations import operations
from specrec.cells.records import head, write_record
from specrec.cells.scoring import Scoring
from specrec.cells.tested_images import TestedImages
from specrec.datasets import make_source
from specrec.datasets.unchanged import Found, open_unchanged
from specrec.errors import STOPS, CannotGoOnError, in_a_line
from specrec.interfaces import FitContext, Progress, Reconstructor, heeded, silent
from specrec.registry import registry
from specrec.scenes import TrainingScene
from specrec.threads import library_threads


def run_cell(values: Mapping[str, Any], progress: Progress = silent, scoring: Scoring | None = None) -> dict[str, Any]:
    """Train and test one cell, write its file and return the record that it holds.

    A method that fails gives a record that says so.

    Parameters
    ----------
    values
        A `Cell` as a dictionary.
    progress
        Called with the fraction done and a few words.
    scoring
        Knows which metrics of third parties are not to be computed, and tells of the others.

    Raises
    ------
    CannotGoOnError
        If a file cannot be written, or data changed: no cell gets past that, and it is no failure of this one.
    """
    cell = Cell(**values)
    record = head(cell)
    try:
        with library_threads(cell.threads):
            record |= _train_and_test(cell, progress, scoring or Scoring())
        record["status"] = "done"
    except MemoryError:
        record |= {"status": "failed", "reason": "out of memory"}
    except (CannotGoOnError, *STOPS):
        raise
    except BaseException as error:  # whatever a method raises is its row's reason, and the rest goes on
        if isinstance(error, OSError) and error.errno in DISK_IS_FULL:
            raise disk_is_full(cell.label, error) from error
        record |= {"status": "failed", "reason": in_a_line(error)}
    written = write_record(cell, record)
    if written["status"] == "done":
        cell.checkpoint.unlink(missing_ok=True)
        if not cell.save_cubes:  # those of the result that this one has replaced
            shutil.rmtree(cell.cubes, ignore_errors=True)
    return written


def _train_and_test(cell: Cell, progress: Progress, scoring: Scoring) -> dict[str, Any]:
    method = registry().reconstructor(cell.method)(**cell.settings)
    check_geometry(method)
    view = _views(cell, method, cell.values())
    key = key_of(decided_by(cell))
    device = cell.device if "torch" in method.requires else "cpu"
    told = heeded(lambda done, words: progress(0.9 * done, words))
    context = FitContext(cell.seed, device, cell.threads, told, cell.checkpoint, identity=key)
    wall, cpu = time.perf_counter(), time.process_time()
    method.fit([view(name) for name in cell.train], context)
    fitted: dict[str, Any] = {
        "fit_seconds": time.perf_counter() - wall + context.spent.wall_seconds,
        "fit_cpu_seconds": time.process_time() - cpu + context.spent.cpu_seconds,
        "starts": 1 + context.spent.starts,
        "circumstances": context.spent.circumstances,
    }
    method.threads = cell.threads
    check_geometry(method)
    test = TestedImages(cell, method, scoring, progress)
    pictured = shown_scenes(cell.test) if cell.run == 0 else []
    for index, name in enumerate(cell.test):
        progress(0.9 + 0.1 * index / len(cell.test), f"testing {name}")
        test.add(view(name), sampled=index == 0 and cell.run == 0, pictured=name in pictured)
    training = TestedImages.only_scored(cell, method, scoring, progress)
    for name in cell.scored_training:
        progress(1.0, f"scoring {name}, trained on")
        training.add(view(name))
    cross = _test_cross_data(cell, method, scoring, progress)
    if cell.influence and cell.run == 0:
        progress(1.0, "measuring the influence of the surroundings")
        try:
            save_influence(cell, method, [view(name) for name in cell.test])
        except CannotGoOnError:
            raise
        except Exception as error:  # a plugin may raise anything here too; the scores are kept
            scoring.broken["influence"] = in_a_line(error)
    peak = peak_memory()  # before it is set back
    answer = partial(_answer, method, scoring.broken)
    cost = None
    if cell.cost:
        progress(1.0, "measuring the cost")
        seconds = fitted["fit_seconds"]
        cost = answer("cost", lambda one: measure_cost(cell, one, view(cell.test[0]), seconds)) or {}
        cost |= answer("operations", operations) or {}
    curve, count = answer("history_", curve_as_json), answer("parameter_count", count_as_json)
    return {
        "device": device,
        "input": method.input,
        "images": test.images,
        "training_images": training.images,
        "cross_images": cross,
        "curve": curve or [],
        **fitted,
        **test.seconds,
        "megapixels": test.megapixels,
        "broken_metrics": scoring.broken,
        "parameter_count": count,
        "receptive_field": method.receptive_field,
        "peak_memory_bytes": peak,
        "cost": cost,
        "cubes_saved": cell.save_cubes,
    }


def _views(cell: Cell, method: Reconstructor, data: Mapping[str, Any]) -> Callable[[str], TrainingScene]:
    """Give the scenes of a data set by name, as a method sees them; `data` has the keys of `Cell.cross`."""
    path = Path(data["data"]) if data["data"] is not None else None
    source = make_source(registry().scene_source(data["dataset"]), path, data["options"])

    def view(name: str) -> TrainingScene:
        low, high = data["extents"][name]
        found = Found((low, high), data["contents"][name], data["stamps"].get(name, ()))
        scene = open_unchanged(source, name, found, "the bench")
        return TrainingScene(scene, cell.scaling, cell.quantisation, method.input)

    return view


def _test_cross_data(cell: Cell, method: Reconstructor, scoring: Scoring, progress: Progress) -> list[dict[str, Any]]:
    """Test the scenes of the other data set; a method that fails there keeps its other scores."""
    if not cell.cross:
        return []
    test = TestedImages.only_scored(cell, method, scoring, progress)
    try:
        view = _views(cell, method, cell.cross)
        for name in cell.cross["scenes"]:
            progress(1.0, f"testing {name} of the other data set")
            test.add(view(name))
    except (CannotGoOnError, MemoryError):
        raise
    except Exception as error:
        scoring.broken |= dict.fromkeys(columns_of(["cross-data"]), in_a_line(error))
        return []
    return [image | {"scores": _named(image["scores"])} for image in test.images]


def _answer(method: Reconstructor, broken: dict[str, str], name: str, ask: Callable[[Reconstructor], Any]) -> Any:
    """Return what a method says of itself; None, and why in `broken`, where it cannot, which costs it no score."""
    try:
        return ask(method)
    except STOPS:
        raise
    except BaseException as error:
        broken[name] = in_a_line(error)
        return None


def _named(scores: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}{CROSS}": scores[name] for name in SCORED if name in scores}
