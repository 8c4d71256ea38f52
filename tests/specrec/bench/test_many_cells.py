"""A folder of a thousand cells is planned and shown with work that grows as the cells do, and in little memory."""

import json
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specrec.bench.computing import compute
from specrec.bench.data import Data
from specrec.bench.overwriting import Overwriting
from specrec.bench.paired import wilcoxon, wilcoxon_of_all
from specrec.bench.plan import Plan, make_plan
from specrec.bench.planned_cells import planned_cells
from specrec.bench.stock import Stock, take_stock
from specrec.bench.watching import Watcher
from specrec.cells.cell import Cell
from specrec.cells.key import key_of
from specrec.cells.records import head
from specrec.datasets.survey import Survey, survey


def planned(folder: Path, runs: int) -> tuple[Plan, Survey]:
    plan = make_plan("mean,linear", "synthetic[scenes=4,size=32]", runs=runs, ceiling=0, limit=2, output=folder)
    return plan, survey(plan.source, plan.split.used)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    counted: Counter[str] = Counter()
    real = Path.read_bytes

    def counting(self: Path) -> bytes:
        counted[str(self)] += 1
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", counting)
    return counted


def test_a_thousand_stored_cells_are_planned_by_reading_each_once_in_flat_memory(
    tmp_path: Path, reads: Counter[str]
) -> None:
    peaks = []
    for cells in (248, 1000):
        folder = tmp_path / str(cells)
        plan, facts = planned(folder, cells // 4)
        for cell in planned_cells(plan, Data(facts), save_cubes=False):
            record = head(cell) | {"status": "done", "cubes_saved": False, "versions": {}, "images": []}
            cell.path.parent.mkdir(parents=True, exist_ok=True)
            cell.path.write_text(json.dumps(record))
        reads.clear()
        tracemalloc.start()
        stock = take_stock(planned_cells(plan, Data(facts), save_cubes=False), "failed", Overwriting(folder))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (stock.total, stock.missing, stock.notes) == (cells, [], [])
        assert len(reads) == cells
        assert set(reads.values()) == {1}
    assert peaks[1] < 1.5 * peaks[0] + 100_000


def test_cells_that_wait_share_what_is_large_in_them(tmp_path: Path) -> None:
    plan, facts = planned(tmp_path, 3)
    stock: Stock = take_stock(planned_cells(plan, Data(facts), save_cubes=False), "failed", Overwriting(tmp_path))
    assert len(stock.missing) == 12
    assert len({id(cell.contents) for cell in stock.missing}) == 2, "one for each fold"
    cell = stock.missing[0]
    assert cell.values()["contents"] is cell.contents
    assert Cell(**cell.values()) == cell
    assert len({key_of(head(cell)["decided_by"]) for cell in stock.missing}) == 12


@pytest.mark.parametrize("ahead", [1, 3])
def test_cells_are_given_to_an_executor_a_few_at_a_time(tmp_path: Path, ahead: int) -> None:
    plan, facts = planned(tmp_path, 3)
    cells = list(planned_cells(plan, Data(facts), save_cubes=False))

    class Slow(Executor):
        """Finishes one cell whenever the next is submitted beyond what may wait."""

        def __init__(self) -> None:
            self.waiting: list[Future[Any]] = []
            self.most = 0

        def submit(self, _fn: Any, /, values: Any, **_kwargs: Any) -> Future[Any]:  # type: ignore[override]
            future: Future[Any] = Future()
            self.waiting.append(future)
            self.most = max(self.most, sum(not one.done() for one in self.waiting))
            if len(self.waiting) % ahead == 0:
                for one in self.waiting:
                    if not one.done():
                        one.set_result({"status": "done", "written": values["written"]})
            return future

    executor = Slow()
    assert compute(executor, cells, Watcher(), ahead) == ()
    assert len(executor.waiting) == len(cells) == 12
    assert executor.most == ahead


def pairs_one_by_one(values: Sequence[Any]) -> list[tuple[float, int]]:
    return [wilcoxon(one, other) for index, one in enumerate(values) for other in values[index + 1 :]]


@pytest.mark.parametrize("kind", ["plain", "ties", "gaps", "many"])
def test_all_pairs_are_tested_as_each_alone(kind: str) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(6, 60 if kind == "many" else 9))
    if kind == "ties":
        values = rng.integers(0, 3, (6, 9)).astype(float)
    if kind == "gaps":
        values[1, 3], values[2, 4], values[4, 5] = np.nan, np.inf, np.inf
    p, differing = wilcoxon_of_all(list(values))
    above = np.triu_indices(6, 1)
    assert list(zip(p[above].tolist(), differing[above].tolist(), strict=True)) == pairs_one_by_one(values)
    np.testing.assert_array_equal(p, p.T)
    assert (p.diagonal() == 1).all()
