"""A bench from start to end: check the data, compute the missing cells, write the tables."""

import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from specrec.bench import cells, manifest
from specrec.bench.cells import Cell
from specrec.bench.compute import run_cell
from specrec.bench.executors import InProcess, LocalProcesses, slots
from specrec.bench.figures.ablation import draw_ablation
from specrec.bench.figures.influence import draw_influence
from specrec.bench.figures.spectra import draw_figure
from specrec.bench.folds import sampled
from specrec.bench.plan import Plan, make_plan
from specrec.bench.protocol import region_mask
from specrec.bench.results import Results, read_results
from specrec.cache import written_whole
from specrec.datasets.survey import Survey, check_rendered_grid, survey
from specrec.errors import DataError, SpecrecError, explained, in_a_line
from specrec.interfaces import heeded

NETWORKS_ONLY = re.compile(r"cuda(:\d+)?|mps")
"""Devices that nothing but a network uses."""

TABLE_FILES = {"md": "table.md", "csv": "table.csv", "tex": "table.tex", "json": "table.json"}


class Watcher:
    """Is told how far a bench is. This one passes over everything; the command line shows it on standard error."""

    def phase(self, words: str, done: float) -> None:
        """Something common is under way, such as reading the data."""

    def note(self, words: str) -> None:
        """Something that the user should know."""

    def planned(self, total: int, missing: int) -> None:
        """So many cells there are, and so many are to be computed."""

    def cell(self, label: str, done: float, words: str) -> None:
        """One cell is under way."""

    def finished(self, record: Mapping[str, Any]) -> None:
        """One cell is stored."""


def bench(
    methods: str | Sequence[str] | None = None,
    dataset: str | None = None,
    data: str | os.PathLike[str] | None = None,
    *,
    protocol: str | None = None,
    folds: int | None = None,
    runs: int | None = None,
    seed: int | None = None,
    folds_from: str | os.PathLike[str] | None = None,
    metrics: str | Sequence[str] | None = None,
    tiles: str | None = None,
    ceiling: int | None = None,
    limit: int | None = None,
    device: str = "auto",
    jobs: int | None = None,
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    save_cubes: bool = False,
    skip_damaged: bool = False,
    watcher: Watcher | None = None,
) -> Results:
    """Train and test methods under one protocol and return the table.

    Parameters
    ----------
    methods
        Such as ``["gan", "arad"]`` or ``"gan[branches=4],arad"``. Default: those the protocol names.
    dataset
        ``synthetic``, ``cave``, ``icvl``, ``folder`` or a plugin's, with options in brackets. Default: the protocol's.
    data
        Its folder; default: the environment variable of the data set.
    protocol
        A name or a .toml file. Default: that of the data set, else ``embedded``.
    folds, runs, seed, metrics, tiles, ceiling
        Instead of the protocol's.
    folds_from
        A folder with ``test0.csv``, ``train0.csv``, ..
    limit
        Scenes per fold at most.
    device
        ``auto``, ``cpu``, ``cuda[:N]`` or ``mps``.
    jobs
        Cells at a time, each in a process of its own; 0: in this process. Changes time and never a number.
        Default: as many as there are cores (or GPUs).
    output
        Results folder; default ``specrec-results/<protocol>-<dataset>``.
    overwrite
        Compute the cells again that are there; start a folder anew that holds something else.
    save_cubes
        Also write every estimate and every scaled reference.
    skip_damaged
        Leave damaged scenes out instead of stopping.
    watcher
        Is told how far it is.

    Returns
    -------
    The results. What failed is a row with a note, and listed in ``failed``.

    Raises
    ------
    UsageError
        For anything unknown or contradictory, before any work.
    PluginError
        If no method can be used; one of several that is of a broken plugin is a row with the reason.
    DataError
        If scenes are damaged.
    """
    watch = watcher or Watcher()
    plan = make_plan(
        methods,
        dataset,
        data,
        protocol=protocol,
        fold_count=folds,
        runs=runs,
        seed=seed,
        folds_from=folds_from,
        metrics=metrics,
        tiles=tiles,
        ceiling=ceiling,
        limit=limit,
        output=output,
    )
    networks = any("torch" in method.requires for _, method in plan.methods.values())
    if not networks and NETWORKS_ONLY.fullmatch(device):
        watch.note(f"--device {device} has no effect: none of these methods is a network, all compute on the CPU")
        device = "cpu"
    devices = slots(device if networks or device != "auto" else "cpu", jobs, plan.protocol.threads)
    facts = _read_data(plan, watch, skip_damaged=skip_damaged)
    plan = replace(plan, split=plan.split.without(list(facts.damaged)))
    for written, reason in plan.unusable.items():
        watch.note(f"{written} is left out: {reason}")
    _claim_folder(plan, facts, overwrite=overwrite)
    if plan.protocol.ceiling:
        from specrec.bench.ceiling.metamers import find_ceilings

        find_ceilings(
            plan, facts, lambda done, words: watch.phase(f"finding the ceiling: {words}", done), readers=len(devices)
        )
    wanted = list(_cells(plan, facts, save_cubes=save_cubes))
    missing = cells.pending(wanted)
    for words in cells.outdated(wanted):
        watch.note(words)
    watch.planned(len(wanted), len(missing))
    executor = LocalProcesses(devices, watch.cell, watch.note) if jobs != 0 else InProcess(devices[0], watch.cell)
    failed = _compute(executor, missing, watch)
    failed += tuple(f"{written}: {reason}" for written, reason in plan.unusable.items())
    results = replace(read_results(plan.folder, plan.protocol.metrics), failed=failed)
    write_tables(results)
    return results


def write_tables(results: Results) -> None:
    """Write the table in every form, and the figure, into the results folder."""
    for form, name in TABLE_FILES.items():
        with written_whole(results.folder / name) as temporary:
            temporary.write_text(results.table(form), "utf-8")
    draw_figure(results, results.folder / "figure.png")
    if results.manifest.settings["figure"] == "ablation":
        draw_ablation(results, results.folder / "figure4.png", results.folder / "figure4.pdf")
        draw_influence(results, results.folder / "influence.png", results.folder / "influence.pdf")


def _read_data(plan: Plan, watch: Watcher, *, skip_damaged: bool) -> Survey:
    used = plan.split.used
    with explained(f"the data set {plan.source.name!r} cannot make its scenes", DataError):
        plan.source.prepare(used, heeded(lambda done, words: watch.phase(f"making scenes: {words}", done)))
    facts = survey(plan.source, used, lambda done, words: watch.phase(f"checking scenes: {words}", done))
    if facts.damaged and not skip_damaged:
        name, reason = next(iter(facts.damaged.items()))
        others = f" (and {len(facts.damaged) - 1} more)" if len(facts.damaged) > 1 else ""
        raise DataError(f"scene {name} is damaged{others}: {reason}; repair it, or pass --skip-damaged")
    for name, reason in facts.damaged.items():
        watch.note(f"scene {name} is left out: {reason}")
    check_rendered_grid(facts)
    for found in facts.facts.values():
        region_mask(plan.protocol.region, *found.shape[:2])
    return facts


def _claim_folder(plan: Plan, facts: Survey, *, overwrite: bool) -> None:
    """Write the manifest, where nothing else has one in this folder."""
    scenes = {name: asdict(facts.facts[name]) for name in plan.split.used}
    described = manifest.make_manifest(plan.protocol, plan.split, scenes)
    if overwrite:
        _forget(plan, described)
    agreed = manifest.agree(plan.folder, described)
    agreed.methods.update({slug: written for slug, (written, _) in plan.methods.items()})
    agreed.unusable.update(plan.unusable)
    for written in agreed.methods.values():
        agreed.unusable.pop(written, None)  # its own rows say more, computed now or before
    manifest.write_manifest(plan.folder, agreed)


def _forget(plan: Plan, described: manifest.Manifest) -> None:
    """Make room for computing again: remove the cells of these methods, or everything where the rest differs."""
    try:
        manifest.agree(plan.folder, described)
        gone = list(plan.methods)
    except SpecrecError:
        gone = ["*"]
        (plan.folder / "manifest.json").unlink(missing_ok=True)
        shutil.rmtree(plan.folder / "looks", ignore_errors=True)
    shutil.rmtree(plan.folder / "ceiling", ignore_errors=True)
    for part in ("cells", "cubes", "checkpoints"):
        for old in (found for name in gone for found in (plan.folder / part).glob(name)):
            shutil.rmtree(old)


def _cells(plan: Plan, facts: Survey, *, save_cubes: bool) -> Iterable[Cell]:
    chosen = plan.protocol
    for run in range(chosen.runs):
        for index in chosen.computed_folds:
            fold = plan.split.folds[index]
            scored = sampled(fold.train, chosen.score_training, (chosen.seed, index))
            known = {name: facts.facts[name] for name in fold.test + fold.train}
            for written, method in plan.methods.values():
                yield Cell(
                    method=method.name,
                    written=written,
                    settings=dict(method.settings),
                    fold=index,
                    run=run,
                    seed=cells.seed_of(chosen.seed, index, run),
                    train=list(fold.train),
                    test=list(fold.test),
                    dataset=chosen.dataset,
                    data=str(plan.source.path.resolve()) if plan.source.path is not None else None,
                    options=dict(plan.source.settings),
                    extents={name: (one.low, one.high) for name, one in known.items()},
                    contents={name: one.sha256 for name, one in known.items()},
                    scaling=chosen.scaling,
                    quantisation=chosen.quantisation,
                    region=chosen.region,
                    tiles=chosen.tiles,
                    threads=chosen.threads,
                    device="cpu",
                    folder=str(plan.folder.resolve()),
                    save_cubes=save_cubes,
                    scored_training=scored,
                    influence=chosen.influence,
                    ceiling=chosen.ceiling,
                )


def _compute(executor: Executor, missing: Sequence[Cell], watch: Watcher) -> tuple[str, ...]:
    """Compute cells, and say of each that failed why."""
    started = time.time()
    futures: dict[Future[dict[str, Any]], Cell] = {}
    failed = []
    finished = False
    try:
        for cell in missing:
            futures[executor.submit(run_cell, asdict(cell))] = cell
        for future in as_completed(futures):
            cell = futures[future]
            error = future.exception()
            record = future.result() if error is None else cells.write_failure(cell, in_a_line(error))
            if record["status"] == "failed":
                failed.append(f"{cell.label}: {record['reason']}")
            watch.finished(record)
        finished = True
    finally:
        executor.shutdown(cancel_futures=not finished)
        for folder in {place for cell in missing for place in cell.folders}:
            for left in folder.glob(".*"):  # what a process that was stopped had begun to write
                left.unlink(missing_ok=True)
        for folder in {place for cell in missing for place in cell.shared_folders}:
            for left in folder.glob(".*"):  # another bench of other methods may be writing the newer ones just now
                with suppress(FileNotFoundError):
                    if left.stat().st_mtime < started:
                        left.unlink()
        for folder in sorted({place for cell in missing for place in list(cell.checkpoint.parents)[:2]}, reverse=True):
            with suppress(OSError):  # it is not there, or a training that was stopped keeps its state in it
                folder.rmdir()
    return tuple(sorted(failed))
