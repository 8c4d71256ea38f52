"""`specrec report`: every file is made, the same bytes every time, hostile names do no harm, LaTeX compiles."""

import csv
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from specrec.bench.figures.style import broken
from specrec.bench.results import Results, read_results
from specrec.bench.run import bench
from specrec.bench.statistics import pairs
from specrec.cli import main
from specrec.errors import SpecrecError, UsageError
from specrec.report.folder import write_report

Made = Callable[..., Results]
DATA = "synthetic[scenes=4,size=32]"
HOSTILE = ["gan[a_b=50%,c=$x$]", r"\input{/etc/passwd}", "^~<|>&#\"`'", "光[álvarez=1]", "x" * 120, "a--b[*]"]


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def quick_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specrec.report.folder.DPI", 60)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["specrec", *map(str, words)])
        with pytest.raises(SystemExit) as leaving:
            main()
        said = capsys.readouterr()
        return Outcome(int(leaving.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, own_cache: None) -> Results:
    """A real bench, with one method that fails in every cell."""
    folder = tmp_path_factory.mktemp("bench") / "r"
    methods = "mean,linear,gan[crop=64]"
    return bench(methods, DATA, metrics="rmse", limit=2, output=folder, jobs=0, device="cpu", ceiling=0)


def hostile(made_results: Made, *, metric: str = "rmse", scenes: int = 7) -> Results:
    rng = np.random.default_rng(0)
    names = [f"s_{index}%$^&" for index in range(scenes)]
    scores = {name: {metric: rng.random(scenes) + index} for index, name in enumerate(HOSTILE)}
    return made_results(scores, rng.integers(1, 9, scenes), names=names)


def simple_page(results: Results, target: Path, comparisons: object = None) -> Path:
    """Stand in for the page where it is not what is tested."""
    target.write_text("page")
    return target


def compiles(folder: Path) -> str:
    """Run pdflatex twice, since longtable learns its widths, and return the text of the document."""
    for _ in range(2):
        words = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "-no-shell-escape", "report.tex"]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
        assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
    if shutil.which("pdftotext") is None:
        return ""
    return subprocess.run(
        ["pdftotext", "report.pdf", "-"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def test_a_bench_with_failed_cells_has_a_report_with_every_file(cli: Callable[..., Outcome], results: Results) -> None:
    outcome = cli("report", results.folder)
    assert outcome.code == 0
    assert outcome.out == ""
    assert "not in the report: gan[crop=64] fold 0 run 0: " in outcome.err
    assert str(results.folder / "report.html") in outcome.err
    assert (results.folder / "report.html").stat().st_size > 1000
    folder = results.folder / "report"
    expected = {f"{name}.{form}" for name in ("figure3", "frontier", "boxes-rmse") for form in ("pdf", "png")}
    expected |= {f"{name}-rmse.tex" for name in ("comparison", "pairs", "scenes")}
    expected |= {"table.tex", "methods.tex", "report.tex", "cost.tex"}
    expected |= {"scores.csv", "comparisons.csv", "cost.csv", "contents.txt"}
    assert {path.name for path in folder.iterdir()} == expected
    assert set((folder / "contents.txt").read_text().split()) == expected - {"contents.txt"}
    assert (folder / "table.tex").read_text() == results.table("tex")
    assert not list(results.folder.glob(".*"))


def test_figures_have_truetype_fonts_and_no_date_and_are_the_same_every_time(results: Results, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    names = write_report(results, first)
    assert write_report(read_results(results.folder), second) == names
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    for path in first.glob("*.pdf"):
        content = path.read_bytes()
        assert b"/CIDFontType2" in content
        assert b"/Type3" not in content
        assert b"CreationDate" not in content


def test_spreadsheets_hold_every_score_and_every_comparison(made_results: Made, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scores = {name: {"rmse": rng.random((2, 8)), "gfc": rng.random((2, 8))} for name in "ab"}
    results = made_results(scores, [1, 2, 3, 4, 5, 6, 7, 0])
    write_report(results, tmp_path / "report")
    with (tmp_path / "report" / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 8 * 2
    mine = [row for row in rows if (row["method"], row["metric"]) == ("a", "rmse")]
    mean = np.average([float(row["value"]) for row in mine], weights=[float(row["weight"]) for row in mine])
    assert mean == pytest.approx(results.value("a"), rel=1e-12)
    with (tmp_path / "report" / "comparisons.csv").open(newline="") as file:
        compared = list(csv.DictReader(file))
    assert len(compared) == 3 * 2
    assert float(compared[0]["difference"]) == results.comparisons["weighted", "rmse"].differences[0].estimate
    expected = {"weighted": "not told apart", "fold 0": "", "fold 1": ""}  # four scenes can tell nothing
    assert all(row["standing"] == expected[row["part"]] for row in compared)


def test_the_tables_say_what_was_computed(made_results: Made, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    results = made_results({name: {"rmse": rng.random(9) + index} for index, name in enumerate("abc")})
    write_report(results, tmp_path / "report")
    compared = (tmp_path / "report" / "comparison-rmse.tex").read_text()
    one = results.comparisons["weighted", "rmse"].differences[1]
    assert f"c & ${one.estimate:+.4g}$ & $[{one.low:.4g}, {one.high:.4g}]$" in compared
    found = pairs(results, "rmse")
    assert found is not None
    lines = (tmp_path / "report" / "pairs-rmse.tex").read_text().splitlines()
    cells = [line.removesuffix(r" \\").split(" & ") for line in lines if line.startswith(("1 &", "2 &", "3 &"))]
    assert cells[0][2] == f"\\textbf{{\\boldmath {found.p_holm[0, 1]:.3f}}}".replace(" 0.", " .")
    assert cells[2][1] == f"\\textbf{{\\boldmath ${found.estimate[2, 0]:.3f}$}}"
    scenes = (tmp_path / "report" / "scenes-rmse.tex").read_text()
    assert len(re.findall(r"^scene\d", scenes, re.MULTILINE)) == 9


def test_the_best_score_of_each_scene_is_bold_in_whichever_block_it_stands(made_results: Made, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scores = {f"m{index}": {"rmse": rng.random(6), "gfc": rng.random(6)} for index in range(11)}
    scores["m10"]["rmse"][:2] = -1.0, 3.0  # of the second block
    scores["m3"]["rmse"][2] = scores["m4"]["rmse"][2] = -2.0
    scores["m5"]["gfc"][3] = np.nan
    write_report(made_results(scores), tmp_path / "report")
    for metric, best in (("rmse", np.nanmin), ("gfc", np.nanmax)):
        text = (tmp_path / "report" / f"scenes-{metric}.tex").read_text()
        table = np.array([by[metric] for by in scores.values()])
        for scene, column in enumerate(table.T):
            lines = "".join(line for line in text.splitlines() if line.startswith(f"scene{scene} "))
            bold = re.findall(r"\\textbf\{\\boldmath \$(\S+)\$\}", lines)
            value = best(column)
            digits = 3 if abs(value) >= 1 else 5
            assert bold == [f"{value:.{digits}f}"] * int((column == value).sum())


def test_small_numbers_have_a_power_of_ten_that_latex_sets(made_results: Made, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    results = made_results({name: {"rmse": 1e-5 * (rng.random(9) + index)} for index, name in enumerate("abc")})
    write_report(results, tmp_path / "report")
    for kind in ("comparison", "pairs", "scenes"):
        text = (tmp_path / "report" / f"{kind}-rmse.tex").read_text()
        assert re.search(r"\d\\times10\^\{-\d+\}", text)
        assert not re.search(r"\de-\d", text)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_the_document_compiles_whatever_the_names(made_results: Made, tmp_path: Path) -> None:
    write_report(hostile(made_results), tmp_path / "report")
    text = compiles(tmp_path / "report")
    if text:
        assert "root:" not in text
        assert r"\input{/etc/passwd}" in text.replace("\n", "")
        assert "[U+5149]" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_many_methods_and_scenes_fit_the_pages(made_results: Made, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    metrics = ["rmse", "rrmse", "gfc", "sam", "de2000", "psnr", "rmse@arad2016", "mrae@ntire2020"]
    scores = {f"method[number={i}]": {metric: rng.random(110) for metric in metrics} for i in range(24)}
    scores["method[number=3]"]["psnr"][0] = np.inf
    results = made_results(scores, metrics=["psnr"])
    write_report(results, tmp_path / "report")
    text = compiles(tmp_path / "report")
    if text:
        assert "scene109" in text


def test_hostile_names_are_drawn_as_they_are(made_results: Made, tmp_path: Path) -> None:
    results = hostile(made_results, metric="rmse@arad2016")
    names = write_report(results, tmp_path / "report")
    assert "boxes-rmse-arad2016.pdf" in names
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in names)


def test_a_text_that_a_spreadsheet_would_compute_is_kept_a_text(made_results: Made, tmp_path: Path) -> None:
    names = ["=1+1", "@SUM(A1)", "-2+3", "+x", "-1e3"]
    results = made_results({name: {"rmse": -np.arange(7.0) * (1 + i)} for i, name in enumerate(names)})
    write_report(results, tmp_path / "report")
    with (tmp_path / "report" / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["method"] for row in rows} == {"'=1+1", "'@SUM(A1)", "'-2+3", "'+x", "-1e3"}
    assert min(float(row["value"]) for row in rows) == -30.0
    assert "'=1+1" in (tmp_path / "report" / "comparisons.csv").read_text()


def test_a_bench_that_lacks_a_fold_has_statistics_of_the_one_that_is_done(made_results: Made, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    scores = {name: {"rmse": rng.random(16) + index} for index, name in enumerate("abc")}
    results = made_results(scores, failed={(name, 0, 0): "not computed" for name in scores}, figure="ablation")
    names = write_report(results, tmp_path / "report")
    assert {"comparison-rmse.tex", "pairs-rmse.tex", "boxes-rmse.pdf"} <= set(names)
    document = (tmp_path / "report" / "report.tex").read_text()
    for words in ("Differences to the best (fold 1)", "Scores per scene (fold 1)", "every test scene (fold 1)",
                  "Errors (fold 1) over"):  # fmt: skip
        assert words in document
    assert "\n% rmse, fold 1" in "\n" + (tmp_path / "report" / "comparison-rmse.tex").read_text()


def test_every_marker_of_figure_3_shows_its_colour_on_the_picture_at_the_border_too() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import to_rgb
    from matplotlib.figure import Figure

    from specrec.bench.figures.spectra import _draw_triplet
    from specrec.bench.figures.style import PALETTE

    places = [(0, 0), (0, 255), (255, 0), (255, 255), (80, 80), (80, 160), (160, 80), (160, 160)]
    sample = {
        "scene": "s", "pixels": places, "wavelengths": np.arange(400, 701, 10),
        "reference_rgb": np.zeros((256, 256, 3)), "estimate_rgb": np.zeros((256, 256, 3)),
        "reference_spectra": np.zeros((8, 31)), "estimate_spectra": np.zeros((8, 31)),
    }  # fmt: skip
    figure = Figure(figsize=(6, 2), dpi=300)
    axes = figure.subplots(1, 3)
    _draw_triplet(axes, sample, 0.6, titled=False)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.asarray(canvas.buffer_rgba())[::-1, :, :3] / 255.0
    half = 0.5 * 3.0 * 300 / 72  # of a marker of 3 points, in dots
    for (row, column), colour in zip(places, PALETTE, strict=True):
        x, y = axes[0].transData.transform((column, row))
        box = drawn[round(y - half) : round(y + half), round(x - half) : round(x + half)]
        share = (np.abs(box - to_rgb(colour)).max(axis=2) < 0.15).mean()
        assert share > 0.22, (colour, share)


def test_infinite_scores_are_left_out_of_the_boxes_and_it_is_said(made_results: Made) -> None:
    from specrec.report.boxes import box_figure

    values = np.arange(1.0, 9.0)
    values[0] = np.inf
    figure = box_figure(made_results({"a": {"psnr": values}, "b": {"psnr": values + 1}}), "psnr", 3.5)
    assert "2 infinite or undefined scores are not drawn" in figure._supxlabel.get_text().replace("\n", " ")
    assert len(figure.axes[0].collections[0].get_offsets()) == 7


def test_an_old_report_is_replaced_whole_when_asked_and_what_others_added_stays(
    made_results: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = made_results({"a": {"rmse": np.arange(5.0)}, "b": {"rmse": np.arange(5.0) + 1}})
    folder = tmp_path / "report"
    write_report(results, folder)
    with pytest.raises(UsageError, match="exists; pass --overwrite"):
        write_report(results, folder)
    (folder / "mine.txt").write_text("mine")
    (folder / "old.tex").write_text("of an older specrec")
    (folder / "report.pdf").write_text("compiled from the old report")
    with (folder / "contents.txt").open("a") as file:
        file.write("old.tex\n")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr("specrec.report.spreadsheets.comparisons", lambda results: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write_report(results, folder, overwrite=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    write_report(results, folder, overwrite=True)
    assert (folder / "mine.txt").read_text() == "mine"
    assert not (folder / "old.tex").exists()
    assert not (folder / "report.pdf").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("stopped_after", [1, 2])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_is_stopped_while_the_report_is_exchanged_leaves_the_old_one(
    made_results: Made,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stopped_after: int,
    error: type[BaseException],
) -> None:
    results = made_results({"a": {"rmse": np.arange(5.0)}, "b": {"rmse": np.arange(5.0) + 1}})
    folder, page = tmp_path / "report", tmp_path / "report.html"
    monkeypatch.setattr("specrec.report.folder.write_results_page", simple_page)
    write_report(results, folder, page=page)
    (folder / "mine.txt").write_text("mine")
    (folder / "table.tex").write_text("the old table")
    page.write_text("the old page")
    before = {path.name: path.read_bytes() for path in [page, *folder.iterdir()]}
    rename, done = Path.replace, []

    def stops(path: Path, target: Path) -> Path:
        if {path, target} & {folder, page}:
            done.append(path)
            if len(done) == stopped_after + 1:
                raise error
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", stops)
    with pytest.raises((KeyboardInterrupt, SpecrecError)):
        write_report(results, folder, overwrite=True, page=page)
    assert len(done) > stopped_after
    assert {path.name: path.read_bytes() for path in [page, *folder.iterdir()]} == before
    assert {path.name for path in tmp_path.iterdir()} == {"report", "report.html", "made"}


def test_a_report_whose_page_cannot_be_written_changes_nothing(
    cli: Callable[..., Outcome], made_results: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made_results({"a": {"rmse": np.arange(5.0)}, "b": {"rmse": np.arange(5.0) + 1}}).folder
    monkeypatch.setattr("specrec.report.folder.write_results_page", simple_page)
    assert cli("report", folder).code == 0
    assert (folder / "report.html").read_text() == "page"
    (folder / "report" / "table.tex").write_text("the old table")

    def fails(*_: object) -> None:
        raise SpecrecError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("specrec.report.folder.write_results_page", fails)
        outcome = cli("report", folder, "--overwrite")
    assert outcome.code == 1
    assert outcome.err == "specrec: error: the disk is full\n"
    assert (folder / "report" / "table.tex").read_text() == "the old table"
    (folder / "report.html").unlink()
    (folder / "report.html").mkdir()
    outcome = cli("report", folder, "--overwrite")
    assert outcome.code == 1
    assert "report.html: it is a folder" in outcome.err
    assert (folder / "report" / "table.tex").read_text() == "the old table"
    assert not list(folder.glob(".*"))


def test_what_cannot_be_meant_is_one_sentence(cli: Callable[..., Outcome], made_results: Made, tmp_path: Path) -> None:
    made = made_results({"a": {"rmse": np.arange(5.0)}, "b": {"rmse": np.arange(5.0)}}).folder
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("")
    for words, code, said in (
        ((tmp_path / "nowhere",), 1, "nowhere is no results folder"),
        ((tmp_path / "file",), 1, "file is no results folder"),
        ((made, "--metrics", "rsme"), 2, "unknown metric 'rsme'; did you mean 'rmse'?"),
        ((made, "--metrics", "rmse@matched"), 2, "rmse@matched needs a ceiling, and there is none here"),
        ((made, "-o", other, "--overwrite"), 2, "other holds something that is no report"),
        ((made, "-o", tmp_path / "file"), 2, "file is a file"),
        ((made, "-o", tmp_path / "file" / "x"), 1, "cannot write"),
    ):
        outcome = cli("report", *words)
        assert outcome.code == code, outcome.err
        assert said in outcome.err
        assert len(outcome.err.strip().splitlines()) == 1
    assert [path.name for path in other.iterdir()] == ["thesis.tex"]
    assert not (made / "report").exists()


def test_a_bench_ends_with_its_page_and_does_not_fail_where_there_can_be_none(
    cli: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("bench", "-m", "mean,linear", "-d", DATA, "--limit", 2, "-j", 0, "--ceiling", 0, "-o", tmp_path / "r")
    outcome = cli(*words)
    assert outcome.code == 0
    assert outcome.err.splitlines()[-1] == (
        f"tables, cells and figure are in {tmp_path / 'r'}, the page is {tmp_path / 'r' / 'report.html'}"
    )
    assert (tmp_path / "r" / "report.html").is_file()

    def fails(*_: object) -> None:
        raise SpecrecError("the disk is full")

    monkeypatch.setattr("specrec.report.folder.write_results_page", fails)
    outcome = cli(*words)
    assert outcome.code == 0
    assert "no page could be written: the disk is full" in outcome.err


@pytest.mark.usefixtures("results")
def test_rows_that_failed_in_an_earlier_start_leave_with_3(cli: Callable[..., Outcome], results: Results) -> None:
    outcome = cli("bench", "-m", "mean", "-d", DATA, "--metrics", "rmse", "--limit", 2, "-j", 0, "--ceiling", 0,
                  "--device", "cuda", "-o", results.folder)  # fmt: skip
    assert outcome.code == 3
    assert "2 cells or methods failed: gan[crop=64] fold 0 run 0: " in outcome.err
    assert outcome.err.count("(in an earlier start)") == 2
    assert "--device cuda has no effect: none of these methods is a network" in outcome.err


def test_an_unknown_metric_is_told_from_the_ceilings_columns_where_there_is_a_ceiling(
    cli: Callable[..., Outcome],
) -> None:
    for words, there in ((("--ceiling", 5), True), (("--ceiling", 0), False)):
        outcome = cli("bench", "-m", "mean", "-d", DATA, "--metrics", "foo", *words)
        assert outcome.code == 2
        assert ("rmse@matched" in outcome.err) == there


def test_long_names_are_broken_and_nothing_of_them_is_lost() -> None:
    for name in (*HOSTILE, ""):
        assert broken(name).replace("\n", "") == name
        assert max(map(len, broken(name).split("\n"))) <= 22


@pytest.mark.parametrize("taken", ["folder", "page"])
def test_what_appears_while_a_report_is_made_stays_and_nothing_is_put_there(
    made_results: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    folder, page = tmp_path / "new", tmp_path / "new.html"

    def draw(_results: Results, _folder: Path) -> list[tuple[str, str]]:
        if taken == "folder":
            folder.mkdir()
        (folder / "contents.txt" if taken == "folder" else page).write_text("theirs")
        return []

    def write(_results: Results, target: Path) -> Path:
        target.write_text("mine")
        return target

    monkeypatch.setattr("specrec.report.folder._draw_all", draw)
    monkeypatch.setattr("specrec.report.folder.write_page", write)
    results = made_results({name: {"rmse": np.arange(6.0) + index} for index, name in enumerate("ab")})
    with pytest.raises(UsageError, match="exists"):
        write_report(results, folder, page=page, replace_page=False)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("new*") if path.is_file()}
    assert left | {path.relative_to(tmp_path).as_posix() for path in folder.rglob("*")} == (
        {"new/contents.txt"} if taken == "folder" else {"new.html"}
    )
    assert not list(tmp_path.glob(".new*"))
