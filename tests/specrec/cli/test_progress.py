import io
from types import SimpleNamespace

import pytest

from specrec.cli.progress import BenchProgress, Line


class Terminal(io.StringIO):
    """A terminal of 200 columns, and a clock that a test can set."""

    now = 1000.0

    def isatty(self) -> bool:
        return True

    @property
    def line(self) -> str:
        return self.getvalue().split("\r")[-1].rstrip()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    monkeypatch.setattr("specrec.cli.progress.sys", SimpleNamespace(stderr=made))  # pytest puts its own stderr in place
    monkeypatch.setattr("time.monotonic", lambda: made.now)
    monkeypatch.setenv("COLUMNS", "200")
    return made


def test_the_time_that_remains_is_judged_from_where_a_resumed_training_began(terminal: Terminal) -> None:
    progress = Line().progress("training gan")
    progress(0.0, "preparing crops")
    terminal.now += 500.0  # reading is no measure of the speed of training
    progress(0.5, "l1 0.1")  # taken up in the middle
    terminal.now += 10.0
    progress(0.6, "l1 0.1")
    assert terminal.line == "training gan  60% l1 0.1, 40 s remain"


def test_cells_of_one_method_with_other_settings_stand_side_by_side_with_the_time_of_each(terminal: Terminal) -> None:
    watch = BenchProgress(Line())
    for branches in (1, 2):
        watch.cell(f"gan[branches={branches}] fold 0 run 0", 0.1, "l1 0.2")
    terminal.now += 60.0
    for branches in (1, 2):
        watch.cell(f"gan[branches={branches}] fold 0 run 0", 0.1 + 0.1 * branches, "l1 0.1")
        terminal.now += 1.0
    assert "gan[branches=1] fold 0 run 0 20% l1 0.1, 8 min remain" in terminal.line
    assert "gan[branches=2] fold 0 run 0 30% l1 0.1, 4 min remain" in terminal.line
