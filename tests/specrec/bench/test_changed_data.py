"""Data that changes while a bench runs or between two starts, and one content under two names."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import specrec
from specrec.bench.copies import copies_in
from specrec.bench.results import Results
from specrec.bench.run import bench
from specrec.bench.watching import Watcher
from specrec.datasets.folder import FolderSource
from specrec.datasets.survey import survey
from specrec.errors import CannotGoOnError, UsageError


@pytest.fixture(autouse=True)
def no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the time of such a bench is its figure, which these tests do not look at."""
    monkeypatch.setattr("specrec.bench.written_tables.draw_figure", lambda *_: None)


class Listener(Watcher):
    """Keeps the notes, and does something at one moment of the bench."""

    def __init__(self, when: Callable[[], None] | None = None) -> None:
        self.notes: list[str] = []
        self.when = when

    def note(self, words: str) -> None:
        self.notes.append(words)

    def planned(self, _total: int, _missing: int) -> None:
        if self.when is not None:
            self.when()


def write(path: Path, seed: int, bias: float = 0.0) -> None:
    cube = np.random.default_rng(seed).random((12, 12, 31), dtype=np.float32)
    cube[0, 0, 0] += np.float32(bias)
    specrec.write_cube(path, cube, specrec.WAVELENGTHS, {"quantity": "radiance"}, overwrite=True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for seed in range(6):
        write(tmp_path / "data" / f"s{seed}.h5", seed)
    return tmp_path / "data"


def small(data: Path, watcher: Watcher | None = None, methods: str = "mean", **options: Any) -> Results:
    fixed: dict[str, Any] = {"output": data.parent / "results", "jobs": 0, "device": "cpu", "ceiling": 0, "seed": 1}
    return bench(methods, "folder", data, watcher=watcher, **{**fixed, **options})


def test_the_manifest_knows_every_file_and_not_when_it_was_written(data: Path) -> None:
    facts = small(data).manifest.scenes["s0"]
    [file] = facts["files"]
    assert file["name"] == "s0.h5"
    assert file["size"] == (data / "s0.h5").stat().st_size
    assert len(file["sha256"]) == 64
    assert set(file) == {"name", "size", "sha256"}


def test_a_manifest_without_files_still_opens_and_the_next_start_adds_them(data: Path) -> None:
    small(data)
    path = data.parent / "results" / "manifest.json"
    older = json.loads(path.read_text())
    del older["reasons"]
    for facts in older["scenes"].values():
        del facts["files"]
    path.write_text(json.dumps(older))
    heard = Listener()
    assert small(data, heard).manifest.scenes["s0"]["files"]
    assert heard.notes == []


def test_another_content_at_the_next_start_names_scene_and_file_and_the_way_out(data: Path) -> None:
    small(data)
    write(data / "s3.h5", 77)
    words = r"holds results of something else \(the content of scene s3 has changed: s3\.h5\); put back .* --overwrite"
    with pytest.raises(UsageError, match=words):
        small(data)
    assert small(data, overwrite=True).failed == ()


def test_other_bytes_of_the_same_content_are_a_note(data: Path) -> None:
    first = small(data)
    with h5py.File(data / "s3.h5", "r+") as file:
        file.attrs["remark"] = "written once more"
    heard = Listener()
    second = small(data, heard)
    assert heard.notes == ["scene s3: s3.h5 is not the file it was, and holds the same; going on"]
    assert second.table("csv") == first.table("csv")
    small(data, heard)
    assert len(heard.notes) == 1, "it was told once"


def in_place(data: Path) -> None:
    """Other values, with the size and the time of change that the file had."""
    path = data / "s3.h5"
    before = path.stat()
    with h5py.File(path, "r+") as file:
        file["cube"][3, 3, 3] += np.float32(0.125)
    os.truncate(path, before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


CHANGES: dict[str, Callable[[Path], None]] = {
    "another content": lambda data: write(data / "s3.h5", 77),
    "one value": lambda data: write(data / "s3.h5", 3, bias=0.25),
    "gone": lambda data: (data / "s3.h5").unlink(),
    "truncated": lambda data: os.truncate(data / "s3.h5", 500),
    "another size": lambda data: specrec.write_cube(
        data / "s3.h5", np.eye(9, 31, dtype=np.float32)[None], specrec.WAVELENGTHS, {"quantity": "radiance"},
        overwrite=True,
    ),
    "the same size and time": in_place,
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_data_that_changes_while_the_bench_runs_stops_it(data: Path, change: str) -> None:
    words = r"scene s3 has changed since the bench began \(.*s3\.h5\); put back what was there, or start again"
    with pytest.raises(CannotGoOnError, match=words):
        small(data, Listener(lambda: CHANGES[change](data)))
    assert not list((data.parent / "results").glob("cells/*/*.json")), "no method is blamed for it"


def test_the_process_of_a_cell_stops_the_bench_too(data: Path) -> None:
    with pytest.raises(CannotGoOnError, match=r"scene s3 has changed since the bench began"):
        small(data, Listener(lambda: write(data / "s3.h5", 77)), jobs=1)
    assert not list((data.parent / "results").glob("cells/*/*.json"))


def test_a_network_is_not_taught_by_data_that_changed_nor_are_its_crops_kept(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPECREC_CACHE", str(data.parent / "cache"))
    with pytest.raises(CannotGoOnError, match=r"scene s3 has changed since the bench began"):
        small(data, Listener(lambda: in_place(data)), "pixel[steps=2,batch=16]")
    seen = [json.loads(path.read_text())["scene"] for path in (data.parent / "cache" / "crops").rglob("facts.json")]
    assert "s3" not in seen


def test_a_file_that_is_only_touched_or_replaced_by_a_copy_changes_nothing(data: Path) -> None:
    def touch() -> None:
        os.utime(data / "s3.h5", ns=(1, 1))
        shutil.copyfile(data / "s4.h5", data / "new")
        (data / "new").replace(data / "s4.h5")

    expected = small(data, output=data.parent / "undisturbed").table("csv")
    assert small(data, Listener(touch)).table("csv") == expected


def names_of(fold: dict[str, list[str]]) -> list[str]:
    return [*fold["test"], *fold["train"]]


@pytest.mark.parametrize("folds", [2, 3])
def test_a_copy_is_left_out_of_every_fold_and_the_manifest_says_why(data: Path, folds: int) -> None:
    shutil.copyfile(data / "s1.h5", data / "z1.h5")
    with h5py.File(data / "z1.h5", "r+") as file:
        file.attrs["remark"] = "other bytes, the same values"
    shutil.copyfile(data / "s2.h5", data / "a2.h5")
    write(data / "s6.h5", 6)  # nine scenes
    heard = Listener()
    results = small(data, heard, folds=folds, seed=2)
    for fold in results.manifest.folds:
        assert not {"z1", "s2"} & {*names_of(fold)}
        assert not {*fold["test"]} & {*fold["train"]}
    unused = results.manifest.reasons
    assert unused["z1"] == "the same content as s1"
    assert unused["s2"] == "the same content as a2"
    assert {"z1", "s2"} <= {*results.manifest.unused}
    assert heard.notes[0].startswith("scene s2 is left out: it has the content of a2,")


def test_a_limit_does_not_let_a_copy_in(data: Path) -> None:
    for seed in range(6):
        shutil.copyfile(data / f"s{seed}.h5", data / f"copy{seed}.h5")
    for limit in (2, 3, 4, 5):
        folds = small(data, output=data.parent / str(limit), limit=limit).manifest.folds
        for fold in folds:
            numbers = [name[-1] for name in names_of(fold)]
            assert len(numbers) == len(set(numbers))


def test_published_lists_lose_a_copy_too(data: Path, tmp_path: Path) -> None:
    shutil.copyfile(data / "s1.h5", data / "z1.h5")
    lists = {"test0": "s0 s1", "train0": "s2 s3 z1", "test1": "s2 s3 z1", "train1": "s0 s1"}
    for name, scenes in lists.items():
        (tmp_path / f"{name}.csv").write_text(scenes.replace(" ", "\n"))
    heard = Listener()
    folds = small(data, heard, folds_from=tmp_path).manifest.folds
    assert folds[0] == {"test": ["s0", "s1"], "train": ["s2", "s3"]}
    assert "z1 is left out: it has the content of s1" in heard.notes[0]


def test_folds_that_only_copies_would_fill_are_refused(data: Path) -> None:
    for seed in range(1, 6):
        shutil.copyfile(data / "s0.h5", data / f"s{seed}.h5")
    with pytest.raises(UsageError, match=r"fold . has no scenes to .*: the same content is in s1 and s0, s2 and s0"):
        small(data)


def test_the_first_by_name_is_kept_of_many_copies(data: Path) -> None:
    for name in ("b", "a", "c"):
        shutil.copyfile(data / "s5.h5", data / f"{name}.h5")
    source = FolderSource(data)
    assert copies_in(survey(source, source.names()).facts) == {"b": "a", "c": "a", "s5": "a"}
