"""What methods cost: operations counted against products worked out by hand, memory, seconds, table and frontier."""

import csv
import io
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from matplotlib.text import Text
from torch import nn

import specrec
from specrec.bench import cost
from specrec.bench.figures.frontier import Point, _corners, draw_frontier, frontier, frontier_figure
from specrec.bench.figures.labels import place_labels
from specrec.cells.cost import memory_of, peak_memory, seconds_of
from specrec.cells.operations import count, counted, operations
from specrec.errors import SpecrecError
from specrec.interfaces import FitContext
from specrec.network import NetworkReconstructor
from specrec.testing.small_scenes import first_scenes

LINUX = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux sets its high-water mark back"
)


class TwoConvolutions(NetworkReconstructor):
    name = "two-convolutions"
    summary = "3 x 3, then 1 x 1"
    receptive_field = 3

    def build(self, bands: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, bands, 1))


class Attends(NetworkReconstructor):
    """Attention over 16 x 16 patches, in torch's own layer, which is fused where nobody watches."""

    name = "attends"
    summary = "a transformer layer"
    grid = 16
    trials: ClassVar = ({"steps": 1, "batch": 1},)

    def build(self, bands: int) -> nn.Module:
        return _Attending(bands)


class _Attending(nn.Module):
    def __init__(self, bands: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 16, 16, stride=16)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.up = nn.Conv2d(16, bands, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        coarse = self.down(image)
        tokens = self.layer(coarse.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(coarse.shape)
        return nn.functional.interpolate(self.up(tokens), scale_factor=16)


def fitted(method: specrec.Reconstructor) -> specrec.Reconstructor:
    return method.fit(first_scenes(method.input), FitContext(0, "cpu", 1))


def test_the_counter_gives_what_one_counts_by_hand_for_two_convolutions() -> None:
    method = fitted(TwoConvolutions(steps=1, batch=1))
    assert operations(method) == {"operations_per_pixel": 2 * (27 * 8 + 8 * 31), "operations_counted": True}


def test_the_counter_sees_every_colour_of_pixel_also_with_threads() -> None:
    method = specrec.load("pixel")  # 3-512-512-31
    method.threads = 2  # it then computes in threads that the counter does not see
    assert counted(method) == 2 * (3 * 512 + 512 * 512 + 512 * 31)
    assert method.threads == 2


def test_fused_attention_is_counted() -> None:
    tokens, width, hidden = 16 * 16, 16, 32  # of 256 x 256 pixels
    products = 4 * width * width + 2 * width * hidden + 2 * tokens * width
    by_hand = 2 * tokens * (3 * 16 * 16 * 16 + products + 16 * 31) / 256**2
    assert counted(fitted(Attends(steps=1, batch=1))) == by_hand


def test_products_in_place_are_counted() -> None:
    left, right, total = torch.ones(10, 5), torch.ones(5, 7), torch.zeros(10, 7)
    assert count(lambda: total.addmm_(left, right)) == 2 * 10 * 5 * 7


@pytest.mark.parametrize("branches", [1, 2, 4])
def test_gan_declares_what_the_counter_sees_in_its_plain_network(branches: int) -> None:
    from specrec_gan.generator import Generator
    from specrec_gan.generator import operations as declared

    network = Generator(branches, width=4).eval()
    with torch.inference_mode():
        found = count(lambda: network(torch.zeros(1, 3, 16, 16)))
    assert declared(network) == found / 16**2


BY_HAND = {  # a product is multiplied and added
    "linear": 2 * 3 * 31,
    "pca": 2 * 3 * 31,
    "mallett": 2 * 3 * 31,
    "mean": 2 * 3 + 31,
    "polynomial[degree=2]": 6 + 2 * 9 * 31,  # 9 terms, 6 of them products of two values
    "root-polynomial[degree=2]": 3 + 2 * 6 * 31,
    "matrix-r[degree=1]": 2 * 3 * 31 + 2 * 3 * 31 + 31,
    "kernel[colours=20,width=0.2,ridge=0.01]": 20 * 2 + 2 * 20 * 31,
    "rbf[centres=10,pixels_per_scene=100]": 3 + 6 + 2 * 5 * 10 + 2 * 11 * 31,
    "rbf[centres=10,pixels_per_scene=100,white_balance=image]": 3 + 6 + 2 * 5 * 10 + 2 * 11 * 31 + 3 + 31,
    "aplus[anchors=16,neighbours=200,pixels_per_scene=400]": 2 * 3 * 16 + 2 * 3 * 31,
    "arad[atoms=40,training_sparsity=5]": 2 * 3 * 3 + 3 * (2 * 3 * 40 + 2 * 31),
    "filterbank[scales=0,axes=4,atoms=32,classes=16,pixels_per_scene=300]": (
        2 * 7 * 4 + 3 * 4 * 32 + 3 * (4 + 2 * 31 * 5) + 7 * 31
    ),
}


@pytest.mark.parametrize("written", BY_HAND)
def test_a_method_declares_the_operations_of_its_formula(written: str) -> None:
    from specrec.parameters import parse_spec
    from specrec.registry import registry

    name, settings = parse_spec(written)
    method = fitted(registry().reconstructor(name)(**settings))
    assert operations(method) == {"operations_per_pixel": BY_HAND[written], "operations_counted": False}


@pytest.mark.parametrize("wrong", [0, -1.0, float("nan"), float("inf"), True, "many"])
def test_operations_that_are_no_number_above_0_are_refused(wrong: object) -> None:
    class Says(TwoConvolutions):
        name = "says"
        operations = wrong  # type: ignore[assignment]

    with pytest.raises(SpecrecError, match="operations is a number above 0 or None, not"):
        operations(Says())


@LINUX
def test_memory_is_what_a_piece_of_work_takes_whatever_was_freed_before() -> None:
    freed = [np.ones(30_000) for _ in range(1000)]
    del freed
    found = memory_of(lambda: [np.ones(12_500) for _ in range(1000)])  # 100 MB in small pieces
    assert found == pytest.approx(100e6, rel=0.05)
    peak = peak_memory()
    assert peak is not None
    assert peak > found


class Clock:
    """A clock that only the work moves; the processor works half of the time."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.now / 2


def test_the_quickest_pass_counts_and_passes_end_with_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("specrec.cells.cost.time", clock)
    waits = iter([5.0, 1.0, 3.0, 2.0, 2.0, 1.5, 4.0, 2.0])

    def work() -> None:
        clock.now += next(waits)

    assert seconds_of(work, budget=100.0) == (1.0, 0.5)  # of five passes
    assert seconds_of(work, budget=6.0) == (1.5, 0.75)  # of two: after them a third would go beyond
    assert seconds_of(work, budget=0.0) == (2.0, 1.0)  # one at least


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> "specrec.bench.results.Results":  # type: ignore[name-defined]
    folder = tmp_path_factory.mktemp("cost") / "results"
    methods = ["mean", "linear", "nearest", "polynomial"]
    return specrec.bench(methods, "synthetic[scenes=4,size=64]", limit=2, jobs=0, ceiling=0, output=folder)


def test_the_cell_of_the_first_fold_and_run_alone_measures_its_cost(results) -> None:
    assert {key[1:]: record["cost"] is not None for key, record in results.records.items()} == {
        (0, 0): True,
        (1, 0): False,
    }
    [row] = [row for row in cost.cost_rows(results) if row.method == "linear"]
    assert row.record["cost"]["image"] == results.manifest.folds[0]["test"][0]
    assert row.record["cost"]["image_shape"] == [64, 64]
    assert row.numbers["parameters"] == 93
    assert row.numbers["operations_per_pixel"] == 186
    assert row.numbers["cpu_seconds_per_megapixel"] > 0
    assert row.numbers["gpu_seconds_per_megapixel"] is None


def test_cost_stands_in_files_of_its_own_in_three_forms(results) -> None:
    rows = list(csv.DictReader(io.StringIO((results.folder / "cost.csv").read_text("utf-8"))))
    assert [row["method"] for row in rows] == ["mean", "linear", "nearest", "polynomial"]
    assert rows[2]["operations_per_pixel"] == ""
    words = (results.folder / "cost.md").read_text("utf-8")
    assert "| `nearest` |" in words
    assert "GPU" not in words
    assert "\\begin{tabular}" in (results.folder / "cost.tex").read_text("utf-8")
    assert (results.folder / "frontier.png").stat().st_size > 10_000
    assert "seconds" not in (results.folder / "table.csv").read_text("utf-8")


def test_a_cost_that_cannot_be_measured_loses_no_score_and_is_named(tmp_path, monkeypatch) -> None:
    def raises(*_: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr("specrec.cells.compute.measure_cost", raises)
    found = specrec.bench(["mean"], "synthetic[scenes=4,size=64]", limit=2, jobs=0, ceiling=0, output=tmp_path / "r")
    assert found.failed == ()
    [record] = [record for key, record in found.records.items() if key[1] == 0]
    assert record["broken_metrics"] == {"cost": "RuntimeError: no luck"}
    assert record["cost"] == {"operations_per_pixel": 37.0, "operations_counted": False}


def test_results_of_an_older_specrec_have_no_costs_and_no_picture(results, tmp_path) -> None:
    for record in results.records.values():
        record["cost"], kept = None, record["cost"]
        record["kept"] = kept
    try:
        assert cost.cost_rows(results) == []
        assert not draw_frontier(results, tmp_path / "frontier.png")
    finally:
        for record in results.records.values():
            record["cost"] = record.pop("kept")


def test_the_frontier_is_what_no_other_beats_at_no_more_cost() -> None:
    some = [Point(name, name, *pair) for name, pair in {
        "dear and good": (9.0, 1.0), "cheap": (1.0, 5.0), "beaten": (2.0, 6.0), "same cost": (1.0, 7.0),
        "middle": (3.0, 2.0), "no better": (4.0, 2.0),
    }.items()]  # fmt: skip
    assert [point.method for point in frontier(some, "rmse")] == ["cheap", "middle", "dear and good"]
    assert [point.method for point in frontier(some, "gfc")] == ["same cost"]


def test_the_frontier_has_a_panel_for_each_cost_that_was_measured(results) -> None:
    figure = frontier_figure(results)
    assert [axis.get_xlabel() for axis in figure.axes] == ["CPU s per megapixel", "operations per pixel", "parameters"]
    assert [len(axis.texts) for axis in figure.axes] == [4, 3, 4]  # nearest declares no operations


def test_names_of_crowded_points_overlap_neither_each_other_nor_the_points() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4))
    renderer = FigureCanvasAgg(figure).get_renderer()
    axis = figure.subplots()
    places = [(0.5 + 0.04 * (index % 4), 0.5 + 0.05 * (index // 4)) for index in range(12)]
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 1)
    place_labels(axis, places, [f"method-{index}" for index in range(12)], 8.0)
    boxes = [Text.get_window_extent(text, renderer) for text in axis.texts]  # without the line to the point
    assert len(boxes) == 12
    assert not [1 for index, one in enumerate(boxes) for other in boxes[:index] if one.overlaps(other)]
    assert not [1 for box in boxes for place in places if box.contains(*axis.transData.transform(place))]


def test_the_line_of_the_frontier_ends_in_its_last_method() -> None:
    best = [Point(name, name, *pair) for name, pair in {"a": (1.0, 5.0), "b": (3.0, 2.0)}.items()]
    assert _corners(best) == [(1.0, 5.0), (3.0, 5.0), (3.0, 2.0)]
