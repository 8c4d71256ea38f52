"""`specrec report`: the page, figures, LaTeX tables and spreadsheets of a bench that is done."""

from pathlib import Path

import click

from specrec.cli import options


@click.command(name="report")
@click.argument("results", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path),
              help="Folder of the report; the page stands beside it [default: RESULTS/report].")  # fmt: skip
@click.option("--metrics", envvar="SPECREC_METRICS", help="Columns, such as rmse,sam; default: those of the bench.")
@click.option("--overwrite", is_flag=True, help="Replace an older report.")
@options.quiet
def command(results: Path, output: Path | None, metrics: str | None, overwrite: bool, quiet: bool) -> None:
    """Write what a paper takes from the results folder of a bench, and a page to look at.

    Nothing is computed again. The folder holds figures as .pdf and .png, LaTeX tables with a document that shows
    them all (pdflatex report.tex), and .csv files of every score and comparison.
    """
    from specrec.bench.results import read_results
    from specrec.cli.progress import Line
    from specrec.errors import UsageError
    from specrec.parameters import split_specs
    from specrec.report.folder import check_target, page_path, write_report

    line = Line(quiet=quiet)
    found = read_results(results, tuple(split_specs(metrics)) if metrics else None)
    folder = output if output is not None else results / "report"
    page = page_path(folder)
    check_target(folder, overwrite=overwrite)
    if output is not None and page.exists() and not overwrite:
        raise UsageError(f"{page} exists; pass --overwrite to replace it")
    for failure in found.failures:
        line.say(f"not in the report: {failure}")
    names = write_report(
        found,
        folder,
        overwrite=overwrite,
        page=page,
        replace_page=overwrite or output is None,  # the bench's own page
    )
    line.say(f"the page is {page}, {len(names)} files for a paper are in {folder}")
