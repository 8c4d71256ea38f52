"""A bench from start to end: check the data, compute the missing cells, write the tables."""

import os
import re
from collections.abc import Sequence
from dataclasses import replace

from specrec.bench.computing import compute
from specrec.bench.data import read_data
from specrec.bench.folder import claim_folder
from specrec.bench.plan import Plan, make_plan
from specrec.bench.planned_cells import planned_cells
from specrec.bench.results import Results, read_results
from specrec.bench.watching import Watcher
from specrec.bench.written_tables import write_tables
from specrec.cells import records
from specrec.cells.executors.in_process import InProcess
from specrec.cells.executors.local import LocalProcesses
from specrec.cells.executors.slots import slots

NETWORKS_ONLY = re.compile(r"cuda(:\d+)?|mps")
"""Devices that nothing but a network uses."""


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
    devices = devices_for(plan, device, jobs, watch)
    facts = read_data(plan, watch, skip_damaged=skip_damaged)
    plan = replace(plan, split=plan.split.without(list(facts.damaged)))
    for written, reason in plan.unusable.items():
        watch.note(f"{written} is left out: {reason}")
    claim_folder(plan, facts, overwrite=overwrite)
    if plan.protocol.ceiling:
        from specrec.bench.ceiling.metamers import find_ceilings

        find_ceilings(
            plan, facts, lambda done, words: watch.phase(f"finding the ceiling: {words}", done), readers=len(devices)
        )
    wanted = list(planned_cells(plan, facts, save_cubes=save_cubes))
    missing = records.pending(wanted)
    for words in records.outdated(wanted):
        watch.note(words)
    watch.planned(len(wanted), len(missing))
    executor = LocalProcesses(devices, watch.cell, watch.note) if jobs != 0 else InProcess(devices[0], watch.cell)
    failed = compute(executor, missing, watch)
    failed += tuple(f"{written}: {reason}" for written, reason in plan.unusable.items())
    results = replace(read_results(plan.folder, plan.protocol.metrics), failed=failed)
    write_tables(results)
    return results


def devices_for(plan: Plan, device: str, jobs: int | None, watch: Watcher) -> list[str]:
    """Choose the device of each cell that computes at a time."""
    networks = any("torch" in method.requires for _, method in plan.methods.values())
    if not networks and NETWORKS_ONLY.fullmatch(device):
        watch.note(f"--device {device} has no effect: none of these methods is a network, all compute on the CPU")
        device = "cpu"
    return slots(device if networks or device != "auto" else "cpu", jobs, plan.protocol.threads)
