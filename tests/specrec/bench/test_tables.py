"""The table in its five forms: ties are marked in each, columns stay aligned, hostile names stay text."""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specrec.bench.latex import comment, escape
from specrec.bench.results import Results
from specrec.bench.statistics import Comparison
from specrec.bench.tables import Table

Made = Callable[..., Results]
NOISE = np.random.default_rng(0).random(12)


@pytest.fixture
def results(made_results: Made) -> Results:
    """`a` is best by rmse, `b` tied with it, `c` worse; by gfc `c` is best."""
    rmse = {"a": 5 + NOISE, "b": 5.001 + NOISE[::-1], "c": 9 + NOISE}
    return made_results({name: {"rmse": rmse[name], "gfc": 0.1 * rmse[name]} for name in rmse})


def test_every_form_marks_the_best_and_what_is_not_told_apart_from_it(results: Results) -> None:
    numbers = [f"{results.value(name):.3f}" for name in "abc"]
    text = results.table()
    for number, mark in zip(numbers, ("*", "=", " "), strict=True):
        assert f"  {number}{mark}" in text
    md = results.table("md")
    assert f"| **{numbers[0]}** |" in md
    assert f"| {numbers[1]} = |" in md
    assert f"| {numbers[2]} |" in md
    tex = results.table("tex")
    assert f"& \\textbf{{{numbers[0]}}} &" in tex
    assert f"& {numbers[1]}$^{{=}}$ &" in tex
    assert f"& {numbers[2]} &" in tex
    rows = [row for row in csv.DictReader(results.table("csv").splitlines()) if row["part"] == "weighted"]
    assert [row["rmse standing"] for row in rows] == ["best", "not told apart", "worse"]
    assert [row["gfc standing"] for row in rows][2] == "best"
    found = [row["numbers"]["rmse"] for row in json.loads(results.table("json"))["rows"] if row["part"] == "weighted"]
    assert [one["standing"] for one in found] == ["best", "not told apart", "worse"]
    assert "to_best" not in found[0]
    one = results.comparisons["weighted", "rmse"].differences[1]
    expected = {"to_best": one.estimate, "low": one.low, "high": one.high, "p": one.p, "p_holm": one.p_holm}
    assert found[2] == {"mean": results.value("c"), "spread": None, "standing": "worse", "interval": "BCa", **expected}
    for form in ("table", "md", "tex"):
        assert "not told apart from it over the test scenes (weighted: 12 scenes): Wilcoxon" in results.table(form)
        assert "fold 0, fold 1: 6 scenes and 3 methods cannot tell any two apart" in results.table(form)


def test_footnotes_count_the_scenes_of_each_metric_and_name_it_where_they_differ(results: Results) -> None:
    def compared(part: str, metric: str, scenes: int) -> Comparison:
        return replace(results.comparisons["weighted", metric], part=part, scenes=scenes)

    wanted = [("weighted", "rmse", 24), ("weighted", "gfc", 20), ("fold 0", "rmse", 12), ("fold 0", "gfc", 12)]
    found = {(part, metric): compared(part, metric, scenes) for part, metric, scenes in wanted}
    (line,) = Table((), results.metrics, results.manifest, comparisons=found).footnotes("*", "=")[1:]
    assert "(weighted (rmse): 24 scenes; weighted (gfc): 20 scenes; fold 0: 12 scenes)" in line
    found["fold 0", "gfc"] = compared("fold 0", "gfc", 5)
    *_, line = Table((), results.metrics, results.manifest, comparisons=found).footnotes("*", "=")
    assert line == "fold 0 (gfc): 5 scenes and 3 methods cannot tell any two apart (smallest reachable p 0.19)."


def test_the_numbers_of_a_column_end_in_one_place(results: Results) -> None:
    head, _, *rows = results.table().split("\n\n")[1].splitlines()
    ends = {match.end() for row in rows for match in [re.search(r"\d\.\d+", row)] if match}
    assert len(ends) == 1
    assert len({len(line.rstrip(" *=")) for line in [head, *rows]}) <= 2


def test_where_there_is_nothing_to_compare_nothing_is_marked(made_results: Made) -> None:
    results = made_results({"alone": {"rmse": NOISE}})
    shown = f"{results.value('alone'):.5f}"
    assert f"| {shown} |" in results.table("md")
    assert "best of its column" not in results.table()
    assert not re.search(r"\d[*=]", results.table())


def test_a_long_note_goes_below_the_table_and_is_whole_in_csv_and_json(made_results: Made) -> None:
    reason = "the estimate " + "of a scene " * 20 + "holds NaN"
    failed = {(name, 1, 0): reason for name in ("a", "b")}
    results = made_results({name: {"rmse": NOISE} for name in "abc"}, failed=failed)
    for form in ("table", "md", "tex"):
        text = results.table(form)
        assert text.count(reason) == 1, "two rows with one reason share its footnote"
        assert f"[1] failed: {reason}" in text
    body = results.table().split("\n\n")[1]
    assert max(map(len, body.splitlines())) < 60
    assert body.count("failed [1]") == 4
    for form in ("csv", "json"):
        assert results.table(form).count(f"failed: {reason}") == 4


def test_neither_reported_rows_nor_the_ceiling_take_part(made_results: Made) -> None:
    scores = {"gan": {"rmse": 5 + NOISE}, "c": {"rmse": 9 + NOISE}}
    results = made_results(scores, reported="alvarez-gila-2017")
    reported = [row for row in results.rows if not row.slug]
    found = [row.numbers["rmse"].mean for row in reported if "rmse" in row.numbers]
    assert min(found) < results.value("gan"), "it would be the best"
    rows = json.loads(results.table("json"))["rows"]
    assert not [row for row in rows if not row["slug"] and "standing" in str(row["numbers"])]
    assert results.comparisons["weighted", "rmse"].best == "gan"


def test_what_failed_is_listed_whenever_it_failed(made_results: Made) -> None:
    scores = {name: {"rmse": NOISE} for name in "ab"}
    results = made_results(scores, failed={("b", 1, 0): "no luck"}, unusable={"arad": "it needs spams"})
    assert results.failures == ("b fold 1 run 0: no luck", "arad: it needs spams")
    assert results.failed == ()


@given(st.text())
def test_escaped_text_has_nothing_in_it_that_latex_would_obey(text: str) -> None:
    written = escape(text)
    assert written.isascii()
    assert "\n" not in written
    stripped = re.sub(
        r"\\(textbackslash|textasciicircum|textasciitilde)\{\}|\\[{}&%$#_]|\$\\?[<>|\w^{}\\]+\$", "", written
    )
    stripped = re.sub(r"\\[`'^~\"rc]\{[A-Za-z]\}", "", stripped)
    assert not set(stripped) & set("\\&%$#_^~")
    assert stripped.count("{") == stripped.count("}")


@given(st.text())
def test_a_comment_stays_one(text: str) -> None:
    written = comment(text)
    assert written.endswith("\n")
    assert all(line.startswith("%") for line in written.splitlines())
