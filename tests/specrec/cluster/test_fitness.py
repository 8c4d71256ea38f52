"""A machine that is not as that of the bench computes nothing, and says what is missing."""

import sys
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path

import pytest
from strangers import Site

from specrec.bench.data import check_data
from specrec.bench.plan import make_plan
from specrec.bench.planned_cells import planned_cells
from specrec.bench.watching import Watcher
from specrec.cells.cell import Cell
from specrec.cells.executors.fitness import device_here, lacking, make_scenes, providers
from specrec.registry import code, registry


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    folder = tmp_path_factory.mktemp("plan")
    (folder / "one.toml").write_text("dataset = 'synthetic'\noptions = {scenes = 2, size = 32}\n")
    plan = make_plan("mean", protocol=str(folder / "one.toml"), output=folder / "results")
    return next(iter(planned_cells(*check_data(plan, Watcher(), skip_damaged=False), save_cubes=False)))


def test_what_is_installed_otherwise_or_not_at_all_is_named() -> None:
    there = providers("mean", "synthetic")
    assert lacking(there, "mean", "synthetic") is None
    for what in there:
        other = {**there, what: {**there[what], "from": "other 9.9"}}
        assert f"for {what}, and the bench other 9.9; install the same" in str(lacking(other, "mean", "synthetic"))
    more = {**there, "the metric sharpness": {"from": "specrec-sharp 1.0", "code": {}}}
    assert "lacks the metric sharpness; install specrec-sharp 1.0 there" in str(lacking(more, "mean", "synthetic"))


def test_code_that_was_edited_under_the_same_version_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = registry()  # before it is there
    site = Site(tmp_path / "site")
    module = site.good("grey")
    monkeypatch.syspath_prepend(site.folder)
    monkeypatch.setattr(found, "reconstructors", dict(found.reconstructors))
    monkeypatch.setattr(found, "metrics", dict(found.metrics))
    found.add(import_module("hostile_grey"), "specrec-grey", "1.5", "grey")
    theirs = providers("grey", "synthetic")
    module.write_text(module.read_text() + "# edited")
    code._code_of.cache_clear()
    words = str(lacking({"the method grey": theirs["the method grey"]}, "grey", "synthetic"))
    assert "has other code of hostile_grey for the method grey than the bench, under the same version" in words
    assert "(specrec-grey 1.5); install the same there" in words
    words = str(lacking({"the metric of-grey": theirs["the metric of-grey"]}, "grey", "synthetic"))
    assert "other code of hostile_grey for the metric of-grey" in words
    del sys.modules["hostile_grey"]
    code._code_of.cache_clear()


def test_scenes_are_made_and_one_that_differs_is_named(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPECREC_CACHE", str(tmp_path))
    [name] = cell.test
    assert make_scenes(asdict(cell), cell.test, lambda _done, _words: None) is None
    assert [path.stem for path in (tmp_path / "synthetic").rglob("*.npy")] == [name]
    other = replace(cell, contents={**cell.contents, name: "0" * 64})
    assert f"makes another scene {name}" in str(make_scenes(asdict(other), other.test, lambda _done, _words: None))
    assert make_scenes(asdict(other), [], lambda _done, _words: None) is None


def test_a_device_is_chosen_where_the_cell_computes() -> None:
    assert device_here("auto", "mean") == "cpu"
    assert device_here("cpu", "gan") == "cpu"
