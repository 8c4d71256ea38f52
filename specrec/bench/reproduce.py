"""One cell of a results folder computed again, away from it, and held against what its record says."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from specrec.bench.cross import Cross, source_of_cross
from specrec.bench.likeness import ELSEWHERE, Likeness, compare_images
from specrec.bench.links import check_links
from specrec.bench.manifest import Manifest, read_manifest
from specrec.bench.rows import TRAINING
from specrec.bench.watching import Watcher
from specrec.cells import records
from specrec.cells.ceiling import ceiling_path
from specrec.cells.cell import Cell
from specrec.cells.compute import run_cell
from specrec.cells.executors.in_process import InProcess
from specrec.cells.executors.local import LocalProcesses
from specrec.cells.executors.slots import slots
from specrec.cells.key import decided_by, differences
from specrec.datasets import find_folder, make_source, scene_names
from specrec.datasets.survey import Survey, survey
from specrec.errors import DataError, SpecrecError, UsageError, explained, in_a_line
from specrec.interfaces import SceneSource, heeded
from specrec.registry import registry

_PARTS_OF_MACHINE = ("processor", "accelerator", "device")


def reproduce(
    path: str | os.PathLike[str],
    data: str | os.PathLike[str] | None = None,
    *,
    cross_data: str | os.PathLike[str] | None = None,
    tolerance: float | None = None,
    device: str = "auto",
    jobs: int | None = None,
    watcher: Watcher | None = None,
) -> Likeness:
    """Compute the cell of a record again and compare every image and metric; the results folder stays as it is.

    Parameters
    ----------
    path
        The record, in a results folder: ``cells/<slug>/fold<k>-run<r>.json``.
    data
        Folder of its data set; default: the environment variable of the data set.
    cross_data
        Folder of the other data set, where the protocol has one that is only tested; default: likewise.
    tolerance
        Relative, of a cell's number; a single image may differ by five times that. Default: 0 where the machine and all
        versions are the same and nothing computes on a GPU, and 0.02 elsewhere.
    device
        ``auto``: the one of the record, if it is there.
    jobs
        0: in this process; otherwise in one of its own.
    watcher
        Is told how far it is.

    Raises
    ------
    SpecrecError
        If the file is no record of a cell that is done, its folder has no manifest, or the method fails now.
    UsageError
        If the tolerance is negative, or the method, data set or its folder is unknown.
    DataError
        If scenes are damaged.
    """
    if tolerance is not None and not tolerance >= 0:
        raise UsageError(f"--tolerance is a number from 0, such as 0.02, not {tolerance:g}")
    watch, path = watcher or Watcher(), Path(path)
    folder = _folder_of(path)
    record = records.read(path)
    if record is None:
        raise SpecrecError(f"{path} is not there; a record is RESULTS/cells/METHOD/fold0-run0.json")
    if record["status"] != "done":
        raise SpecrecError(f"{path} is of a cell that failed ({record['reason']}); there is nothing to compare with")
    manifest = read_manifest(folder)
    try:
        return _again(folder, record, manifest, (data, cross_data), tolerance, device, watch, in_process=jobs == 0)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:  # edited by hand, or damaged
        raise SpecrecError(f"{path} or the manifest of its folder is damaged ({in_a_line(error)})") from error


def _folder_of(path: Path) -> Path:
    """Find the results folder that a record lies in, also by a link from outside to the record."""
    for place in (path.absolute(), Path(os.path.realpath(path))):
        folder = place.parent.parent.parent
        if (folder / "manifest.json").exists():
            check_links(folder)
            return folder
    what = "lies in no results folder" if path.exists() else "is not there"
    raise SpecrecError(f"{path} {what}; a record is RESULTS/cells/METHOD/fold0-run0.json")


def _again(
    folder: Path,
    record: Mapping[str, Any],
    manifest: Manifest,
    where: tuple[str | os.PathLike[str] | None, str | os.PathLike[str] | None],
    tolerance: float | None,
    device: str,
    watch: Watcher,
    *,
    in_process: bool,
) -> Likeness:
    source_class = registry().scene_source(record["dataset"])
    source = make_source(source_class, find_folder(source_class, where[0]), manifest.settings["options"])
    names = [*manifest.folds[record["fold"]]["test"], *record["train"]]
    facts = _read(source, names, watch)
    cross = _cross(manifest, where[1], watch)
    with TemporaryDirectory(prefix="specrec-reproduce-") as scratch:
        cell = replace(_cell(record, manifest, source, facts, scratch), cross=cross)
        named = [str(one) for one in differences(record.get("decided_by", {}), decided_by(cell))]
        if "decided_by" not in record:
            named.append("the record does not say what decided it: it is of a specrec before 0.6")
        for name in cell.test if cell.ceiling else ():
            _copy(ceiling_path(folder, name), ceiling_path(scratch, name))
        (place,) = _place(record["device"] if device == "auto" else device, cell.threads, watch)
        again = _compute(replace(cell, influence=0, device=place), place, watch, in_process=in_process)
    compared = [
        compare_images(record["images"], again["images"]),
        compare_images(record["training_images"], again["training_images"], TRAINING),
        compare_images(record.get("cross_images", []), again["cross_images"]),
    ]
    rows = tuple(row for found in compared for row in found[0])
    lost, new = (
        tuple(name for found in compared for name in found[1]),
        tuple(name for found in compared for name in found[2]),
    )
    machine = _of_machine(record, again)
    expected, reason = _expected(named, machine, again["device"])
    if tolerance is not None:
        expected, reason = tolerance, "as asked for"
    return Likeness(cell.label, (*named, *machine), rows, lost, new, expected, reason)


def _cross(manifest: Manifest, folder: str | os.PathLike[str] | None, watch: Watcher) -> dict[str, Any]:
    """Read the scenes of the other data set again, those that the manifest has."""
    if not manifest.settings["cross"]:
        if folder is not None:
            raise UsageError(f"--cross-data {os.fspath(folder)}: the bench of this cell had no other data set")
        return {}
    source = source_of_cross(manifest.settings["cross"], folder)
    names = list(manifest.cross_scenes)
    return Cross(source, tuple(names)).for_cell(_read(source, names, watch))


def _read(source: SceneSource, names: list[str], watch: Watcher) -> Survey:
    for name in {*names} - {*scene_names(source)}:
        raise DataError(f"the data set {source.name!r} has no scene {name!r}, and the cell needs it")
    with explained(f"the data set {source.name!r} cannot make its scenes", DataError):
        source.prepare(names, heeded(lambda done, words: watch.phase(f"making scenes: {words}", done)))
    facts = survey(source, names, lambda done, words: watch.phase(f"checking scenes: {words}", done))
    for name, reason in facts.damaged.items():
        raise DataError(f"scene {name} is damaged: {reason}; the cell needs it")
    return facts


def _cell(record: Mapping[str, Any], manifest: Manifest, source: SceneSource, facts: Survey, folder: str) -> Cell:
    settings = manifest.settings
    return Cell(
        **{name: record[name] for name in ("method", "settings", "written", "fold", "seed", "train")},
        **{name: record[name] for name in ("dataset", "scaling", "region", "tiles", "threads")},
        run=int(record["run"]),  # it becomes a part of paths
        test=list(manifest.folds[record["fold"]]["test"]),
        data=str(source.path.resolve()) if source.path is not None else None,
        options=dict(source.settings),
        extents={name: (one.low, one.high) for name, one in facts.facts.items()},
        contents={name: one.sha256 for name, one in facts.facts.items()},
        quantisation=settings["quantisation"],
        device="cpu",
        folder=folder,
        scored_training=[image["scene"] for image in record["training_images"]],
        influence=settings["influence"],
        ceiling=settings["ceiling"],
        robustness=list(settings["robustness"]),
    )


def _copy(old: Path, new: Path) -> None:
    new.parent.mkdir(exist_ok=True)
    try:
        shutil.copyfile(old, new)
    except FileNotFoundError:
        raise SpecrecError(f"{old} is missing; the bench of this folder makes it again") from None


def _place(device: str, threads: int, watch: Watcher) -> list[str]:
    try:
        return slots(device, 1, threads)
    except UsageError:
        found = slots("auto", 1, threads)
        watch.note(f"there is no device {device} here; the cell is computed on {found[0]}")
        return found


def _compute(cell: Cell, device: str, watch: Watcher, *, in_process: bool) -> dict[str, Any]:
    executor = InProcess(device, watch.cell) if in_process else LocalProcesses([device], watch.cell, watch.note)
    finished = False
    try:
        record: dict[str, Any] = executor.submit(run_cell, cell.values()).result()
        finished = True
    finally:
        executor.shutdown(cancel_futures=not finished)
    if record["status"] != "done":
        raise SpecrecError(f"{cell.label} fails now: {record['reason']}")
    return record


def _of_machine(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Name what differs in what computed the two, beside what decides a cell."""
    words = [
        f"{part} {then.get(part) or 'not recorded'} (now {now[part]})"
        for part in _PARTS_OF_MACHINE
        if then.get(part) != now[part]
    ]
    before, after = then["versions"], now["versions"]
    shared = [name for name in before if name not in ("specrec", "plugin") and before[name] != after.get(name)]
    return words + [f"{name} {before[name]} (now {after.get(name, 'not there')})" for name in shared]


def _expected(named: list[str], machine: list[str], device: str) -> tuple[float, str]:
    if named:
        return ELSEWHERE, "what decides the cell is not the same"
    if machine:
        return ELSEWHERE, "the machine or its software is another"
    if device != "cpu":
        return ELSEWHERE, "a GPU need not give the same bits twice"
    return 0.0, "the same machine and the same software"
