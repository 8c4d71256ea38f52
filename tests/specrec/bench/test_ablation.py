"""The ablation: one fold tested, training error, controls, influence and the paper's Figure 4."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.container import ErrorbarContainer

from specrec.bench.figures.ablation import TIMES, ablation_figure, shown
from specrec.bench.figures.influence import influence_picture
from specrec.bench.manifest import read_manifest
from specrec.bench.results import Results, read_results
from specrec.bench.run import bench
from specrec.cells.influence import REACH, effective_side, influence_path, read_influence
from specrec.cli import command
from specrec.errors import UsageError
from specrec.registry import registry
from specrec.report.folder import write_report
from specrec.spectra import WAVELENGTHS
from specrec_gan.method import Gan

TINY = "width=4,discriminator_width=2,crop=32,steps=2"
PROTOCOL = f"""
dataset = "synthetic"
options = {{ scenes = 6, size = 32 }}
tested = [1]
runs = 2
metrics = ["rmse", "gfc"]
preset = "quick"
score_training = 2
influence = 3
figure = "ablation"
methods = ["gan[branches=1,{TINY}]", "gan[branches=3,{TINY}]"]
controls = ["pixel[steps=2,batch=64]"]
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, own_cache: None) -> Results:
    folder = tmp_path_factory.mktemp("ablation")
    (folder / "tiny.toml").write_text(PROTOCOL)
    return bench(protocol=str(folder / "tiny.toml"), output=folder / "results", jobs=0, device="cpu")


def test_the_protocol_alone_says_what_is_trained_and_only_its_fold_is_computed(results: Results) -> None:
    assert results.failed == ()
    files = {path.name for path in results.folder.glob("cells/*/*.json")}
    assert files == {"fold1-run0.json", "fold1-run1.json"}
    assert len(results.records) == 3 * 2
    for name in ("figure4.png", "figure4.pdf", "influence.png", "influence.pdf"):
        assert (results.folder / name).stat().st_size > 1000


def test_a_report_has_the_figure_too_for_print_and_for_the_screen(results: Results, tmp_path: Path) -> None:
    write_report(results, tmp_path / "report")
    assert (tmp_path / "report" / "figure4.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "report" / "figure4.png").read_bytes().startswith(b"\x89PNG")
    assert "figure4" in (tmp_path / "report" / "report.tex").read_text("utf-8")


def test_no_row_claims_to_be_over_all_folds_where_one_is_missing(results: Results) -> None:
    assert {row.part for row in results.rows} == {"fold 1", "fold 1 (training)"}
    assert "weighted" not in results.table("md")
    assert "tested: 1" in results.table("md")


def test_the_training_error_is_that_of_seeded_scenes_trained_on(results: Results) -> None:
    record = next(iter(results.records.values()))
    scored = [image["scene"] for image in record["training_images"]]
    assert len(scored) == 2
    assert set(scored) <= set(record["train"])
    assert {tuple(i["scene"] for i in r["training_images"]) for r in results.records.values()} == {tuple(scored)}
    mine = [r["training_images"] for (slug, _, _), r in results.records.items() if slug == record["slug"]]
    scores = [np.array([image["scores"]["rmse"][:2] for image in images]) for images in mine]
    expected = np.mean([np.average(values, weights=weights) for values, weights in (run.T for run in scores)])
    written = results.manifest.methods[record["slug"]]
    assert results.value(written, "rmse", "fold 1 (training)") == pytest.approx(expected)
    assert record["megapixels"] == pytest.approx(3 * 32 * 32 / 1e6), "scoring the training scenes is not timed"


def test_the_figure_shows_what_the_table_says(results: Results) -> None:
    figure = ablation_figure(results)
    rmse, gfc = (axis for axis in figure.axes if axis.get_title())
    written = list(results.manifest.methods.values())
    for axis, metric in ((rmse, "rmse"), (gfc, "gfc")):
        assert [bar.get_height() for bar in axis.patches] == [results.value(name, metric, "fold 1") for name in written]
        spreads = [bars for bars in axis.containers if isinstance(bars, ErrorbarContainer)]
        drawn = [bars.lines[0].get_ydata()[0] for bars in spreads]
        values = [results.value(name, metric, part) for name in written for part in ("fold 1", "fold 1 (training)")]
        assert drawn == values
    assert rmse.get_ylim()[0] == 0
    assert "does not start at 0" in gfc.get_title()
    assert rmse.get_xlabel().startswith("branches / receptive field / parameters")
    ticks = [label.get_text() for label in rmse.get_xticklabels()]
    assert [tick.split("\n")[:2] for tick in ticks] == [["1", f"1{TIMES}1"], ["3", f"7{TIMES}7"], ["A", f"1{TIMES}1"]]
    gaps = np.diff(rmse.get_xticks())
    assert gaps[1] > gaps[0], "controls are set apart"
    assert not any("reported" in label for label in rmse.get_legend_handles_labels()[1])


def test_a_method_without_result_leaves_its_place(results: Results, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "results"
    shutil.copytree(results.folder, folder)
    slug = next(iter(results.manifest.methods))
    shutil.rmtree(folder / "cells" / slug)
    axis = ablation_figure(read_results(folder)).axes[0]
    assert len(axis.patches) == 2
    assert len(axis.get_xticks()) == 3
    assert "no result" in [text.get_text() for text in axis.texts]


def test_the_influence_stays_inside_the_field_and_only_a_method_that_can_tell_has_one(results: Results) -> None:
    _, methods = shown(results)
    for method in methods:
        path = influence_path(results.folder / "cells" / method.slug / "fold1-run0.json")
        assert path.exists() == method.written.startswith("gan")
        if path.exists():
            influence, side = read_influence(path)
            places = np.argwhere(influence > 0) - REACH
            assert np.abs(places).max() <= (method.field or 0) - 1
            assert influence[REACH, REACH] > 0
            assert 1 <= side <= (method.field or 0)
    assert len([axis for axis in influence_picture(results).axes if axis.images]) == 2


def test_the_effective_side_counts_the_strongest_pixels() -> None:
    values = np.random.default_rng(0).random((9, 9)).astype(np.float32)
    ordered = sorted(values.ravel().astype(float), reverse=True)
    count = next(n for n in range(1, 82) if sum(ordered[:n]) >= 0.95 * sum(ordered))
    assert effective_side(values) == pytest.approx(np.sqrt(count))


def test_a_second_start_keeps_the_cells_and_other_columns_or_figures_are_fine(results: Results) -> None:
    before = {path: path.stat().st_mtime_ns for path in results.folder.glob("cells/*/*.json")}
    protocol = results.folder.parent / "tiny.toml"
    protocol.write_text(PROTOCOL.replace('figure = "ablation"', "").replace('["rmse", "gfc"]', '["sam"]'))
    again = bench(protocol=str(protocol), output=results.folder, jobs=0, device="cpu")
    assert again.metrics == ("sam",)
    assert {path: path.stat().st_mtime_ns for path in results.folder.glob("cells/*/*.json")} == before
    protocol.write_text(PROTOCOL)
    bench(protocol=str(protocol), output=results.folder, jobs=0, device="cpu")
    protocol.write_text(PROTOCOL.replace("score_training = 2", "score_training = 1"))
    with pytest.raises(UsageError, match=r"settings\.score_training was 2, is now 1"):
        bench(protocol=str(protocol), output=results.folder, jobs=0, device="cpu")
    protocol.write_text(PROTOCOL)


def test_a_folder_from_before_a_key_existed_can_still_be_read_and_continued(tmp_path: Path) -> None:
    import json

    options: dict[str, Any] = {"dataset": "synthetic[scenes=4,size=32]", "limit": 2, "jobs": 0, "device": "cpu"}
    options["ceiling"] = 0
    bench("mean", output=tmp_path, **options)
    values = json.loads((tmp_path / "manifest.json").read_text())
    for key in ("tested", "controls", "figure", "influence", "score_training", "ceiling", "methods", "on"):
        del values["settings"][key]
    (tmp_path / "manifest.json").write_text(json.dumps(values))
    assert read_manifest(tmp_path).settings["tested"] == []
    assert bench("mean", output=tmp_path, **options).value("mean") > 0


def test_a_dry_run_lists_the_cells_of_the_tested_fold_alone(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(PROTOCOL)
    words = ["--protocol", str(tmp_path / "tiny.toml"), "-o", str(tmp_path / "r"), "--dry-run", "--warm-up", "0"]
    said = CliRunner().invoke(command, ["bench", *words])
    assert said.exit_code == 0, said.output
    assert said.output.count("to compute") == 3 * 2
    assert "fold 0" not in said.output


def test_an_influence_that_raises_costs_no_score_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(*_: object) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr("specrec_gan.method.Gan.influence", raises)
    (tmp_path / "tiny.toml").write_text(PROTOCOL)
    results = bench(
        "gan[branches=1,steps=2]", protocol=str(tmp_path / "tiny.toml"), output=tmp_path / "r", jobs=0, device="cpu"
    )
    assert results.failed == ()
    first, second = (results.records[key] for key in sorted(results.records))
    assert first["broken_metrics"] == {"influence": "RuntimeError: no luck"}
    assert second["broken_metrics"] == {}  # it is measured in the first run alone


def test_methods_that_are_given_replace_those_of_the_protocol(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(PROTOCOL)
    results = bench("mean", protocol=str(tmp_path / "tiny.toml"), output=tmp_path / "r", jobs=0, device="cpu")
    assert list(results.manifest.methods.values()) == ["mean"]
    assert (tmp_path / "r" / "figure4.png").exists()
    assert not (tmp_path / "r" / "influence.png").exists()


def test_without_methods_anywhere_the_bench_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no methods given .* and the protocol names none"):
        bench(dataset="synthetic[scenes=4,size=32]", output=tmp_path, jobs=0, device="cpu")


def test_a_tested_fold_that_published_lists_do_not_have_is_refused(tmp_path: Path) -> None:
    names = registry().scene_source("synthetic")(scenes=6, size=32).names()
    (tmp_path / "test0.csv").write_text(names[0])
    (tmp_path / "train0.csv").write_text(names[1])
    (tmp_path / "tiny.toml").write_text(PROTOCOL)
    with pytest.raises(UsageError, match=r"protocol tiny: (tested|folds) must be"):
        bench(protocol=str(tmp_path / "tiny.toml"), folds_from=tmp_path, output=tmp_path / "r", jobs=0, device="cpu")


def write_icvl(folder: Path, count: int) -> None:
    """Scenes of 260 x 258 in the published layout: counts, bands first, turned."""
    for index in range(count):
        rng = np.random.default_rng(index)
        coarse = rng.integers(1, 4096, (26, 43, 31)).repeat(10, 0).repeat(6, 1)  # upright, (260, 258, 31)
        with h5py.File(folder / f"BGU_{index:04d}.mat", "w") as file:
            file["rad"] = np.rot90(coarse, k=-1).T.astype(np.float64)
            file["bands"] = WAVELENGTHS.reshape(-1, 1)


def test_on_icvl_the_same_command_has_the_papers_setting_and_outlines_its_bars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "icvl").mkdir()
    write_icvl(tmp_path / "icvl", 2)
    # the paper's own training takes a GPU; everything else here is as it would be
    monkeypatch.setitem(Gan.presets, "paper", {"steps": 1, "width": 2, "discriminator_width": 2})
    results = bench(
        "gan[branches=1],gan[branches=4]",
        "icvl",
        tmp_path / "icvl",
        protocol="branches",
        runs=1,
        limit=1,
        output=tmp_path / "results",
        jobs=0,
        device="cpu",
    )
    settings = results.manifest.settings
    expected = {"preset": "paper", "region": "tiles:256", "runs": 1, "tested": [1], "scenes_per_fold": 100, "folds": 2}
    assert {key: settings[key] for key in expected} == expected
    assert all(record["fold"] == 1 for record in results.records.values())
    assert all(i["valid_pixels"] == 256 * 256 for r in results.records.values() for i in r["images"])
    reported = [row for row in results.rows if row.beside]
    assert len(reported) == 9
    assert reported[3].numbers["rmse"].mean == 1.2553
    outlines = {}
    for axis in ablation_figure(results).axes:
        if axis.get_title():
            metric = axis.get_title().split(" ")[0].strip(",")
            outlines[metric] = [bar.get_height() for bar in axis.patches if not bar.get_fill()]
            assert any(label.startswith("reported: ") for label in axis.get_legend_handles_labels()[1])
    assert outlines == {
        "rmse": [1.6475, 1.2553],
        "rrmse": [0.0451, 0.0331],
        "gfc": [0.9985, 0.9994],
        "de2000": [2.9419, 1.5245],
    }
