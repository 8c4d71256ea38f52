"""`specrec bench --dry-run`: the cells, and the hours, memory and disk that they will take; nothing is computed."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from specrec.bench.estimate import MethodEstimate, Room
    from specrec.bench.overwriting import Overwriting
    from specrec.bench.plan import Plan
    from specrec.cells.cell import Cell

PLANNED = (
    "dataset",
    "data",
    "protocol",
    "runs",
    "seed",
    "folds_from",
    "metrics",
    "tiles",
    "ceiling",
    "cross",
    "cross_data",
    "limit",
    "output",
)
"""Options that decide the plan; the others say how it is computed."""


def show_plan(
    methods: tuple[str, ...], folds: int | None, warm_up: float, rest: dict[str, Any], *, quiet: bool
) -> None:
    """Print the plan; with a `warm_up` of some seconds begin a cell of each method to judge what it takes."""
    from specrec.bench.links import check_links
    from specrec.bench.plan import make_plan
    from specrec.cli.plugins import working

    with working("planning the bench"):
        plan = make_plan(list(methods) or None, fold_count=folds, **{key: rest[key] for key in PLANNED})
    check_links(plan.folder)
    click.echo(f"protocol {plan.protocol.name}, data set {plan.protocol.dataset}, results in {plan.folder}")
    _list_cells(plan, rest)
    if warm_up > 0:
        with working("estimating the bench"):
            _estimate(plan, warm_up, rest, quiet=quiet)


def _marked(plan: "Plan", rest: dict[str, Any]) -> "Overwriting":
    from specrec.bench.overwriting import Overwriting

    marked = Overwriting(plan.folder)
    marked.choose(rest["overwrite"], plan.methods, dry=True)
    return marked


def _list_cells(plan: "Plan", rest: dict[str, Any]) -> None:
    from specrec.bench.stock import to_keep

    marked = _marked(plan, rest)
    for run in range(plan.protocol.runs):
        for index in plan.protocol.computed_folds:
            fold = plan.split.folds[index]
            for slug, (written, _) in plan.methods.items():
                path = plan.folder / "cells" / slug / f"fold{index}-run{run}.json"
                there = to_keep(path, rest["overwrite"], marked, save_cubes=rest["save_cubes"]) is not None
                size = f"train on {len(fold.train)}, test {len(fold.test)}"
                click.echo(f"{written} fold {index} run {run}: {size} ({'there' if there else 'to compute'})")
    for written, reason in plan.unusable.items():
        click.echo(f"{written}: cannot be computed: {reason}")
    if plan.split.unused:
        click.echo(f"unused scenes: {', '.join(plan.split.unused)}")


def _estimate(plan: "Plan", warm_up: float, rest: dict[str, Any], *, quiet: bool) -> None:
    from specrec.bench import estimate
    from specrec.bench.data import check_data
    from specrec.bench.places import local_devices
    from specrec.bench.planned_cells import planned_cells
    from specrec.bench.stock import take_stock
    from specrec.bench.warm_up import warm_up as begin
    from specrec.cli.progress import BenchProgress, Line

    line = Line(quiet=quiet)
    watch = BenchProgress(line)
    devices = local_devices(plan, watch, device=rest["device"], jobs=rest["jobs"])
    _show_rooms(estimate.room_for_scenes(plan))
    plan, found = check_data(plan, watch, skip_damaged=rest["skip_damaged"])
    facts = found.facts
    wanted = planned_cells(plan, found, save_cubes=rest["save_cubes"])
    missing = take_stock(wanted, rest["overwrite"], _marked(plan, rest)).missing
    if not missing:
        line.clear()
        click.echo("nothing is to be computed")
        return
    rooms = estimate.room_for_cells(plan, facts, missing)
    chosen = estimate.first_of_each(missing)
    line.say(f"beginning a cell of each of {len(chosen)} methods, for {warm_up:g} s from its first step")
    trials = begin(chosen, devices, warm_up)
    line.clear()
    _show_times(missing, estimate.method_estimates(missing, trials), warm_up, len(devices), rest)
    _show_memory([trial.peak_bytes for trial in trials], len(devices), plan)
    _show_rooms(rooms)


def _show_times(
    missing: "Sequence[Cell]", estimates: "dict[str, MethodEstimate]", warm_up: float, jobs: int, rest: dict[str, Any]
) -> None:
    from specrec.bench.estimate import total_seconds

    where = "on this machine, not on the cluster" if rest.get("dask") else "on this machine"
    click.echo(f"estimated {where} from the first {warm_up:g} s of steps of a cell of each method:")
    for one in estimates.values():
        trial = one.trial
        if trial.failed:
            told = f"it fails: {trial.failed}"
        elif one.seconds is None:
            told = "not known: too few steps were seen; raise --warm-up"
        else:
            done = trial.told[-1][1] if trial.told else 0.0
            seen = "a whole one was computed" if trial.finished else f"{math.floor(1e4 * done) / 100:.2f}% was done"
            untested = "" if one.tested else ", without testing"
            told = f"{duration(one.seconds)} each ({seen}{untested})"
        peak = f", {size(trial.peak_bytes)} of memory so far" if trial.peak_bytes else ""
        click.echo(f"  {one.written}: {one.cells} cell{'s' * (one.cells > 1)}, {told}{peak}")
    known = all(one.seconds is not None and one.tested for one in estimates.values())
    total = total_seconds(missing, estimates, jobs)
    click.echo(f"  all {len(missing)}, {jobs} at a time: {'' if known else 'at least '}{duration(total)}")


def _show_memory(peaks: "list[int | None]", jobs: int, plan: "Plan") -> None:
    from specrec.memory import available_memory

    known = [peak for peak in peaks if peak is not None]
    if known:
        needed, free = jobs * max(known), available_memory()
        warning = _warning(needed > free, "lower --jobs")
        click.echo(f"memory: {jobs} at a time, up to {size(needed)}; {size(free)} is free{warning}")
    if plan.protocol.ceiling:
        click.echo("not in it: the ceiling, which is found before the cells")


def _show_rooms(rooms: "Sequence[Room]") -> None:
    taken: dict[int, int] = {}
    for room in rooms:
        free = room.free
        taken[free] = taken.get(free, 0) + room.needed  # two folders with the same room are on one disk
        click.echo(
            f"disk: {room.what} take up to {size(room.needed)} in {room.folder}; {size(free)} is free"
            f"{_warning(taken[free] > free, 'make room')}"
        )


def _warning(short: bool, way_out: str) -> str:
    return f"; WARNING: it does not fit, {way_out}" if short else ""


def duration(seconds: float) -> str:
    """Write seconds for readers.

    Examples
    --------
    >>> [duration(seconds) for seconds in (3.2, 240, 9000)]
    ['3 s', '4 min', '2.5 h']
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Write bytes for readers.

    Examples
    --------
    >>> [size(count) for count in (4600, 12e6, 3.21e9)]
    ['5 kB', '12 MB', '3.2 GB']
    """
    if count < 1e9:
        return f"{count / 1e6:.0f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
    return f"{count / 1e9:.1f} GB"
