"""What stops a cell on a worker stops the whole bench, or is the worker's own trouble: by where it lies."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from specrec.bench.data import check_data
from specrec.bench.plan import make_plan
from specrec.bench.planned_cells import planned_cells
from specrec.bench.watching import Watcher
from specrec.cells.cell import Cell
from specrec.cells.executors import remote
from specrec.cells.executors.collecting import check_key
from specrec.cells.executors.errand import Computed, Errand
from specrec.cells.records import head
from specrec.cluster.job import RefusalError
from specrec.errors import CannotGoOnError, ChangedDataError


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    (tmp_path / "one.toml").write_text("dataset = 'synthetic'\noptions = {scenes = 2, size = 32}\n")
    plan = make_plan("mean", protocol=str(tmp_path / "one.toml"), output=tmp_path / "results")
    return next(iter(planned_cells(*check_data(plan, Watcher(), skip_damaged=False), save_cubes=False)))


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    ("place", "of_all"), [("results/cells/mean", True), ("cache/crops", False), ("", False), (None, True)]
)
def test_a_full_disk_stops_all_only_where_it_is_that_of_results_which_all_share(
    cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str | None, of_all: bool, shared: bool
) -> None:
    def full(*_given: object) -> Any:
        if place is None:
            raise ChangedDataError("scene a has changed")
        raise CannotGoOnError("no room", str(tmp_path / place) if place else "")

    monkeypatch.setattr(remote, "_compute", full)
    (tmp_path / "results").mkdir()
    if shared:
        (tmp_path / "results" / "token").write_text("word")
    errand = Errand(cell.values(), ("token", "word"), {}, {})
    job: Any = SimpleNamespace(scratch=str(tmp_path))
    with pytest.raises(
        CannotGoOnError if of_all and (shared or place is None) else RefusalError, match=r"no room|changed"
    ):
        remote.run_cell_here(job, errand)
    assert not list(tmp_path.glob("specrec-*"))


def test_a_record_that_was_computed_otherwise_is_removed_where_it_was_made_and_nothing_else_is(cell: Cell) -> None:
    removed: list[str] = []
    sender: Any = SimpleNamespace(remove=lambda _worker, folder: removed.append(folder))
    check_key(sender, cell, "tcp://a:1", Computed(head(cell), "folder"))
    other = head(replace(cell, seed=cell.seed + 1))
    cell.path.parent.mkdir(parents=True)
    cell.path.write_text("mine")
    with pytest.raises(CannotGoOnError, match=rf"^worker tcp://a:1 has computed {cell.label} otherwise .* with seed"):
        check_key(sender, cell, "tcp://a:1", Computed(other, "folder"))
    assert removed == ["folder"]
    assert cell.path.read_text() == "mine"
