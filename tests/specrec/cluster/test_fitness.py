"""A machine that is not as that of the bench computes nothing, and says what is missing."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from specrec.bench.data import check_data
from specrec.bench.plan import make_plan
from specrec.bench.planned_cells import planned_cells
from specrec.bench.watching import Watcher
from specrec.cells.cell import Cell
from specrec.cells.executors.fitness import device_here, lacking, make_scenes, providers


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
        assert f"for {what}, and the bench other 9.9; install the same" in str(
            lacking({**there, what: "other 9.9"}, "mean", "synthetic")
        )
    more = {**there, "the metric sharpness": "specrec-sharp 1.0"}
    assert "lacks the metric sharpness; install specrec-sharp 1.0 there" in str(lacking(more, "mean", "synthetic"))


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
