"""A bench from start to end: check the data, compute the missing cells, write the tables."""

import os
from collections.abc import Sequence
from dataclasses import replace

from specrec.bench.computing import compute
from specrec.bench.data import read_data
from specrec.bench.folder import claim_folder
from specrec.bench.places import Place, check_place, place
from specrec.bench.plan import Plan, make_plan
from specrec.bench.planned_cells import planned_cells
from specrec.bench.results import Results, read_results
from specrec.bench.watching import Watcher
from specrec.bench.written_tables import write_tables
from specrec.cells import records


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
    dask: str | None = None,
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
    dask
        Compute on a Dask cluster instead: ``local:N`` for N workers of this machine, ``HOST:PORT`` of a scheduler, or
        its scheduler file (.json). It computes as many cells at a time as its workers have slots.
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
    ClusterError
        If the Dask cluster cannot be reached, is gone, or none of its workers fits; finished cells are kept.
    """
    watch = watcher or Watcher()
    check_place(dask, jobs)
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
    with place(plan, watch, device=device, jobs=jobs, dask=dask) as where:
        return _computed(plan, where, watch, overwrite=overwrite, save_cubes=save_cubes, skip_damaged=skip_damaged)


def _computed(
    plan: Plan, where: Place, watch: Watcher, *, overwrite: bool, save_cubes: bool, skip_damaged: bool
) -> Results:
    """Check the data, compute the missing cells of a plan, write the tables."""
    facts = read_data(plan, watch, skip_damaged=skip_damaged)
    plan = replace(plan, split=plan.split.without(list(facts.damaged)))
    for written, reason in plan.unusable.items():
        watch.note(f"{written} is left out: {reason}")
    claim_folder(plan, facts, overwrite=overwrite)
    if plan.protocol.ceiling:
        from specrec.bench.ceiling.metamers import find_ceilings

        find_ceilings(
            plan, facts, lambda done, words: watch.phase(f"finding the ceiling: {words}", done), readers=where.readers
        )
    wanted = list(planned_cells(plan, facts, save_cubes=save_cubes))
    missing = records.pending(wanted)
    for words in records.outdated(wanted):
        watch.note(words)
    watch.planned(len(wanted), len(missing))
    failed = compute(where.executor(), missing, watch)
    failed += tuple(f"{written}: {reason}" for written, reason in plan.unusable.items())
    results = replace(read_results(plan.folder, plan.protocol.metrics), failed=failed)
    write_tables(results)
    return results
