"""A folder of a thousand cells is planned and shown with work that grows as the cells do, and in little memory."""

import gc
import json
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any
from unicodedata import category

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from specrec.bench import paired
from specrec.bench.computing import compute
from specrec.bench.data import Data
from specrec.bench.manifest import Manifest
from specrec.bench.overwriting import Overwriting
from specrec.bench.paired import intervals, wilcoxon, wilcoxon_of_all
from specrec.bench.plan import Plan, make_plan
from specrec.bench.planned_cells import planned_cells
from specrec.bench.scores import SceneScores, scene_scores, weighted
from specrec.bench.stock import Stock, take_stock
from specrec.bench.watching import Watcher
from specrec.cells.cell import Cell
from specrec.cells.key import key_of
from specrec.cells.record_form import is_line
from specrec.cells.records import head
from specrec.cells.shared_parts import Known, shared
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


def swept(cells: Iterable[Cell]) -> Iterator[Cell]:
    """Collect garbage now and then: when Python does so by itself depends on what else the process has."""
    for index, cell in enumerate(cells):
        if index % 100 == 0:
            gc.collect()  # which gives back free tuples too
        yield cell


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
        reads.update(dict.fromkeys(map(str, folder.glob("cells/*/*.json")), 0))  # so that counting takes no memory
        tracemalloc.start()
        stock = take_stock(swept(planned_cells(plan, Data(facts), save_cubes=False)), "failed", Overwriting(folder))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (stock.total, stock.missing, stock.notes) == (cells, [], [])
        assert len(reads) == cells
        assert set(reads.values()) == {1}
    assert peaks[1] < 1.1 * peaks[0]


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


@settings(deadline=None, max_examples=40)  # scipy takes up to half a second for one
@given(st.lists(st.sampled_from([-3, -2, -1, 1, 2, 3]), min_size=1, max_size=6))
def test_of_tied_differences_p_is_what_scipy_finds_by_trying_all_signs(differences: list[int]) -> None:
    several = np.array([*differences, differences[0]], dtype=float)
    expected = stats.wilcoxon(several, zero_method="wilcox", method=stats.PermutationMethod()).pvalue
    assert wilcoxon(several, np.zeros(len(several))) == (expected, len(several))


def test_intervals_found_in_groups_are_those_found_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paired, "RESAMPLES", 199)
    monkeypatch.setattr(paired, "TOGETHER", 2)
    rng = np.random.default_rng(0)
    weights = [rng.integers(1, 4, (2, 9)).astype(float), np.ones((2, 9))]
    names = tuple("abcdefghi")
    best, *others = [SceneScores(names, rng.random((2, 9)), weights[index % 2]) for index in range(8)]
    others[3] = SceneScores(names, np.full((2, 9), np.inf), weights[1])
    found = intervals(others, best)
    assert [kind for *_, kind in found] == ["none" if index == 3 else "BCa" for index in range(7)]
    monkeypatch.setattr(paired, "TOGETHER", 64)
    np.testing.assert_equal(found, [intervals([one], best)[0] for one in others])


def scores_in_loops(records: Any, folds: list[int], names: list[str]) -> Any:
    """Collect the scores of one run, scene by scene."""
    found = []
    for name in names:
        mine = [
            image["scores"]["rmse"] for f in folds for image in records["m", f, 0]["images"] if image["scene"] == name
        ]
        values, weights = (np.array([float(score[place]) for score in mine]) for place in (0, 1))
        found.append((weighted(values, weights) if weights.sum() > 0 else 0.0, weights.sum()))
    return found


@pytest.mark.parametrize("kind", ["in order", "another order", "tested twice"])
def test_the_scores_of_all_scenes_are_those_that_loops_collect(kind: str) -> None:
    rng = np.random.default_rng(0)
    names = [[f"scene{fold}{index}" for index in range(6)] for fold in (0, 1)]
    if kind == "tested twice":
        names[1][2] = names[0][1]
    images = {
        ("m", fold, 0): {
            "images": [
                {"scene": name, "scores": {"rmse": [float(rng.normal()), float(rng.integers(0, 4)), 0.0]}}
                for name in (names[fold][::-1] if kind == "another order" else names[fold])
            ]
        }
        for fold in (0, 1)
    }
    images["m", 0, 0]["images"][3]["scores"]["rmse"][:2] = ["inf", 0.0]
    images["m", 1, 0]["images"][3]["scores"]["rmse"][:2] = [-0.0, 3.0]
    manifest = Manifest({"runs": 1}, [{"test": some, "train": []} for some in names], [], {}, "")
    found = scene_scores(images, "m", manifest, [0, 1], "rmse")
    assert found is not None
    assert found.scenes == tuple(dict.fromkeys(names[0] + names[1]))
    expected = scores_in_loops(images, [0, 1], list(found.scenes))
    assert repr(np.stack([found.values[0], found.weights[0]], axis=1).tolist()) == repr(np.array(expected).tolist())
    assert scene_scores(images, "m", manifest, [0, 1], "sam") is None
    del images["m", 0, 0]["images"][0]
    assert scene_scores(images, "m", manifest, [0, 1], "rmse") is None


def records_of_a_method(tmp_path: Path, runs: int) -> list[str]:
    plan, facts = planned(tmp_path, runs)
    image = {"scene": "s", "valid_pixels": 1, "scores": {name: [0.5, 1024.0, 0.0] for name in ("rmse", "sam", "gfc")}}
    more = {"versions": {f"package{index}": "1.0" for index in range(12)}, "images": [image, image], "curve": []}
    cells = planned_cells(plan, Data(facts), save_cubes=False)
    return [json.dumps(head(cell) | more | {"run": cell.run}) for cell in cells]


def test_what_many_records_share_is_kept_once(tmp_path: Path) -> None:
    texts = records_of_a_method(tmp_path, 50)
    taken = []
    for keep in (lambda record, _known: record, shared):
        known: Known = {}
        tracemalloc.start()
        kept = [keep(json.loads(text), known) for text in texts]
        taken.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert [json.dumps(record) for record in kept] == texts
    assert taken[1] < 0.5 * taken[0]


_PLAIN = st.sampled_from([None, True, 1, 1.0, 0.0, -0.0, 0.1, "", "1.0", "a"])
_PARTS = st.lists(_PLAIN, max_size=3) | st.dictionaries(st.sampled_from("ab"), _PLAIN | st.lists(_PLAIN, max_size=2))


@given(st.lists(st.dictionaries(st.sampled_from(["settings", "train", "run", "x"]), _PLAIN | _PARTS), max_size=4))
def test_shared_records_are_equal_to_the_last_sign_of_a_zero(records: list[dict[str, Any]]) -> None:
    known: Known = {}
    for record in records:
        assert repr(shared(record, known)) == repr(record)


@given(
    st.text(
        st.sampled_from("a\u00e9\u00a0\u2003\u2028\u2029\u200f\n\x1b\x85\ufeff\u202e\u2069\ud800\udc80")
        | st.characters(),
        max_size=4,
    )
)
def test_a_text_is_of_one_line_where_no_letter_ends_it_or_steers_a_terminal(text: str) -> None:
    turning = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    assert is_line(text) == all(
        "\udc80" <= letter <= "\udcff" or (letter not in turning and category(letter) not in ("Cc", "Cs", "Zl", "Zp"))
        for letter in text
    )
