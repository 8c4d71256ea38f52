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
    expected = {f"{name}.{form}" for name in ("figure3", "boxes-rmse") for form in ("pdf", "png")}
    expected |= {f"{name}-rmse.tex" for name in ("comparison", "pairs", "scenes")}
    expected |= {"table.tex", "methods.tex", "report.tex", "scores.csv", "comparisons.csv", "contents.txt"}
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
    scores = {name: {"rmse": rng.random((2, 5)), "gfc": rng.random((2, 5))} for name in "ab"}
    results = made_results(scores, [1, 2, 3, 4, 0])
    write_report(results, tmp_path / "report")
    with (tmp_path / "report" / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 5 * 2
    mine = [row for row in rows if (row["method"], row["metric"]) == ("a", "rmse")]
    mean = np.average([float(row["value"]) for row in mine], weights=[float(row["weight"]) for row in mine])
    assert mean == pytest.approx(results.value("a"), rel=1e-12)
    with (tmp_path / "report" / "comparisons.csv").open(newline="") as file:
        compared = list(csv.DictReader(file))
    assert len(compared) == 3 * 2
    assert float(compared[0]["difference"]) == results.comparisons["weighted", "rmse"].differences[0].estimate
    assert {row["standing"] for row in compared} == {"tied"}


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
    assert cells[0][2] == f"\\textbf{{{found.p_holm[0, 1]:.3f}}}".replace("{0.", "{.")
    assert cells[2][1] == f"\\textbf{{${found.estimate[2, 0]:.3f}$}}"
    scenes = (tmp_path / "report" / "scenes-rmse.tex").read_text()
    assert scenes.count("scene") == 9 + 2


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
    assert not list(tmp_path.glob(".*"))


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
        ((made, "--metrics", "rmse@matched"), 2, "rmse@matched needs a ceiling, and these results have none"),
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
