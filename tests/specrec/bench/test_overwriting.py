"""What is computed again, and that nothing is lost on the way."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from specrec.bench.results import Results
from specrec.bench.run import bench
from specrec.bench.watching import Watcher
from specrec.cli.bench import command
from specrec.errors import SpecrecError, UsageError
from specrec.registry import registry

SCENES = "synthetic[scenes=4,size=32]"


@pytest.fixture(autouse=True)
def without_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specrec.bench.written_tables.draw_figure", lambda *_: False)  # it takes most of the time


def small(folder: Path, methods: str = "mean,linear", **options: Any) -> Results:
    return bench(methods, SCENES, jobs=0, device="cpu", output=folder, limit=2, ceiling=0, **options)


def written(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.glob("cells/*/*.json"))}


def renewed(folder: Path, before: dict[str, int]) -> int:
    return sum(now != before[path] for path, now in written(folder).items() if path in before)


class Told(Watcher):
    """Keeps what is noted, and ends the bench after so many cells."""

    def __init__(self, cells: int = -1) -> None:
        self.words: list[str] = []
        self.left = cells

    def note(self, words: str) -> None:
        self.words.append(words)

    def finished(self, record: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@contextmanager
def broken(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def raises(*_: object) -> None:
        raise RuntimeError("it broke")

    with monkeypatch.context() as patch:
        patch.setattr(registry().reconstructor(name), "fit", raises)
        yield


def test_never_computes_what_is_missing_failed_also_what_has_failed_and_all_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with broken("linear", monkeypatch):
        small(tmp_path)
    before = written(tmp_path)
    next(tmp_path.glob("cells/mean-*/fold1-*.json")).unlink()
    assert small(tmp_path, overwrite="never").failures != ()
    assert renewed(tmp_path, before) == 1
    before = written(tmp_path)
    assert small(tmp_path, overwrite="failed").failures == ()
    assert renewed(tmp_path, before) == 2
    before = written(tmp_path)
    small(tmp_path)
    small(tmp_path, overwrite=False)
    assert renewed(tmp_path, before) == 0
    small(tmp_path, "mean", overwrite="all")
    assert renewed(tmp_path, before) == 2
    small(tmp_path, overwrite=True)
    assert renewed(tmp_path, before) == 4
    assert not (tmp_path / "overwriting.json").exists()
    with pytest.raises(UsageError, match="--overwrite is never, failed or all, not 'al'; did you mean 'all'"):
        small(tmp_path, overwrite="al")


@pytest.mark.parametrize("again", ["all", "failed"])
def test_an_overwrite_that_was_stopped_goes_on_and_loses_nothing(tmp_path: Path, again: str) -> None:
    expected = small(tmp_path).table("csv")
    before = written(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        small(tmp_path, overwrite="all", watcher=Told(cells=1))
    assert renewed(tmp_path, before) == 1
    assert len(written(tmp_path)) == 4, "what was not replaced yet is still there"
    after_one = written(tmp_path)
    assert small(tmp_path, overwrite=again).table("csv") == expected
    assert renewed(tmp_path, after_one) == 3
    assert not (tmp_path / "overwriting.json").exists()
    small(tmp_path, overwrite="all")
    assert renewed(tmp_path, after_one) == 4, "after one that has ended, another one begins anew"


def test_never_forgets_an_overwrite_that_was_stopped(tmp_path: Path) -> None:
    small(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        small(tmp_path, overwrite="all", watcher=Told(cells=1))
    before = written(tmp_path)
    small(tmp_path, overwrite="never")
    small(tmp_path)
    assert renewed(tmp_path, before) == 0


def test_a_replacement_that_fails_leaves_the_earlier_result_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = small(tmp_path).table("csv")
    before = written(tmp_path)
    with broken("linear", monkeypatch):
        results = small(tmp_path, overwrite="all")
    assert len(results.failed) == 2
    assert results.table("csv") == expected
    assert renewed(tmp_path, before) == 2
    before = written(tmp_path)
    assert small(tmp_path).failed == ()
    assert renewed(tmp_path, before) == 2


def test_a_folder_of_something_else_is_started_anew_without_what_was_there(tmp_path: Path) -> None:
    small(tmp_path, "mean", save_cubes=True)
    small(tmp_path, "linear", seed=1, overwrite="all")
    assert [path.name.split("-")[0] for path in (tmp_path / "cells").iterdir()] == ["linear"]
    assert not (tmp_path / "cubes").exists()
    assert not list(tmp_path.glob(".*"))


def test_cubes_of_a_result_that_was_replaced_go_with_it(tmp_path: Path) -> None:
    small(tmp_path, "mean", save_cubes=True)
    assert len(list(tmp_path.glob("cubes/mean-*/*/*.h5"))) == 4
    small(tmp_path, "mean", overwrite="all")
    assert list(tmp_path.glob("cubes/mean-*/*/*.h5")) == []


def test_a_damaged_record_is_replaced_where_all_are(tmp_path: Path) -> None:
    small(tmp_path, "mean")
    path = next(tmp_path.glob("cells/*/*.json"))
    path.write_text("{")
    with pytest.raises(SpecrecError, match=path.name):
        small(tmp_path, "mean")
    small(tmp_path, "mean", overwrite="all")
    assert json.loads(path.read_text())["status"] == "done"


def test_what_a_killed_bench_had_begun_to_write_beside_the_cells_goes(tmp_path: Path) -> None:
    (tmp_path / ".manifest-0123abcd.json").touch()
    (tmp_path / ".gone-0123abcd").mkdir()
    (tmp_path / ".gitignore").touch()
    small(tmp_path, "mean")
    assert [path.name for path in tmp_path.glob(".*")] == [".gitignore"]


@pytest.mark.parametrize("content", ["", "[]", '{"marks": {"a": 1}, "ended": []}', '{"marks": {}}'])
def test_a_damaged_list_of_what_is_to_be_replaced_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "overwriting.json").write_text(content)
    with pytest.raises(SpecrecError, match=r"overwriting\.json is damaged; remove it"):
        small(tmp_path, "mean")


def test_a_dry_run_tells_what_each_kind_would_compute_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small(tmp_path, "mean")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    words = ["-m", "mean", "-d", SCENES, "--limit", "2", "--ceiling", "0", "-o", str(tmp_path), "--dry-run"]
    for added, there in (([], 2), (["--overwrite", "never"], 2), (["--overwrite"], 0), (["--overwrite", "all"], 0)):
        command.main([*words, *added], standalone_mode=False)
        assert capsys.readouterr().out.count("(there)") == there
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
