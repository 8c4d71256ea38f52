"""A cell's key tells what decides it, and what has changed since is named, kept and stands below the table."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from specrec.bench.origins import of_several_codes
from specrec.bench.results import Results, read_results
from specrec.bench.run import bench
from specrec.bench.watching import Watcher
from specrec.cells.cell import Cell
from specrec.cells.key import decided_by, key_of
from specrec.errors import SpecrecError
from specrec.registry import code, registry

PLUGIN = '''
import numpy as np
from specrec import Reconstructor, hookimpl

class Grey(Reconstructor):
    """Every band the same."""
    name = "grey"
    summary = "for tests"
    def fit(self, scenes, context):
        return self
    def reconstruct(self, rgb):
        return np.full((*rgb.shape[:2], 31), 0.5, np.float32)
    def state(self):
        return {}, {}
    @classmethod
    def from_state(cls, settings, arrays, config):
        return cls()

@hookimpl
def specrec_reconstructors():
    return [Grey]
'''


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A plugin that is a package of two modules."""
    folder = tmp_path / "site" / "grey_plugin"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(PLUGIN)
    (folder / "constants.py").write_text("LEVEL = 0.5\n")
    monkeypatch.syspath_prepend(str(folder.parent))
    registry().add(import_module("grey_plugin"), "grey-distribution", "1.0")
    code._code_of.cache_clear()
    yield folder
    del registry().reconstructors["grey"]
    del sys.modules["grey_plugin"]
    code._code_of.cache_clear()


class Told(Watcher):
    def __init__(self) -> None:
        self.words: list[str] = []

    def note(self, words: str) -> None:
        self.words.append(words)


@pytest.fixture(autouse=True)
def without_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specrec.bench.written_tables.draw_figure", lambda *_: False)  # it takes most of the time


def small(folder: Path, methods: str = "grey", **options: Any) -> Results:
    return bench(
        methods, "synthetic[scenes=4,size=32]", jobs=0, device="cpu", output=folder, limit=2, ceiling=0, **options
    )


CELL = Cell(
    method="mean", settings={"a": 1}, written="mean", fold=0, run=0, seed=3, train=["a", "b"], test=["c"],
    dataset="synthetic", data=None, options={}, extents={}, contents={"a": "1", "b": "2", "c": "3", "d": "1"},
    scaling="minmax", quantisation="round", region="full", tiles="auto", threads=1, device="cpu", folder="r",
)  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"method": "linear"}, {"settings": {"a": 2}}, {"seed": 4}, {"train": ["b", "a"]}, {"test": ["a"]},
        {"contents": {"a": "1", "b": "2", "c": "4"}}, {"scaling": "none"}, {"quantisation": "truncate"},
        {"region": "crop:8"}, {"tiles": "8"}, {"threads": 2}, {"scored_training": ["a"]}, {"influence": 1},
        {"ceiling": 1},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_decides_a_cell_changes_its_key(change: dict[str, Any]) -> None:
    assert key_of(decided_by(replace(CELL, **change))) != key_of(decided_by(CELL))


@pytest.mark.parametrize(
    "change",
    [{"folder": "elsewhere"}, {"device": "cuda:0"}, {"save_cubes": True}, {"data": "/x"}, {"written": "mean[]"},
     {"train": ["d", "b"]}],
    ids=str,
)  # fmt: skip
def test_what_does_not_decide_it_leaves_the_key(change: dict[str, Any]) -> None:
    assert key_of(decided_by(replace(CELL, **change))) == key_of(decided_by(CELL))


def test_an_edited_plugin_without_a_new_version_is_noticed_kept_and_told_below_the_table(
    tmp_path: Path, plugin: Path
) -> None:
    folder = tmp_path / "r"
    plain = small(folder)
    record = next(iter(plain.records.values()))
    assert record["key"] == key_of(record["decided_by"])
    assert record["decided_by"]["plugin"] == "grey-distribution 1.0"
    assert list(record["decided_by"]["code"]) == ["grey_plugin"]
    (plugin / "constants.py").write_text("LEVEL = 0.6\n")
    code._code_of.cache_clear()
    told = Told()
    later = small(folder, watcher=told)
    words = "computed with other code of grey_plugin than is installed"
    assert told.words == [f"2 of the cells of grey that are there were {words}; --overwrite computes them again"]
    for form in ("table", "md", "csv", "tex", "json"):
        assert f"2 of 2 cells of grey were {words}" in later.table(form).replace("\\_", "_")
        assert words not in plain.table(form).replace("\\_", "_")
    assert read_results(folder).table("csv") == later.table("csv")
    assert [row.numbers for row in later.rows] == [row.numbers for row in plain.rows]
    assert small(folder, overwrite="all").table("md") == plain.table("md")


def test_line_ends_and_what_is_no_code_change_nothing(plugin: Path) -> None:
    kind = registry().reconstructor("grey")
    before = code.code_of(kind, "grey-distribution")
    (plugin / "constants.py").write_bytes(b"LEVEL = 0.5\r\n")
    (plugin / "weights.npy").write_bytes(b"1")
    code._code_of.cache_clear()
    assert code.code_of(kind, "grey-distribution") == before
    (plugin / "more.py").write_text("")
    code._code_of.cache_clear()
    assert code.code_of(kind, "grey-distribution") != before


@pytest.mark.usefixtures("plugin")
def test_another_version_of_a_plugin_is_named(tmp_path: Path) -> None:
    small(tmp_path / "r", "grey,mean")
    offer = registry().reconstructors["grey"]
    registry().reconstructors["grey"] = replace(offer, version="1.1")
    told = Told()
    later = small(tmp_path / "r", "grey,mean", watcher=told)
    assert told.words == [
        "2 of the cells of grey that are there were computed with grey-distribution 1.0, and grey-distribution 1.1 is"
        " installed; --overwrite computes them again"
    ]
    next((tmp_path / "r").glob("cells/grey-*/fold1-*.json")).unlink()
    later = small(tmp_path / "r", "grey,mean")
    assert "1 of 2 cells of grey was computed with grey-distribution 1.0 (now grey-distribution 1.1)." in later.table()


def test_records_of_version_1_are_read_and_said_to_have_no_key_once(tmp_path: Path) -> None:
    expected = small(tmp_path, "mean,linear")
    for path in tmp_path.glob("cells/*/*.json"):
        record = json.loads(path.read_text())
        for key in ("key", "decided_by", "processor", "accelerator", "metric_code"):
            del record[key]
        path.write_text(json.dumps({**record, "results_version": 1}))
    told = Told()
    later = small(tmp_path, "mean,linear", watcher=told)
    assert told.words == [
        "4 of the cells that are there were computed before specrec 0.6, and do not say what decided them;"
        " --overwrite computes them again"
    ]
    assert [row.numbers for row in later.rows] == [row.numbers for row in expected.rows]
    assert "2 of 2 cells of mean were computed with a specrec before 0.6" in later.table("md")


def test_a_record_at_the_path_of_another_cell_is_refused(tmp_path: Path) -> None:
    small(tmp_path, "mean,linear")
    mean, linear = (next(tmp_path.glob(f"cells/{name}-*/fold0-run0.json")) for name in ("mean", "linear"))
    linear.write_bytes(mean.read_bytes())
    for start in (lambda: read_results(tmp_path), lambda: small(tmp_path, "mean,linear")):
        with pytest.raises(SpecrecError, match=r"linear-.*fold0-run0\.json is the result of another cell \(mean-"):
            start()


def test_a_table_says_that_a_metric_was_scored_by_other_code_in_some_cells() -> None:
    def record(version: str, code: str) -> dict[str, object]:
        return {"status": "done", "versions": {"metric mine": version}, "metric_code": {"mine": {"mine": code}}}

    one, edited, newer = record("mine 1.0", "a"), record("mine 1.0", "b"), record("mine 1.1", "a")
    without: dict[str, object] = {"status": "done", "versions": {}, "metric_code": {}}
    assert of_several_codes(["rmse", "mine"], {("x", 0, 0): one, ("x", 1, 0): one, ("y", 0, 0): without}) == []
    for other in (edited, newer):
        (words,) = of_several_codes(["rmse", "mine"], {("x", 0, 0): one, ("y", 0, 0): other})
        assert words.startswith("mine was scored by 2 versions or codes (1 by mine 1.0, 1 by mine 1.")
