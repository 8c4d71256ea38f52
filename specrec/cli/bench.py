"""`specrec bench`: train and test methods under one protocol, and print the table."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specrec.cli import options

if TYPE_CHECKING:
    from specrec.bench.results import Results


@click.command(name="bench")
@click.option("-m", "--methods", multiple=True, envvar="SPECREC_METHODS",
              help="Methods, such as gan,arad or gan[branches=4,epochs=50]; default: the protocol's.")  # fmt: skip
@click.option("-d", "--dataset", envvar="SPECREC_DATASET",
              help="synthetic (default), cave, icvl, folder or a plugin's; options in brackets.")  # fmt: skip
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the data set.")
@click.option("--protocol", envvar="SPECREC_PROTOCOL", help="A protocol's name or a .toml file.")
@click.option("--folds", type=int, envvar="SPECREC_FOLDS", help="Number of folds, instead of the protocol's.")
@click.option("--runs", type=int, envvar="SPECREC_RUNS", help="Repetitions with further seeds.")
@click.option("--seed", type=int, envvar="SPECREC_SEED", help="Seed of the split and of every cell.")
@click.option("--folds-from", type=click.Path(path_type=Path), help="Folder with test0.csv, train0.csv, ..")
@click.option("--metrics", envvar="SPECREC_METRICS", help="Columns, such as rmse,sam.")
@options.tiles
@click.option("--ceiling", type=int, help="Further scenes for the ceiling, instead of the protocol's; 0: leave it out.")
@click.option("--cross", help="Another data set to test on, where the protocol has cross-data; options in brackets.")
@click.option("--cross-data", type=click.Path(path_type=Path), help="Folder of the data set of --cross.")
@click.option("--limit", type=int, help="At most so many scenes per fold.")
@options.device
@click.option("-j", "--jobs", type=int, envvar="SPECREC_JOBS",
              help="Cells at a time; default: the cores, or one per GPU; 0: in this process.")  # fmt: skip
@options.dask
@click.option("-o", "--output", type=click.Path(path_type=Path), envvar="SPECREC_OUTPUT",
              help="Results folder [default: specrec-results/PROTOCOL-DATASET].")  # fmt: skip
@click.option("--format", "form", default="table", show_default=True, help="Of the table: table, md, csv, tex or json.")
@click.option("--overwrite", type=click.Choice(["never", "failed", "all"]), is_flag=False, flag_value="all",
              default="failed", show_default=True,
              help="What to compute again of what is there; --overwrite alone is all.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="List the cells, estimate what they take, and stop.")
@click.option("--warm-up", type=click.FloatRange(0), default=10.0, show_default=True,
              help="With --dry-run: seconds of steps that are seen of each method; 0: no estimate.")  # fmt: skip
@click.option("--reproduce", type=click.Path(path_type=Path), metavar="CELL.json",
              help="Compute the cell of this record again, elsewhere, and compare.")  # fmt: skip
@click.option("--tolerance", type=float, metavar="SHARE",
              help="With --reproduce: what a number may be off [default: 0 on one machine, else 0.02].")  # fmt: skip
@click.option("--save-cubes", is_flag=True, help="Also write every estimate and every scaled reference.")
@options.skip_damaged
@options.quiet
def command(
    methods: tuple[str, ...], folds: int | None, form: str, dry_run: bool, warm_up: float, quiet: bool, **rest: Any
) -> None:
    """Train and test methods under one two-fold protocol and print the table.

    Results go to a folder; a second start computes only what is missing. Exit code 3: some cells or methods
    failed, and the table says why.
    """
    reproduced, tolerance = rest.pop("reproduce"), rest.pop("tolerance")
    if reproduced is not None:
        from specrec.cli.bench_reproduce import reproduce_cell

        reproduce_cell({**rest, "reproduce": reproduced, "tolerance": tolerance, "quiet": quiet})
        return
    from specrec.bench.tables import FORMS
    from specrec.errors import PartialFailureError, UsageError

    if tolerance is not None:
        raise UsageError("--tolerance is for --reproduce; leave it out, or name the record")
    options.flag_over_environment(rest, "jobs", "dask")
    if form not in FORMS:
        raise UsageError(f"unknown table format {form!r}; choose from {', '.join(FORMS)}")
    if dry_run:
        from specrec.cli.bench_plan import show_plan

        show_plan(methods, folds, warm_up, rest, quiet=quiet)
        return
    from specrec.bench.run import bench
    from specrec.cli.plugins import working
    from specrec.cli.progress import BenchProgress, Line

    line = Line(quiet=quiet)
    with working("the bench"):
        results = bench(list(methods) or None, folds=folds, watcher=BenchProgress(line), **rest)
    click.echo(results.table(form), nl=False)
    page = _write_page(results, line.say)
    line.say(f"tables, cells and figure are in {results.folder}" + (f", the page is {page}" if page else ""))
    earlier = [f"{failure} (in an earlier start)" for failure in results.failures if failure not in results.failed]
    failed = [*results.failed, *earlier]
    words = []
    if failed:
        what = "1 cell or method" if len(failed) == 1 else f"{len(failed)} cells or methods"
        words.append(f"{what} failed: {'; '.join(failed)}")
    if results.troubles:
        words.append(f"not known: {'; '.join(results.troubles)}")
    if words:
        raise PartialFailureError("; ".join(words))


def _write_page(results: "Results", say: Callable[[str], None]) -> Path | None:
    """Write the page that shows the results; where that fails, say why and return None: the bench itself is done."""
    from specrec.errors import SpecrecError
    from specrec.report.folder import page_path, write_page

    try:
        return write_page(results, page_path(results.folder / "report"))
    except Exception as error:  # whatever it is, the numbers are safe
        words = str(error) if isinstance(error, SpecrecError) else f"{type(error).__name__}: {error}"
        say(f"no page could be written: {words}")
        return None
