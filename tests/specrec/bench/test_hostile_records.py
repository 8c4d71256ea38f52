"""Records that anyone may have put into a results folder: what no bench writes is refused before a table is made."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from specrec.bench.figures.frontier import _can_be_drawn, _log
from specrec.cells.answers import score_as_json
from specrec.cells.record_form import is_record
from specrec.cells.records import parse
from specrec.errors import SpecrecError
from specrec.interfaces import Score

HUGE = 10**400
IMAGE = {"scene": "one", "valid_pixels": 4, "scores": {"rmse": [1.5, 4.0]}}
COST = {"image": "one", "image_shape": [4, 4], "cpu_threads": 1, "memory_bytes": None, "operations_counted": True,
        "cpu_seconds_per_megapixel": 0.5, "gpu": None, "processor": "one", "operations_per_pixel": 37.0}  # fmt: skip
DECIDED = {
    "results": 2,
    "settings": {"steps": 2},
    "plugin": None,
    "code": {},
    "robustness": ["jpeg=50"],
    "seed": 1 << 63,
}
GOOD: dict[str, Any] = {
    "results_version": 2, "key": "0" * 64, "decided_by": DECIDED, "status": "done", "written": "mean", "fold": 0,
    "run": 0, "images": [IMAGE], "cross_images": [IMAGE], "cost": COST, "fit_seconds": 1.0, "fit_cpu_seconds": 1,
    "reconstruct_cpu_seconds": 0.0, "starts": 1, "metric_code": {"m": {"module": "0" * 64}}, "processor": "one",
    "accelerator": None,
}  # fmt: skip


def test_what_a_bench_writes_is_a_record() -> None:
    assert is_record(GOOD)
    assert is_record(GOOD | {"cost": None, "cross_images": []})


@pytest.mark.parametrize("number", [HUGE, -HUGE, float("nan"), float("inf"), -1.0, "1", [1], {}, True, 1e301])
@pytest.mark.parametrize("key", ["cpu_seconds_per_megapixel", "operations_per_pixel", "memory_bytes", "cpu_threads"])
def test_a_cost_that_is_no_amount_is_refused(key: str, number: object) -> None:
    assert not is_record(GOOD | {"cost": COST | {key: number}})


@pytest.mark.parametrize("change", [
    {"cost": 5}, {"cost": []}, {"cost": {"other": 1}}, {"cost": COST | {"image": "two\nlines"}},
    {"cost": COST | {"image_shape": [1]}}, {"cost": COST | {"image_shape": "ab"}}, {"cost": COST | {"gpu": "\x1b[2J"}},
    {"cost": COST | {"processor": 5}}, {"cost": COST | {"operations_counted": 1}},
    {"decided_by": 5}, {"decided_by": DECIDED | {"settings": []}}, {"decided_by": DECIDED | {"code": 5}},
    {"decided_by": DECIDED | {"plugin": []}}, {"decided_by": DECIDED | {"seed": {}}},
    {"decided_by": DECIDED | {"tiles": "\x1b[2J"}}, {"decided_by": DECIDED | {"ceiling": [[[]]]}},
    {"cross_images": 5}, {"cross_images": [{}]}, {"images": [IMAGE | {"scores": {"rmse": [HUGE, 1]}}]},
    {"images": [IMAGE | {"scores": {"rmse": [1e299, 1]}}]}, {"images": [IMAGE | {"scores": {"rmse": [1, 1e299]}}]},
    {"images": [IMAGE | {"scores": {"rmse": [float("nan"), 1]}}]}, {"images": [IMAGE | {"scores": {"\x1b": [1, 1]}}]},
    {"images": [IMAGE | {"separate_tiles": {"overall": [1, 2]}}]},
    {"images": [IMAGE | {"separate_tiles": {"overall": [1, 2, 0]}}]},
    {"fit_seconds": -1.0}, {"fit_cpu_seconds": HUGE}, {"reconstruct_cpu_seconds": "1"}, {"starts": 1.5},
    {"metric_code": 5}, {"metric_code": {"m": 5}}, {"processor": 5}, {"accelerator": []}, {"key": 5},
])  # fmt: skip
def test_what_no_bench_writes_is_refused_in_one_sentence(change: dict[str, Any]) -> None:
    with pytest.raises(SpecrecError, match="is not a result of this specrec"):
        parse(json.dumps(GOOD | change).encode(), Path("fold0-run0.json"))


def test_numbers_that_no_axis_can_show_are_left_out_and_others_have_one() -> None:
    drawn = [number for number in (0.0, 5e-324, 1e-20, 37.0, 1e20, 1e308, np.nan, np.inf) if _can_be_drawn(number)]
    assert drawn == [0.0, 1e-20, 37.0, 1e20]
    figure = Figure()
    axis = figure.subplots()
    _log(axis.xaxis, 1e-20, 1e20, 0.18)
    FigureCanvasAgg(figure).draw()
    assert axis.get_xlim()[0] < 1e-20 < 1e20 < axis.get_xlim()[1]


@pytest.mark.parametrize("score", [Score(1e200, 1.0), Score(1.0, 1e200), Score(-1e150, 1.0)])
def test_a_score_too_large_to_be_summed_is_not_written(score: Score) -> None:
    with pytest.raises(SpecrecError, match=r"both are less than 1e\+150"):
        score_as_json(score)
    assert score_as_json(Score(1e149, 1e149)) == [1e149, 1e149, 0.0]
