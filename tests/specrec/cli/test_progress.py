import pytest

from specrec.cli.progress import BenchProgress, Line


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[float]:
    now = [1000.0]  # after `capsys`, which puts another stderr in place
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    return now


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.split("\r")[-1].rstrip()


def test_the_time_that_remains_is_judged_from_where_a_resumed_training_began(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Line().progress("training gan")
    progress(0.0, "preparing crops")
    clock[0] += 500.0  # reading is no measure of the speed of training
    progress(0.0, "preparing crops")
    progress(0.5, "l1 0.1")  # taken up in the middle
    clock[0] += 10.0
    progress(0.6, "l1 0.1")
    assert last_line(capsys) == "training gan  60% l1 0.1, 40 s remain"


def test_cells_of_one_method_with_other_settings_stand_side_by_side_with_the_time_of_each(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    watch = BenchProgress(Line())
    for branches in (1, 2):
        watch.cell(f"gan[branches={branches}] fold 0 run 0", 0.1, "l1 0.2")
    clock[0] += 60.0
    for branches in (1, 2):
        watch.cell(f"gan[branches={branches}] fold 0 run 0", 0.1 + 0.1 * branches, "l1 0.1")
        clock[0] += 1.0
    shown = last_line(capsys)
    assert "gan[branches=1] fold 0 run 0 20% l1 0.1, 8 min remain" in shown
    assert "gan[branches=2] fold 0 run 0 30% l1 0.1, 4 min remain" in shown
