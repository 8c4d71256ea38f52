"""The small cubes that cells keep, and the page of a bench made from them."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from specrec.bench.results import read_results
from specrec.bench.run import bench
from specrec.cells.looks import (
    LARGEST_SIDE,
    read_estimate,
    read_look,
    reference_path,
    save_look,
    shown_scenes,
    step_for,
)
from specrec.cubes import read_cube, write_cube
from specrec.errors import DataError
from specrec.report import results_page
from specrec.report.packing import unpack_cube, unpack_map
from specrec.report.results_page import write_results_page
from specrec.spectra import WAVELENGTHS

DATA = "synthetic[scenes=4,size=32]"


def small(folder, methods="mean,linear", **options):
    fixed = {"dataset": DATA, "limit": 2, "jobs": 0, "device": "cpu", "ceiling": 0}
    return bench(methods, output=folder, **{**fixed, **options})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("bench") / "results"
    small(place, save_cubes=True)
    return place


def data_of(path):
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"))[1]
    )


def test_at_most_four_scenes_spread_over_the_fold_are_kept():
    assert shown_scenes([]) == []
    assert shown_scenes(["a", "b"]) == ["a", "b"]
    assert shown_scenes([str(index) for index in range(100)]) == ["0", "33", "66", "99"]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (128, 128), (129, 5), (1392, 1300), (3, 12000)])
def test_no_side_keeps_more_pixels_than_the_limit(height, width):
    step = step_for(height, width)
    assert -(-max(height, width) // step) <= LARGEST_SIDE
    assert step == 1 or -(-max(height, width) // (step - 1)) > LARGEST_SIDE


def test_a_reference_is_whole_at_any_time_while_many_write_it(folder, tmp_path):
    look = read_look(folder, 0, 0, read_results(folder).manifest.folds[0]["test"][0])
    name = "caf\udce9 a/b" + 250 * "l"  # no file may be called so, but a scene of one's own reader may
    cell = SimpleNamespace(path=tmp_path / "cells" / "fold0-run0.json", folder=str(tmp_path), fold=0, test=[name])
    height, width = look.shape
    cube, mask = np.zeros((height, width, 31), np.float32), np.ones((height, width), bool)
    cube[0, 0] = 1.0
    scene = SimpleNamespace(
        name=name, mask=mask, wavelengths=look.wavelengths, scene=SimpleNamespace(quantity="radiance")
    )

    def write(_):
        save_look(cell, scene, cube, cube, mask)
        return read_look(tmp_path, 0, 0, name).cube.sum()

    # every writer finds none, as two processes may at once
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as pool:
        patch.setattr(Path, "exists", lambda _: False)
        assert list(pool.map(write, range(16))) == [31.0] * 16
    assert [path.name for path in (tmp_path / "looks").iterdir()] == ["fold0-scene0.h5"]
    with pytest.raises(DataError, match="of another scene"):
        read_look(tmp_path, 0, 0, "other")


def test_what_cells_keep_is_what_they_estimated(folder):
    manifest = read_results(folder).manifest
    checked = 0
    for fold, names in enumerate(manifest.folds):
        for position, name in enumerate(names["test"]):
            look = read_look(folder, fold, position, name)
            truth = read_cube(folder / "cubes" / "reference" / f"{name}.h5")
            np.testing.assert_allclose(look.cube, truth.cube[:: look.step, :: look.step], atol=1e-5)
            for slug in manifest.methods:
                kept = read_estimate(folder / "cells" / slug / f"fold{fold}-run0.json", position, look)
                whole = read_cube(folder / "cubes" / slug / f"fold{fold}-run0" / f"{name}.h5").cube
                assert kept is not None
                span = float(whole.max() - whole.min())
                np.testing.assert_allclose(kept, whole[:: look.step, :: look.step], atol=span / 131070 * 1.01)
                checked += 1
    assert checked == 8


def test_the_page_shows_the_numbers_of_the_table(folder, tmp_path):
    results = read_results(folder)
    data = data_of(write_results_page(results, tmp_path / "page.html"))
    rows = {(row["method"], row["part"]): row for row in data["table"]}
    assert rows["linear", "weighted"]["numbers"]["rmse"][0] == results.value("linear", "rmse")
    assert [card["written"] for card in data["methods"]] == ["mean", "linear"]
    assert data["settings"]["protocol"]["seed"] == "0"
    assert sorted(image["scene"] for image in data["scores"]) == sorted(data["settings"]["scenes"])
    assert (data["failed"], data["missing"]) == ([], [])


def test_the_mean_of_a_map_on_the_page_is_the_score_of_the_image(folder, tmp_path):
    results = read_results(folder)
    data = data_of(write_results_page(results, tmp_path / "page.html"))
    scores = {image["scene"]: image["scores"] for image in data["scores"]}
    slugs = {written: slug for slug, written in results.manifest.methods.items()}
    assert len(data["scenes"]) == 4
    for scene in data["scenes"]:
        assert scene["step"] == 1  # so that the page holds every pixel that was scored
        for cube in scene["cubes"][1:]:
            values = unpack_map(cube["maps"]["rmse"])
            expected = scores[scene["name"]][slugs[cube["name"]]]["rmse"]
            assert np.nanmean(values) == pytest.approx(expected, abs=cube["maps"]["rmse"]["step"])


def without_cubes(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "results", ignore=shutil.ignore_patterns("cubes"))
    return read_results(tmp_path / "results")


def test_without_saved_cubes_the_page_shows_what_the_cells_kept(folder, tmp_path):
    results = without_cubes(folder, tmp_path)
    data = data_of(write_results_page(results, tmp_path / "page.html"))
    places = {name: (k, i) for k, fold in enumerate(results.manifest.folds) for i, name in enumerate(fold["test"])}
    assert len(data["scenes"]) == 4
    for scene in data["scenes"]:
        look = read_look(results.folder, *places[scene["name"]], scene["name"])
        np.testing.assert_allclose(unpack_cube(scene["cubes"][0]["values"]), look.cube, atol=2e-5)


def test_cells_without_their_cubes_make_a_page_that_says_so(folder, tmp_path):
    results = without_cubes(folder, tmp_path)
    (lost,) = (results.folder / "cells").glob("linear-*/fold0-run0.look0.h5")
    lost.unlink()
    damaged = reference_path(results.folder, 1, 0)
    damaged.write_bytes(b"no HDF5")
    data = data_of(write_results_page(results, tmp_path / "page.html"))
    assert len(data["scenes"]) == 3
    assert len(data["missing"]) == 2
    assert any("linear was computed without keeping a cube" in words for words in data["missing"])
    assert any("cannot be read" in words for words in data["missing"])


def test_overwrite_forgets_what_another_bench_kept(tmp_path):
    small(tmp_path / "results", "mean")
    before = read_results(tmp_path / "results").manifest.folds[0]["test"][0]
    assert read_look(tmp_path / "results", 0, 0, before).shape == (32, 32)
    small(tmp_path / "results", "mean", dataset="synthetic[scenes=4,size=40,first=8]", overwrite=True)
    after = read_results(tmp_path / "results").manifest.folds[0]["test"][0]
    assert after != before
    assert read_look(tmp_path / "results", 0, 0, after).shape == (40, 40)


def test_a_picture_that_cannot_be_kept_costs_no_score(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("specrec.cells.tested_images.save_look", full)
    found = small(tmp_path / "results", "mean")
    assert not found.failed
    assert found.value("mean") > 0.0
    assert "No space left" in found.records[next(iter(found.records))]["broken_metrics"]["picture"]
    data = data_of(write_results_page(found, tmp_path / "page.html"))
    assert len(data["missing"]) == 4


def test_a_method_that_is_not_installed_now_is_described_by_its_record(folder, tmp_path, monkeypatch):
    from specrec.registry import registry

    results = read_results(folder)
    monkeypatch.delitem(registry().reconstructors, "linear")
    (card,) = [
        one for one in data_of(write_results_page(results, tmp_path / "p.html"))["methods"] if one["name"] == "linear"
    ]
    assert "not installed now" in card["summary"]
    assert card["facts"]["learnt numbers"] == "93"


def test_failed_cells_are_listed_with_their_reasons(folder, tmp_path):
    copy = tmp_path / "copy"
    for path in folder.rglob("*.json"):
        target = copy / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        record = json.loads(path.read_text())
        if "linear" in str(path) and "fold1" in path.name:
            record = {**record, "status": "failed", "reason": "</script><script>alert(1)"}
        target.write_text(json.dumps(record))
    written = write_results_page(read_results(copy), tmp_path / "page.html")
    data = data_of(written)
    assert data["failed"] == ["linear fold 1 run 0: </script><script>alert(1)"]
    assert Path(written).read_text("utf-8").count("<script") == 2
    assert data["scenes"] == []


@pytest.mark.parametrize("damage", ["header", "half", "size"])
def test_a_damaged_estimate_falls_back_to_the_small_cubes_and_is_said_to_be_missing(folder, tmp_path, damage):
    shutil.copytree(folder, tmp_path / "results")
    results = read_results(tmp_path / "results")
    name = results.manifest.folds[0]["test"][0]
    (path,) = (results.folder / "cubes").glob(f"linear-*/fold0-run0/{name}.h5")
    content = path.read_bytes()
    if damage == "size":
        attributes = {"quantity": "radiance", "method": "linear"}
        write_cube(path, np.ones((8, 9, 31), np.float32), WAVELENGTHS, attributes, overwrite=True)
    else:
        path.write_bytes(b"no cube" if damage == "header" else content[: len(content) // 2])
    data = data_of(write_results_page(results, tmp_path / "page.html"))
    assert any(words.startswith(f"{name}: ") and "linear" in words for words in data["missing"])
    assert len(data["scenes"]) == 4


def test_an_estimate_that_vanishes_meanwhile_is_no_cube_of_zeros(folder, tmp_path, monkeypatch):
    results = without_cubes(folder, tmp_path)
    read = results_page.pack_scenes

    def vanished(scenes, room, missing):
        for path in results.folder.glob("cells/linear-*/fold0-*.look0.h5"):
            path.unlink()
        return read(scenes, room, missing)

    monkeypatch.setattr(results_page, "pack_scenes", vanished)
    data = data_of(write_results_page(results, tmp_path / "page.html"))
    assert len(data["scenes"]) == 3
    assert "cannot be read any more" in data["missing"][0]


def test_infinite_scores_and_every_part_reach_the_page(folder, tmp_path):
    results = without_cubes(folder, tmp_path)
    for path in results.folder.glob("cells/linear-*/fold0-run0.json"):
        record = json.loads(path.read_text())
        record["images"][0]["scores"]["psnr"][0] = "inf"
        path.write_text(json.dumps(record))
    results = read_results(results.folder, ("rmse", "psnr"))
    data = data_of(write_results_page(results, tmp_path / "page.html"))
    numbers = {(row["method"], row["part"]): row["numbers"]["psnr"][0] for row in data["table"]}
    assert numbers["linear", "fold 0"] == numbers["linear", "weighted"] == "inf"
    slugs = {written: slug for slug, written in results.manifest.methods.items()}
    assert sum(image["scores"][slugs["linear"]]["psnr"] == "inf" for image in data["scores"]) == 1
    assert sorted(data["comparisons"]) == ["fold 0", "fold 1", "weighted"]
    found = data["comparisons"]["weighted"]["psnr"]
    assert (found["best"], found["decidable"]) == ("linear", False)
    low = [facts["valid_pixels"] for facts in data["settings"]["scenes"].values()]
    assert all(isinstance(value, int | float) for value in low)
