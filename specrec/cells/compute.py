"""What happens inside a cell: a method is trained, tested image by image, and scored. Timed: fit, reconstruct."""

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from specrec.cache import DISK_IS_FULL, disk_is_full
from specrec.cells import separate
from specrec.cells.answers import check_estimate, check_geometry, count_as_json, curve_as_json, score_as_json
from specrec.cells.ceiling import scores_in_cell
from specrec.cells.cell import Cell
from specrec.cells.columns import CROSS, SCORED, columns_of
from specrec.cells.cost import measure_cost, peak_memory
from specrec.cells.disturbed import Tested, scores_under_conditions
from specrec.cells.influence import save_influence
from specrec.cells.key import decided_by, key_of
from specrec.cells.looks import save_look, shown_scenes
from specrec.cells.operations import operations
from specrec.cells.records import head, write_record
from specrec.cells.region import region_mask
from specrec.cells.samples import save_sample
from specrec.cells.scoring import Scoring
from specrec.cubes import write_cube
from specrec.datasets import make_source
from specrec.datasets.unchanged import Found, open_unchanged
from specrec.errors import STOPS, CannotGoOnError, in_a_line
from specrec.interfaces import FitContext, Progress, Reconstructor, heeded, silent
from specrec.registry import registry
from specrec.rendering import rendering_id
from specrec.scenes import TrainingScene
from specrec.spectra import Cube
from specrec.threads import library_threads
from specrec.tiling import parse_tiles, reconstruct


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
    fitted = {
        "fit_seconds": time.perf_counter() - wall + context.spent.wall_seconds,
        "fit_cpu_seconds": time.process_time() - cpu + context.spent.cpu_seconds,
        "starts": 1 + context.spent.starts,
    }
    method.threads = cell.threads
    check_geometry(method)
    test = _Test(cell, method, scoring, progress)
    kept = shown_scenes(cell.test) if cell.run == 0 else []
    for index, name in enumerate(cell.test):
        progress(0.9 + 0.1 * index / len(cell.test), f"testing {name}")
        test.add(view(name), drawn=index == 0 and cell.run == 0, kept=name in kept)
    plain = replace(cell, save_cubes=False, ceiling=0, robustness=[])
    training = _Test(plain, method, Scoring(scoring.without, scoring.tell), progress)
    for name in cell.scored_training:
        progress(1.0, f"scoring {name}, trained on")
        training.add(view(name))
    cross = _test_elsewhere(cell, method, scoring, progress)
    if cell.influence and cell.run == 0:
        progress(1.0, "measuring the influence of the surroundings")
        try:
            save_influence(cell, method, [view(name) for name in cell.test])
        except CannotGoOnError:
            raise
        except Exception as error:  # a plugin may raise anything here too; the scores are kept
            scoring.broken["influence"] = in_a_line(error)
    peak = peak_memory()  # before it is set back
    cost = None
    if cell.cost:
        progress(1.0, "measuring the cost")
        seconds = fitted["fit_seconds"]
        cost = test.kept("cost", lambda one: measure_cost(cell, one, view(cell.test[0]), seconds)) or {}
        cost |= test.kept("operations", operations) or {}
    curve, count = test.kept("history_", curve_as_json), test.kept("parameter_count", count_as_json)
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


def _test_elsewhere(cell: Cell, method: Reconstructor, scoring: Scoring, progress: Progress) -> list[dict[str, Any]]:
    """Test the scenes of the other data set; a method that fails there keeps its other scores."""
    if not cell.cross:
        return []
    plain = replace(cell, save_cubes=False, ceiling=0, robustness=[])
    test = _Test(plain, method, Scoring(scoring.without, scoring.tell), progress)
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


def _named(scores: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}{CROSS}": scores[name] for name in SCORED if name in scores}


class _Test:
    """Scores one image after the other; reading and scoring are not timed, reconstructing is."""

    def __init__(self, cell: Cell, method: Reconstructor, scoring: Scoring, progress: Progress) -> None:
        self.progress = progress
        self.cell = cell
        self.method = method
        self.scoring = scoring
        self.images: list[dict[str, Any]] = []
        self.seconds = {"reconstruct_seconds": 0.0, "reconstruct_cpu_seconds": 0.0}
        self.megapixels = 0.0

    def add(self, scene: TrainingScene, *, drawn: bool = False, kept: bool = False) -> None:
        reference = scene.cube()
        rgb = scene.rgb_of(reference)
        rgb.setflags(write=False)
        wall, cpu = time.perf_counter(), time.process_time()
        estimate = reconstruct(self.method, rgb, self.cell.tiles)
        self.seconds["reconstruct_seconds"] += time.perf_counter() - wall
        self.seconds["reconstruct_cpu_seconds"] += time.process_time() - cpu
        self.megapixels += rgb.shape[0] * rgb.shape[1] / 1e6
        check_estimate(estimate, reference, scene.name)
        mask = scene.mask & region_mask(self.cell.region, *reference.shape[:2])
        scores = self.scoring.own(estimate, reference, mask, scene.wavelengths)
        if self.cell.ceiling:
            on_its_pixels = scores_in_cell(self.cell.folder, scene.name, estimate, reference)
            scores |= {name: score_as_json(one) for name, one in on_its_pixels.items()}
        if self.cell.robustness:
            tested = Tested(scene, rgb, estimate, reference, mask)
            scores |= scores_under_conditions(self.cell, self.method, tested, self.scoring.broken, self._tell(scene))
        image: dict[str, Any] = {"scene": scene.name, "valid_pixels": int(mask.sum()), "scores": scores}
        mode, size = parse_tiles(self.cell.tiles)
        if mode == "separate":
            image["separate_tiles"] = separate.compare(self.method, rgb, estimate, reference, mask, size)
        self.images.append(image)
        if self.cell.save_cubes:
            self._save(scene, estimate, reference)
        if drawn:
            save_sample(self.cell, scene, estimate, reference, mask)
        if kept:
            try:
                save_look(self.cell, scene, estimate, reference, mask)
            except CannotGoOnError:
                raise
            except Exception as error:  # the page lacks a picture, the scores are kept
                self.scoring.broken["picture"] = f"of {scene.name}: {in_a_line(error)}"
        scores |= self.scoring.others(estimate, reference, mask, scene.wavelengths)

    def kept(self, name: str, answer: Callable[[Reconstructor], Any]) -> Any:
        """Return what the method says of itself; None where it cannot, which costs it no score."""
        try:
            return answer(self.method)
        except STOPS:
            raise
        except BaseException as error:
            self.scoring.broken[name] = in_a_line(error)
            return None

    def _tell(self, scene: TrainingScene) -> Callable[[str], None]:
        done = 0.9 + 0.1 * len(self.images) / max(len(self.cell.test), 1)
        return lambda condition: self.progress(done, f"testing {scene.name}, {condition}")

    def _save(self, scene: TrainingScene, estimate: Cube, reference: Cube) -> None:
        low, high = scene.scene.extent if scene.scaling == "minmax" else (0.0, 1.0)
        attributes = {
            "quantity": scene.scene.quantity,
            "units": "1",
            "scale_min": low,
            "scale_max": high,
            "rendering": rendering_id(self.cell.quantisation),
        }
        mine = {**attributes, "method": self.cell.slug}
        write_cube(self.cell.cubes / f"{scene.name}.h5", estimate, scene.wavelengths, mine, scene.mask, overwrite=True)
        path = Path(self.cell.folder) / "cubes" / "reference" / f"{scene.name}.h5"
        if not path.exists():
            theirs = {**attributes, "method": "reference"}
            write_cube(path, reference, scene.wavelengths, theirs, scene.mask, overwrite=True)
