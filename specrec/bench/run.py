"""A bench from start to end: check the data, compute the missing cells, write the tables."""

import os
from collections.abc import Sequence
from dataclasses import replace

from specrec.bench.computing import compute
from specrec.bench.data import Data, check_data
from specrec.bench.folder import claim_folder
from specrec.bench.links import check_links
from specrec.bench.overwriting import Overwrite, parse_overwrite
from specrec.bench.places import Place, check_place, place
from specrec.bench.plan import Plan, make_plan
from specrec.bench.planned_cells import planned_cells
from specrec.bench.results import Results, read_results
from specrec.bench.stock import take_stock
from specrec.bench.watching import Watcher
from specrec.bench.written_tables import write_tables
from specrec.output_lock import lock_of_results


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
    cross: str | None = None,
    cross_data: str | os.PathLike[str] | None = None,
    limit: int | None = None,
    device: str = "auto",
    jobs: int | None = None,
    dask: str | None = None,
    output: str | os.PathLike[str] | None = None,
    overwrite: bool | Overwrite = False,
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
    folds, runs, seed, metrics, tiles, ceiling, cross
        Instead of the protocol's.
    folds_from
        A folder with ``test0.csv``, ``train0.csv``, ..
    cross_data
        The folder of the other data set that a protocol tests; default: its environment variable.
    limit
        Scenes per fold at most, and of the other data set.
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
        ``never``: compute only what is missing; ``failed``, as False: what has failed too; ``all``, as True: every
        cell of these methods, replaced when its new result is there, and a folder anew that holds something else.
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
    SpecrecError
        If a link in the results folder leads out of it, or something cannot be written.
    ClusterError
        If the Dask cluster cannot be reached, is gone, or none of its workers fits; finished cells are kept.
    """
    watch, chosen = watcher or Watcher(), parse_overwrite(overwrite)
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
        cross=cross,
        cross_data=cross_data,
        limit=limit,
        output=output,
    )
    check_links(plan.folder)
    with (
        lock_of_results(plan.folder) as lock,
        place(plan, watch, device=device, jobs=jobs, dask=dask) as where,
    ):
        if plan.folder.is_dir():  # one that is not there yet is made when the data is known to be good
            lock.take()
        plan, found = check_data(plan, watch, skip_damaged=skip_damaged)
        lock.take()
        return _computed(plan, found, where, watch, overwrite=chosen, save_cubes=save_cubes)


def _computed(
    plan: Plan, data: Data, where: Place, watch: Watcher, *, overwrite: Overwrite, save_cubes: bool
) -> Results:
    """Compute the missing cells of a plan, and write the tables."""
    for written, reason in plan.unusable.items():
        watch.note(f"{written} is left out: {reason}")
    marked, notes = claim_folder(plan, data, overwrite)
    if plan.protocol.ceiling:
        from specrec.bench.ceiling.metamers import find_ceilings

        def finding(done: float, words: str) -> None:
            watch.phase(f"finding the ceiling: {words}", done)

        find_ceilings(plan, data.facts, finding, readers=where.readers, anew=overwrite == "all")
    stock = take_stock(planned_cells(plan, data, save_cubes=save_cubes), overwrite, marked)
    for words in (*notes, *stock.notes):
        watch.note(words)
    watch.planned(stock.total, len(stock.missing))
    failed = compute(where.executor(), stock.missing, watch, ahead=where.ahead)
    marked.end(plan.methods)
    failed += tuple(f"{written}: {reason}" for written, reason in plan.unusable.items())
    results = replace(read_results(plan.folder, plan.protocol.metrics), failed=failed)
    write_tables(results)
    return results
