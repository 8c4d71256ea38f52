"""What a dry run estimates: times from the first steps, memory, disk; nothing stays behind."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import specrec
from specrec.bench.data import check_data
from specrec.bench.estimate import first_of_each, method_estimates, room_for_cells, room_for_scenes, total_seconds
from specrec.bench.plan import make_plan
from specrec.bench.planned_cells import planned_cells
from specrec.bench.warm_up import Trial, warm_up
from specrec.bench.watching import Watcher
from specrec.cli import command
from specrec.cli.bench_plan import _show_times

DATA = "synthetic[scenes=4,size=64]"


def cells(methods: str, folder: Path, **more):
    plan = make_plan(methods, DATA, limit=2, ceiling=0, output=folder)
    plan, found = check_data(plan, Watcher(), skip_damaged=False)
    return plan, found.facts, list(planned_cells(plan, found, save_cubes=more.get("save_cubes", False)))


@pytest.fixture
def cell(tmp_path: Path):
    return cells("mean", tmp_path / "none")[2][0]


def test_reading_before_the_first_step_does_not_slow_the_steps_down(cell) -> None:
    trial = Trial(cell, told=[(1.0, 0.0), (30.0, 0.0), (31.0, 0.009), (40.0, 0.09)], seconds=40.0)
    assert trial.training() == pytest.approx(40.0 + 0.81 / (0.081 / 9.0))
    assert Trial(cell, told=[(1.0, 0.0), (3.0, 0.2)]).training() is None
    assert Trial(cell, told=[(1.0, 0.2), (3.0, 0.2)]).training() is None
    assert trial.until(10.0) == 41.0


def test_testing_is_judged_by_the_images_that_were_seen(cell) -> None:
    assert len(cell.test) == 2
    tested = Trial(cell, told=[(1.0, 0.1), (10.0, 0.9), (14.0, 0.95)], seconds=15.0)
    assert tested.training() == 10.0
    assert tested.seconds_per_image() == pytest.approx(4.0)
    other = Trial(replace(cell, method="other"), told=[(1.0, 0.09), (2.0, 0.18)], seconds=2.0)
    found = method_estimates([tested.cell, other.cell], [tested, other])
    assert found[tested.cell.slug].seconds == pytest.approx(18.0)
    assert found[other.cell.slug].seconds == pytest.approx(10.0 + 8.0)
    assert total_seconds([tested.cell, other.cell, other.cell], found, jobs=2) == pytest.approx(36.0)


def test_images_of_other_data_are_counted_and_conditions_make_a_test_image_longer(cell) -> None:
    other = replace(cell, cross={"scenes": ["a", "b", "c"]})
    assert Trial(other).images == 5
    assert Trial(replace(other, robustness=["jpeg=50", "noise=0.02", "cross-data", "metamer-pair"])).images == 2 + 3 / 3


def test_a_cell_that_did_not_end_is_never_said_to_be_done(cell, capsys: pytest.CaptureFixture[str]) -> None:
    trial = Trial(cell, told=[(1.0, 0.1), (2.0, 0.9), (9.0, 0.99999)], seconds=9.0)
    _show_times([cell], method_estimates([cell], [trial]), 10.0, 1, {})
    assert "(99.99% was done)" in capsys.readouterr().out


def test_a_quick_cell_is_computed_whole_and_nothing_stays_behind(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    plan, _, wanted = cells("mean", tmp_path / "results")
    [trial] = warm_up(first_of_each(wanted), ["cpu"], seconds=60.0)
    assert trial.finished
    assert not trial.failed
    assert trial.peak_bytes > 1e7
    assert list(tmp_path.iterdir()) == []
    assert not plan.folder.exists()


def test_room_is_counted_to_the_byte_of_the_cubes_and_of_the_scenes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SPECREC_CACHE", str(tmp_path / "cache"))
    plan = make_plan("mean", DATA, limit=2, ceiling=0, output=tmp_path / "results")
    [scenes] = room_for_scenes(plan)
    plan, facts, wanted = cells("mean", tmp_path / "results", save_cubes=True)
    made = sum(path.stat().st_size for path in (tmp_path / "cache" / "synthetic").glob("2*/*.npy"))
    assert scenes.needed == pytest.approx(made, rel=0.01)
    assert room_for_scenes(plan) == []
    rooms = {room.what: room.needed for room in room_for_cells(plan, facts, wanted)}
    specrec.bench("mean", DATA, limit=2, ceiling=0, output=plan.folder, jobs=0, save_cubes=True)
    written = sum(path.stat().st_size for path in (plan.folder / "cubes").rglob("*.h5"))
    assert rooms["cubes (--save-cubes)"] == (4 + 4) * 64 * 64 * (4 * 31 + 1)
    assert written == pytest.approx(rooms["cubes (--save-cubes)"], rel=0.05)


def test_a_dry_run_says_times_memory_and_disk_and_warns_where_they_do_not_fit(tmp_path: Path, monkeypatch) -> None:
    from collections import namedtuple

    monkeypatch.setattr("specrec.bench.estimate.disk_usage", lambda _path: namedtuple("Usage", "free")(10))
    monkeypatch.setattr("specrec.memory.available_memory", lambda: 1000)
    words = ["-m", "mean", "-d", DATA, "--limit", "2", "--ceiling", "0", "-o", str(tmp_path / "r"), "-j", "1", "-q"]
    said = CliRunner().invoke(command, ["bench", *words, "--dry-run"])
    assert said.exit_code == 0, said.output
    assert "mean: 2 cells, " in said.output
    assert "each (a whole one was computed)" in said.output
    assert "all 2, 1 at a time: " in said.output
    assert "1 kB is free; WARNING: it does not fit, lower --jobs" in said.output
    assert f"in {tmp_path / 'r'}; 0 kB is free; WARNING: it does not fit, make room" in said.output
    assert not (tmp_path / "r").exists()


def test_a_cell_that_fails_and_one_without_steps_are_told_and_the_sum_is_a_least_one(cell, capsys) -> None:
    failed = Trial(cell, finished=True, failed="no luck", seconds=3.0)
    still = Trial(replace(cell, method="other", written="other"), told=[(1.0, 0.0)], seconds=60.0)
    missing = [failed.cell, still.cell]
    _show_times(missing, method_estimates(missing, [failed, still]), 10.0, 1, {"dask": "local:4"})
    said = capsys.readouterr().out
    assert "on this machine, not on the cluster" in said
    assert "mean: 1 cell, it fails: no luck" in said
    assert "other: 1 cell, not known: too few steps were seen; raise --warm-up" in said
    assert "all 2, 1 at a time: at least 3 s" in said
