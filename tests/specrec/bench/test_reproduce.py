"""A cell is computed again from its record, away from its folder, and compared."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import specrec
from specrec.bench.likeness import apart, compare_images
from specrec.bench.reproduce import reproduce
from specrec.bench.run import bench
from specrec.cli.bench import command
from specrec.errors import DataError, SpecrecError, UsageError

METHOD = "pixel[steps=5,batch=32]"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with ceiling, influence, conditions, other data and scored training scenes."""
    folder = tmp_path_factory.mktemp("reproduce")
    text = "dataset = 'synthetic'\noptions = {scenes = 4, size = 32}\nscore_training = 1\ninfluence = 1\nceiling = 4\n"
    text += "robustness = ['jpeg=50', 'cross-data']\ncross = 'synthetic[world=1,scenes=2,size=32]'\ncross_scenes = 1\n"
    (folder / "mine.toml").write_text(text)
    options: dict[str, Any] = {"protocol": str(folder / "mine.toml"), "limit": 2, "jobs": 0, "device": "cpu"}
    bench(METHOD, output=folder / "r", **options)
    return next((folder / "r").glob("cells/*/fold0-run0.json"))


@pytest.fixture
def changed(made: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write another record of the folder into a copy of what it needs."""
    (tmp_path / "r").mkdir()
    shutil.copy(made.parents[2] / "manifest.json", tmp_path / "r")
    shutil.copytree(made.parents[2] / "ceiling", tmp_path / "r" / "ceiling")

    def change(edit: Callable[[dict[str, Any]], object]) -> Path:
        record = json.loads(made.read_text())
        edit(record)
        path = tmp_path / "r" / "cells" / "slug" / "fold0-run0.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record))
        return path

    return change


def everything(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}


def test_on_the_same_machine_a_cell_comes_out_to_the_bit_and_the_folder_stays_as_it_is(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(made.parents[2])
    command.main(["--reproduce", str(made), "-j", "0"], standalone_mode=False)
    told = capsys.readouterr().out
    assert told.endswith(f"{METHOD} fold 0 run 0 is reproduced to the bit (the same machine and the same software)\n")
    row = next(line.split() for line in told.splitlines() if line.startswith("rmse "))
    assert row[1] == row[2]
    assert row[3:] == ["0", "0"]
    assert "rmse@matched" in told
    assert "rmse (training)" in told
    assert "rmse@jpeg=50" in told
    assert "rmse@cross-data" in told
    assert "not compared" not in told
    assert "other than then" not in told
    assert everything(made.parents[2]) == before


def test_one_bit_in_one_image_is_beyond_what_the_same_machine_may_differ_by(
    changed: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    def nudge(record: dict[str, Any]) -> None:
        score = record["images"][1]["scores"]["sam"]
        score[0] = float(np.nextafter(score[0], 2.0))

    with pytest.raises(SpecrecError, match=r"is not reproduced: sam was .*; nothing is allowed \(the same machine"):
        command.main(["--reproduce", str(changed(nudge)), "-j", "0"], standalone_mode=False)
    assert "sam" in capsys.readouterr().out


def test_a_number_of_the_other_data_set_is_compared_too(changed: Callable[..., Path]) -> None:
    def nudge(record: dict[str, Any]) -> None:
        record["cross_images"][0]["scores"]["rmse@cross-data"][0] += 1e-6

    assert [row.metric for row in reproduce(changed(nudge), jobs=0).beyond] == ["rmse@cross-data"]


def test_a_metric_of_the_record_that_is_lost_is_no_reproduction(
    changed: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    def add(record: dict[str, Any]) -> None:
        del record["images"][0]["scores"]["psnr"], record["images"][1]["scores"]["psnr"]
        for image in record["images"]:
            image["scores"]["gone"] = [1.0, 1.0, 0.0]

    with pytest.raises(SpecrecError, match=r"is not reproduced: 1 metric could not be compared \(gone"):
        command.main(["--reproduce", str(changed(add)), "-j", "0"], standalone_mode=False)
    told = capsys.readouterr().out
    assert "not compared: gone is in the record, and could not be computed again" in told
    assert "not compared: psnr is not in the record" in told


def test_another_processor_or_plugin_is_named_first_and_two_percent_are_allowed(changed: Callable[..., Path]) -> None:
    def of_another(record: dict[str, Any]) -> None:
        record["processor"] = "Another One"
        record["decided_by"]["plugin"] = "specrec 0.0.1"
        for image in record["images"]:
            image["scores"]["rmse"][0] *= 1.015

    found = reproduce(path := changed(of_another), jobs=0)
    assert [words.partition(" (now ")[0] for words in found.differences] == ["specrec 0.0.1", "processor Another One"]
    assert found.beyond == []
    assert "is reproduced within 2 % of a cell's number and 10 % of an image's" in found.verdict
    strict = reproduce(path, jobs=0, tolerance=0.01)
    assert [row.metric for row in strict.beyond] == ["rmse"]
    assert "1.5 % apart" in strict.verdict
    assert strict.verdict.endswith("1 % of a cell's number and 5 % of an image's is allowed (as asked for)")


def test_a_record_of_version_1_can_be_computed_again(changed: Callable[..., Path]) -> None:
    def of_version_1(record: dict[str, Any]) -> None:
        for key in ("key", "decided_by", "processor", "accelerator", "metric_code"):
            del record[key]
        record["results_version"] = 1

    found = reproduce(changed(of_version_1), jobs=0)
    assert "does not say what decided it" in found.differences[0]
    assert "processor not recorded" in found.differences[1]
    assert all(row.difference == 0 for row in found.rows)


def test_scenes_that_are_others_now_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    for index in range(4):
        cube = rng.random((16, 16, 31), dtype=np.float32)
        specrec.write_cube(tmp_path / "data" / f"s{index}.h5", cube, specrec.WAVELENGTHS, {"quantity": "radiance"})
    bench("mean", "folder", tmp_path / "data", jobs=0, device="cpu", ceiling=0, output=tmp_path / "r")
    path = next((tmp_path / "r").glob("cells/*/fold0-run0.json"))
    train = json.loads(path.read_text())["train"]
    specrec.write_cube(
        tmp_path / "data" / f"{train[0]}.h5", cube[::-1] / 2, specrec.WAVELENGTHS, {"quantity": "radiance"},
        overwrite=True,
    )  # fmt: skip
    words = ["--reproduce", str(path), "--data", str(tmp_path / "data"), "-j", "0", "--tolerance", "9"]
    command.main(words, standalone_mode=False)
    assert capsys.readouterr().out.startswith("other than then: other scenes trained on\n")
    (tmp_path / "data" / f"{train[0]}.h5").unlink()
    with pytest.raises(DataError, match=f"the data set 'folder' has no scene '{train[0]}'"):
        reproduce(path, tmp_path / "data")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda record: record.update(status="failed", reason="no luck"), r"of a cell that failed \(no luck\)"),
        (lambda record: record.update(run="../../../../x"), "is not a result of this specrec"),
        (lambda record: record.update(fold=9), "is damaged"),
        (lambda record: record.pop("images"), "is not a result of this specrec"),
        (lambda record: record.update(train=["../../x"]), "has no scene"),
        (lambda record: record.update(method="gone"), "unknown method 'gone'"),
        (lambda record: record.update(results_version=3), "is not a result of this specrec"),
    ],
)
def test_a_record_that_cannot_be_computed_again_is_one_sentence(
    changed: Callable[..., Path], edit: Callable[[dict[str, Any]], object], words: str
) -> None:
    with pytest.raises(SpecrecError, match=words):
        reproduce(changed(edit), jobs=0)


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (["--methods", "mean"], "--reproduce takes all from the record; leave out --methods"),
        (["--overwrite"], "leave out --overwrite"),
        (["--tolerance", "-1"], "--tolerance is a number from 0"),
        (["--cross", "synthetic"], "leave out --cross"),
        (["--tolerance", "nan"], "--tolerance is a number from 0"),
    ],
)
def test_what_contradicts_a_reproduction_is_refused(made: Path, words: list[str], refused: str) -> None:
    with pytest.raises(UsageError, match=refused):
        command.main(["--reproduce", str(made), *words], standalone_mode=False)


def test_a_tolerance_without_a_record_is_refused() -> None:
    with pytest.raises(UsageError, match="--tolerance is for --reproduce"):
        command.main(["--tolerance", "1"], standalone_mode=False)
    with pytest.raises(SpecrecError, match=r"nowhere\.json is not there"):
        reproduce("nowhere.json")


def test_numbers_are_compared_where_one_of_them_is_none() -> None:
    assert apart(float("inf"), 3.0) == apart(3.0, float("inf")) == float("inf")
    then = [{"scene": "a", "scores": {"psnr": ["inf", 4, 0], "old": [1, 1, 0]}}]
    now = [{"scene": "a", "scores": {"psnr": ["inf", 4, 0], "new": [1, 1, 0]}}]
    rows, lost, new = compare_images(then, now)
    assert [(row.metric, row.difference, row.worst) for row in rows] == [("psnr", 0.0, 0.0)]
    assert (lost, new) == (["old"], ["new"])
    for images in ([], [{"scene": "b", "scores": {"psnr": [1, 1, 0]}}]):
        assert compare_images(then, images)[:2] == ([], ["psnr", "old"])
