"""The report of a bench: a page to look at, and a folder with what a paper takes from it. Nothing is computed again."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specrec.bench import robustness
from specrec.bench.cost import as_csv, as_tex, cost_rows
from specrec.bench.figures.ablation import ablation_figure
from specrec.bench.figures.frontier import frontier_figure
from specrec.bench.figures.robustness import robustness_figure
from specrec.bench.figures.spectra import spectra_figure
from specrec.bench.figures.style import ONE_COLUMN, TWO_COLUMNS, plain_text, save
from specrec.bench.scores import shown_part
from specrec.bench.statistics import pairs
from specrec.cache import cannot_write, put_in_place
from specrec.cells.columns import under_condition
from specrec.errors import CannotGoOnError, SpecrecError, UsageError
from specrec.report import latex_tables, spreadsheets
from specrec.report.boxes import box_figure
from specrec.report.results_page import write_results_page

if TYPE_CHECKING:
    from specrec.bench.results import Results

CONTENTS = "contents.txt"
COMPILED = ("report.aux", "report.log", "report.out", "report.pdf")
"""What pdflatex makes of ``report.tex``; of an old report it would say what is no longer so."""
DPI = 300
SMALL, NORMAL = 6.0, 8.0  # points, of the text in figures
MANY = 8  # methods; the box plot of more goes over both columns


def page_path(folder: Path) -> Path:
    """The page that stands beside the folder of a report."""
    return folder.parent / f"{folder.name}.html"


def write_page(results: "Results", target: Path) -> Path:
    """Write the page on which one looks at the results.

    Raises
    ------
    SpecrecError
        If the folder cannot be written to.
    """
    return write_results_page(results, target)


def write_report(
    results: "Results",
    folder: Path,
    *,
    overwrite: bool = False,
    page: Path | None = None,
    replace_page: bool = True,
) -> list[str]:
    """Write a report: a folder of figures, LaTeX tables and spreadsheets, and the `page` beside it where one is wanted.

    Both are made beside their places and put there together when they are whole, or nothing is changed. Files that
    someone added to an old report stay. What may not be replaced stays too where it appears meanwhile.

    Parameters
    ----------
    results
        Of a bench.
    folder
        Of the report.
    overwrite
        Whether an older report may be replaced.
    page
        Where the page goes; None: there is none.
    replace_page
        Whether an older page may be replaced.

    Returns
    -------
    Names of the files in the folder.

    Raises
    ------
    UsageError
        If a report is there and may not be replaced, or the folder holds something else.
    SpecrecError
        If it cannot be written.
    """
    check_target(folder, overwrite=overwrite)
    if page is not None and page.is_dir():
        raise SpecrecError(f"cannot write {page}: it is a folder; choose another --output")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
            fresh = Path(beside) / "new"
            fresh.mkdir()
            names = _write_all(results, fresh)
            moves = {fresh: folder}
            if page is not None:
                moves[write_page(results, Path(beside) / page.name)] = page
            check_target(folder, overwrite=overwrite)  # what has appeared meanwhile stays
            _put_in_place(moves, Path(beside) / "old", overwrite=overwrite, replace_page=replace_page)
    except OSError as error:
        raise cannot_write(folder, error) from error
    except CannotGoOnError as error:
        if isinstance(error.__cause__, OSError):  # it names a folder beside, which is gone by now
            raise cannot_write(folder, error.__cause__) from error
        raise
    return names


def check_target(folder: Path, *, overwrite: bool) -> None:
    """Refuse a place that holds something else, or a report that may not be replaced."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; choose another --output")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not (folder / CONTENTS).is_file():
        raise UsageError(f"{folder} holds something that is no report; choose another --output")
    if not overwrite:
        raise UsageError(f"{folder} exists; pass --overwrite to replace it")


def _put_in_place(moves: dict[Path, Path], old: Path, *, overwrite: bool, replace_page: bool) -> None:
    """Exchange the old report for the new one, or nothing; what someone added to the old one comes along.

    `moves` are the new folder, then its page if there is one, and their places; `old` is where the old folder waits.
    """
    fresh, folder = next(iter(moves.items()))
    if folder.exists():
        listed = (folder / CONTENTS).read_text("utf-8").splitlines() if (folder / CONTENTS).is_file() else []
        for path in sorted(folder.iterdir()):
            if path.name not in {CONTENTS, *listed, *COMPILED} and not (fresh / path.name).exists():
                (shutil.copytree if path.is_dir() else shutil.copy2)(path, fresh / path.name)
    try:
        if folder.exists() and overwrite:
            folder.replace(old)
        elif folder.exists():
            folder.rmdir()  # which it lets one do only where it is empty
        fresh.replace(folder)
        for made, place in list(moves.items())[1:]:
            put_in_place([made], [place], overwrite=replace_page)
    except BaseException:  # Ctrl-C, too: what lies in `old` is deleted soon
        if any(made.exists() for made in moves):
            if not fresh.exists():
                folder.replace(fresh)
            if old.exists():
                old.replace(folder)
        raise


def _write_all(results: "Results", folder: Path) -> list[str]:
    figures = dict(_draw_all(results, folder))
    costs = cost_rows(results)
    texts: dict[str, str] = {
        "table.tex": results.table("tex"),
        "methods.tex": latex_tables.methods_list(results),
        "scores.csv": spreadsheets.scores(results),
        "comparisons.csv": spreadsheets.comparisons(results),
    }
    if results.manifest.settings["robustness"]:
        texts["robustness.csv"] = robustness.as_csv(results)
    if costs:
        texts |= {"cost.tex": as_tex(costs), "cost.csv": as_csv(costs)}
    part = shown_part(results)
    numbers = {written: index for index, written in enumerate(results.manifest.methods.values(), 1)}
    tables: dict[str, dict[str, str]] = {}
    for metric, plain in _plain(_in_full(results.metrics)).items():
        found: dict[str, str] = {}
        if (part, metric) in results.comparisons:
            found["comparison"] = latex_tables.comparison_table(results.comparisons[part, metric])
        if all_pairs := pairs(results, metric, part):
            found["pairs"] = latex_tables.pairs_table(all_pairs, numbers)
        found["scenes"] = latex_tables.scenes_table(results, metric)
        tables[metric] = {kind: f"{kind}-{plain}.tex" for kind in found}
        texts |= {f"{kind}-{plain}.tex": text for kind, text in found.items()}
    texts["report.tex"] = latex_tables.document(results, results.footnotes(), tables, figures)
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8", "backslashreplace")
    names = sorted(path.name for path in folder.iterdir())
    (folder / CONTENTS).write_text("".join(f"{name}\n" for name in names), "utf-8")
    return names


def _draw_all(results: "Results", folder: Path) -> Iterable[tuple[str, str]]:
    """Draw every figure as .pdf and .png, and yield the .pdf with its caption."""

    def draw(name: str, make: Callable[[], Any], size: float) -> bool:
        with plain_text(size):
            figure = make()
            if figure is not None:
                save(figure, (folder / f"{name}.pdf", folder / f"{name}.png"), dpi=DPI)
        return figure is not None

    if draw("figure3", lambda: spectra_figure(results, TWO_COLUMNS), SMALL):
        folds = "One test scene of each of the first two folds, as far as they are done"
        yield "figure3.pdf", f"{folds}: truth, estimate, and spectra of pixels."
    ablation = results.manifest.settings["figure"] == "ablation"
    if ablation and draw("figure4", lambda: ablation_figure(results, TWO_COLUMNS), SMALL):
        yield "figure4.pdf", f"Errors ({shown_part(results)}) over receptive fields and numbers of parameters."
    if draw("robustness", lambda: robustness_figure(results, TWO_COLUMNS), SMALL):
        yield "robustness.pdf", f"Errors ({shown_part(results)}) under the conditions of the protocol."
    if draw("frontier", lambda: frontier_figure(results, ONE_COLUMN), SMALL):
        yield (
            "frontier.pdf",
            f"{results.metrics[0]} ({shown_part(results)}) against cost; nothing below the line costs less.",
        )
    width = TWO_COLUMNS if len(results.manifest.methods) > MANY else ONE_COLUMN
    for metric, plain in _plain(_in_full(results.metrics)).items():
        name = f"boxes-{plain}"
        if draw(name, lambda metric=metric: box_figure(results, metric, width), SMALL):  # type: ignore[misc]
            yield f"{name}.pdf", f"{metric} of every test scene ({shown_part(results)})."


def _in_full(metrics: Sequence[str]) -> Sequence[str]:
    """Leave out the columns under a condition, which the figure of the conditions shows, where there are others."""
    return [metric for metric in metrics if under_condition(metric) is None] or metrics


def _plain(metrics: Iterable[str]) -> dict[str, str]:
    """Name metrics in file names that LaTeX and every system can read; two never share one."""
    found: dict[str, str] = {}
    for metric in metrics:
        plain = re.sub(r"[^a-z0-9]+", "-", metric.lower()).strip("-") or "metric"
        while plain in found.values():
            plain += "-2"
        found[metric] = plain
    return found
