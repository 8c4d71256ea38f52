"""The protocol ``robustness`` in small: columns, what a method can fail at, other data, files, order and figure."""

import csv
import io
import json
import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import specrec
from specrec.bench.figures.robustness import robustness_figure
from specrec.bench.reproduce import _cross, reproduce
from specrec.bench.results import Results, read_results
from specrec.bench.robustness import as_csv, as_markdown, floor, footnotes, lines
from specrec.bench.run import bench
from specrec.bench.watching import Watcher
from specrec.cells.columns import FLOOR, columns_of, shown
from specrec.cli import command
from specrec.errors import DataError, UsageError
from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor
from specrec.registry import registry
from specrec.rendering import srgb_to_xyz
from specrec.report.conditions import robustness_part
from specrec.report.folder import write_report
from specrec.spectra import WAVELENGTHS
from specrec.testing.small_scenes import smooth_scene

CONDITIONS = [
    "exposure=0.5", "exposure=4", "jpeg=50", "noise=0.02", "observer=cie1931", "camera=nikon-5100", "metamer-pair",
    "back-projection", "cross-data",
]  # fmt: skip
PROTOCOL = f"""
dataset = "synthetic"
options = {{ scenes = 4, size = 32 }}
metrics = ["rmse"]
preset = "quick"
robustness = {json.dumps(CONDITIONS)}
cross = "synthetic[world=1,scenes=3,size=32]"
cross_scenes = 2
"""


class Scaling(Reconstructor):
    """Grey spectra as bright as the photo; with a photo that has white in it, it fails."""

    name = "scaling"
    summary = "for tests"

    def fit(self, scenes: Any, context: Any) -> "Scaling":
        return self

    def reconstruct(self, rgb: Any) -> Any:
        if (rgb == 1.0).mean() > 0.02:
            raise ValueError("much too bright")
        return np.repeat(srgb_to_xyz(rgb)[..., 1:2], 31, axis=2).astype(np.float32)

    def state(self) -> Any:
        return {}, {}

    @classmethod
    def from_state(cls, settings: Any, arrays: Any, config: Any) -> "Scaling":
        return cls(**settings)


@pytest.fixture(scope="module")
def scaling() -> Iterator[None]:
    registry().add(SimpleNamespace(specrec_reconstructors=hookimpl(lambda: [Scaling])), "scaling-distribution")
    yield
    del registry().reconstructors["scaling"]


@pytest.fixture(scope="module")
def protocol_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("protocol") / "small.toml"
    path.write_text(PROTOCOL)
    return path


@pytest.fixture(scope="module")
def results(protocol_file: Path, scaling: None) -> Results:
    folder = protocol_file.parent / "results"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specrec.bench.written_tables.draw_figure", lambda *_: False)
        return bench("linear,polynomial,scaling", protocol=str(protocol_file), output=folder, jobs=0, device="cpu")


def test_every_condition_is_a_column_beside_the_clean_error(results: Results) -> None:
    assert results.metrics == ("rmse", *(shown(text) for text in CONDITIONS))
    assert results.failed == ()
    for text in CONDITIONS:
        assert results.value("linear", shown(text)) > 0.0
    for form in ("table", "md", "csv", "tex", "json"):
        text = results.table(form)
        for what in CONDITIONS[:2]:
            assert what in text
    assert max(len(line) for line in results.table().split("\nFold")[0].splitlines()) < 260


def test_the_page_shows_the_conditions_as_the_table_of_them_does(results: Results) -> None:
    part = robustness_part(results)
    assert part is not None
    rows = {line.split(" | ")[0].strip("| "): line for line in as_markdown(results).splitlines()}
    assert [row["condition"] for row in part["rows"]] == ["clean", *CONDITIONS]
    for row in part["rows"]:
        for error in row["errors"].values():
            times = "" if error["times"] is None else f" ({error['times']:.2f})"
            text = f"**{error['text']}**" if error["best"] else error["text"]
            assert f"| {text}{times} |" in rows[row["condition"]]
        assert f"| {row['order']} |" in rows[row["condition"]]
    assert part["notes"] == footnotes(results)
    assert part["picture"].startswith("data:image/png;base64,")
    without = replace(results.manifest, settings={**results.manifest.settings, "robustness": []})
    assert robustness_part(replace(results, manifest=without)) is None


def test_a_method_that_scales_with_light_keeps_its_error_and_one_that_bends_does_not(
    results: Results,
) -> None:
    linear, same = (results.records[slug_of(results, "linear"), 0, 0]["images"][0]["scores"][name][0]
                    for name in ("rmse@exposure=0.5", "rmse@unclipped=0.5"))  # fmt: skip
    assert linear == pytest.approx(same, rel=0.03)
    assert results.value("polynomial", "rmse@exposure=0.5") > 1.05 * results.value("polynomial")


def slug_of(results: Results, written: str) -> str:
    return {text: slug for slug, text in results.manifest.methods.items()}[written]


def test_a_method_that_fails_under_one_condition_has_a_dash_there_and_keeps_the_rest(results: Results) -> None:
    with pytest.raises(KeyError):
        results.value("scaling", "rmse@exposure=4")
    assert results.value("scaling", "rmse@exposure=0.5") == pytest.approx(results.value("scaling"), rel=0.05)
    assert any(words.startswith("rmse@exposure=4: ") and "much too bright" in words for words in results.troubles)
    row = next(line for line in results.table("md").splitlines() if line.startswith("| `scaling` | weighted"))
    assert row.split("|")[3 + 2].strip() == "-"
    assert "Not known: rmse@exposure=4: " in results.table()


def test_no_answer_to_one_colour_gets_below_half_the_distance_of_its_metamers(results: Results) -> None:
    least = floor(results)
    assert least > 1.0
    for method in ("linear", "polynomial", "scaling"):
        assert results.value(method, "rmse@metamer-pair") >= least
    for record in results.records.values():
        for image in record["images"]:
            assert image["scores"]["rmse@metamer-pair"][0] >= image["scores"][FLOOR][0]


def test_other_data_are_tested_by_every_fold_and_shown_once(results: Results) -> None:
    names = list(results.manifest.cross_scenes)
    assert len(names) == 2
    assert all(name.startswith("world1-") for name in names)
    for record in results.records.values():
        assert [image["scene"] for image in record["cross_images"]] == names
        assert set(record["cross_images"][0]["scores"]) == {"rmse@cross-data", "gfc@cross-data"}
    comparison = results.comparisons["weighted", "rmse@cross-data"]
    assert comparison.scenes == 2


def test_a_record_holds_every_column_in_plain_json_and_times_the_clean_photo_alone(results: Results) -> None:
    wanted = {name for name in columns_of(CONDITIONS) if not name.endswith("@cross-data")}
    for path in sorted(results.folder.glob(f"cells/{slug_of(results, 'linear')}/*.json")):
        record = json.loads(path.read_text(), parse_constant=pytest.fail)
        for image in record["images"]:
            assert wanted <= set(image["scores"])
            assert image["scores"]["rmse@unclipped=4"][1] < image["valid_pixels"]
            assert image["scores"]["rmse@jpeg=50"][1] == image["valid_pixels"]
        assert record["megapixels"] == pytest.approx(len(record["images"]) * 32 * 32 / 1e6)
        assert len(json.dumps(record["images"][0])) < 3000


def test_a_second_start_computes_nothing_and_the_same_again_gives_the_same(
    results: Results, protocol_file: Path
) -> None:
    from specrec.bench.watching import Watcher

    class Counting(Watcher):
        missing = -1

        def planned(self, total: int, missing: int) -> None:
            self.missing = missing

    watcher = Counting()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specrec.bench.run.write_tables", lambda _: None)
        again = {"protocol": str(protocol_file), "jobs": 0, "device": "cpu", "watcher": watcher}
        bench("linear,polynomial,scaling", output=results.folder, **again)
        assert watcher.missing == 0
        anew = bench("polynomial", output=results.folder.parent / "anew", **again)
    assert watcher.missing == 2
    for text in CONDITIONS:
        assert anew.value("polynomial", shown(text)) == results.value("polynomial", shown(text)), text


def test_the_files_have_every_condition_with_its_clean_error(results: Results) -> None:
    with (results.folder / "robustness.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["condition"] for row in rows if row["method"] == "linear"] == ["clean", *CONDITIONS]
    row = next(row for row in rows if (row["condition"], row["method"]) == ("exposure=4", "linear"))
    assert float(row["times_clean"]) == pytest.approx(float(row["error"]) / float(row["clean_on_same_pixels"]))
    assert not [row for row in rows if (row["condition"], row["method"]) == ("exposure=4", "scaling")]
    text = (results.folder / "robustness.md").read_text("utf-8")
    assert text == as_markdown(results)
    assert as_csv(results) == (results.folder / "robustness.csv").read_text()
    assert "| exposure=4 |" in text
    assert (results.folder / "robustness.png").stat().st_size > 5000
    assert not (results.folder / "robustness.pdf").exists(), "the report draws it, for print"


def test_the_report_has_the_figure_and_not_a_table_for_each_condition(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specrec.report.folder.spectra_figure", lambda *_: None)  # which takes the longest to draw
    names = write_report(results, tmp_path / "report")
    assert {"robustness.pdf", "robustness.png", "robustness.csv", "boxes-rmse.pdf"} <= set(names)
    assert not [name for name in names if "jpeg" in name]
    assert "rmse@cross-data" in (tmp_path / "report" / "scores.csv").read_text()


def test_columns_are_chosen_by_name_and_refused_where_they_are_not_computed(results: Results) -> None:
    chosen = read_results(results.folder, ["gfc@jpeg=50", "rmse@unclipped=4", FLOOR])
    assert 0.5 < chosen.value("linear", "gfc@jpeg=50") < 1.0
    with pytest.raises(UsageError, match="rmse@jpeg=95 needs its condition"):
        read_results(results.folder, ["rmse@jpeg=95"])


def test_the_order_of_methods_is_told_where_it_changes(made_results: Any) -> None:
    scores = {
        "one": {"rmse": np.full(8, 1.0), "rmse@jpeg=50": np.full(8, 5.0), "rmse@noise=0.01": np.full(8, 1.5)},
        "two": {"rmse": np.full(8, 2.0), "rmse@jpeg=50": np.full(8, 3.0), "rmse@noise=0.01": np.full(8, 2.5)},
        "three": {"rmse": np.full(8, 3.0), "rmse@jpeg=50": np.full(8, 4.0), "rmse@noise=0.01": np.full(8, 2.4)},
    }
    made = made_results(scores, robustness=["jpeg=50", "noise=0.01"])
    clean, jpeg, noise = lines(made)
    assert (clean.best, jpeg.best, jpeg.times("m0")) == ("m0", "m1", 5.0)
    assert math.isnan(clean.tau)
    assert (round(jpeg.tau, 6), round(noise.tau, 6)) == (round(-1 / 3, 6), round(1 / 3, 6))
    notes = footnotes(made)
    assert notes[0] == "Under 0 of 2 conditions the methods have the order of the clean column."
    assert notes[1] == "Another method than one is best under jpeg=50 (two)."
    assert notes[2] == "one stays best and others change places under noise=0.01."
    assert "| jpeg=50 | 5.000 (5.00) | **3.000** (1.50) | 4.000 (1.33) | best: two | -0.33 |" in as_markdown(made)


def test_a_protocol_without_conditions_has_no_lines_and_no_figure(made_results: Any) -> None:
    made = made_results({"one": {"rmse": np.arange(4.0)}})
    assert (lines(made), footnotes(made), robustness_figure(made)) == ([], [], None)


def test_every_method_has_a_line_in_each_panel_and_marks_of_its_own(results: Results) -> None:
    figure = robustness_figure(results)
    exposure, jpeg, noise, dots, back = figure.axes[:5]
    assert [axis.get_xlabel().split(",")[0] for axis in (exposure, jpeg, noise)] == [
        "exposure", "JPEG quality", "noise at white",
    ]  # fmt: skip
    shown_lines = exposure.lines
    assert len({(line.get_color(), line.get_marker()) for line in shown_lines}) == 3
    assert {line.get_markerfacecolor() for line in shown_lines} == {"none"}, "one mark does not hide another"
    assert list(shown_lines[0].get_xdata()) == [0.5, 1.0, 4.0]
    assert list(shown_lines[2].get_xdata()) == [0.5, 1.0], "where it failed there is no point"
    linear = slug_of(results, "linear")
    bright = next(line for line in lines(results) if line.condition == "exposure=4")
    assert list(shown_lines[0].get_ydata())[1:] == [1.0, bright.times(linear)], "no error falls for what is left out"
    assert noise.lines[0].get_ydata()[0] == pytest.approx(results.value("linear"))
    assert "metamer" in " ".join(tick.get_text() for tick in dots.get_xticklabels())
    assert [tick.get_text() for tick in back.get_yticklabels()] == ["linear", "polynomial", "scaling"]
    assert [list(line.get_ydata()) for line in back.lines] == [[0], [1], [2]]
    assert back.get_xlabel() == "RMSE, 8-bit levels of sRGB"
    free = figure.axes[5].get_legend()
    assert [text.get_text() for text in free.get_texts()] == ["linear", "polynomial", "scaling"]


def test_back_projection_has_another_unit_and_is_not_compared(results: Results) -> None:
    row = next(line for line in as_markdown(results).splitlines() if line.startswith("| back-projection |"))
    assert row.endswith("| | |") or row.endswith("|  |  |")
    assert "**" not in row
    with io.StringIO(as_csv(results)) as file:
        assert {row["kendall_tau"] for row in csv.DictReader(file) if row["condition"] == "back-projection"} == {""}
    assert footnotes(results)[0].split(" the methods")[0].endswith("of 8 conditions, back-projection aside,")


def test_other_data_of_one_fold_alone_are_no_number_of_both(results: Results, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    shutil.copytree(results.folder, folder)
    (folder / "cells" / slug_of(results, "linear") / "fold1-run0.json").unlink()
    left = read_results(folder)
    clean, *others = lines(left)
    assert slug_of(results, "linear") not in {slug for line in (clean, *others) for slug in line.errors}
    assert others[-1].condition == "cross-data"


def scenes_in(folder: Path, seeds: range) -> Path:
    folder.mkdir()
    for seed in seeds:
        scene = smooth_scene(f"s{seed}", 24, 24, seed)
        specrec.write_cube(folder / f"s{seed}.h5", scene.cube(), WAVELENGTHS, {"quantity": "radiance"})
    return folder


class Heard(Watcher):
    def __init__(self) -> None:
        self.words: list[str] = []

    def note(self, words: str) -> None:
        self.words.append(words)


def test_other_data_may_be_a_folder_and_never_hold_what_is_trained_on(tmp_path: Path) -> None:
    mine, others = scenes_in(tmp_path / "mine", range(4)), scenes_in(tmp_path / "others", range(3, 6))
    protocol = tmp_path / "p.toml"
    protocol.write_text('dataset = "folder"\nrobustness = ["cross-data"]\ncross = "folder"\nmetrics = ["rmse"]\n')
    start = {"protocol": str(protocol), "data": mine, "jobs": 0, "device": "cpu"}
    with pytest.raises(DataError, match="scene s3 of the other data set holds the same as s3, which is trained on"):
        bench("mean", cross_data=others, output=tmp_path / "r", **start)
    assert not (tmp_path / "r").exists()
    (others / "s3.h5").unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specrec.bench.run.write_tables", lambda _: None)
        found = bench("mean", cross_data=others, output=tmp_path / "r", **start)
    assert list(found.manifest.cross_scenes) == ["s4", "s5"]
    assert found.value("mean", "rmse@cross-data") > 0.0
    record = next((tmp_path / "r").glob("cells/*/fold0-run0.json"))
    again = reproduce(record, mine, cross_data=others, jobs=0)
    assert "rmse@cross-data" in [row.metric for row in again.rows]
    assert again.verdict.startswith("mean fold 0 run 0 is reproduced to the bit")
    with h5py.File(others / "s4.h5", "r+") as file:
        file.attrs["remark"] = "written once more"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specrec.bench.run.write_tables", lambda _: None)
        bench("mean", cross_data=others, output=tmp_path / "r", watcher=(heard := Heard()), **start)
    words = "s4 of the other data set: s4.h5 is not the file it was, and holds the same; going on"
    assert heard.words == [f"scene {words}"]
    with h5py.File(others / "s4.h5", "r+") as file:
        file["cube"][0, 0, 0] = np.float32(0.123)
    with pytest.raises(UsageError, match=r"the content of scene s4 of the other data set has changed: s4\.h5\);"):
        bench("mean", cross_data=others, output=tmp_path / "r", **start)
    with pytest.raises(UsageError, match="the bench of this cell had no other data set"):
        _cross(replace(found.manifest, settings={"cross": ""}), others, Watcher())
    with pytest.raises(UsageError, match="of --cross is read from a folder; name it"):
        bench("mean", output=tmp_path / "other", **start)


def test_the_command_line_takes_another_data_set_and_refuses_one_without_its_condition(tmp_path: Path) -> None:
    def plan(*arguments: str) -> Any:
        planned = ["bench", "-m", "mean", "--dry-run", "-o", str(tmp_path / "r"), *arguments]
        return CliRunner().invoke(command, planned, catch_exceptions=False, standalone_mode=False)

    assert plan("--protocol", "robustness", "--cross", "synthetic[world=9,scenes=2]").exit_code == 0
    with pytest.raises(UsageError, match="cross must be a data set where robustness names cross-data"):
        plan("--cross", "synthetic[world=9]")
    with pytest.raises(UsageError, match=r"name it \(--cross\)"):
        plan("--cross-data", str(tmp_path))
