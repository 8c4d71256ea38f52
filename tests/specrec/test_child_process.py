"""Processes that die while something else still holds their pipe, or amid a line."""

import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from specrec.child_process import ChildProcess, DiedError

DIES = """
import os, sys, time
from specrec.process_worker import serve

def work(sent, tell):
    if sent["how"] == "raw":  # as a library in C may fork
        import ctypes
        if ctypes.CDLL(None).fork() == 0:
            time.sleep(sent["sleep"])
    elif os.fork() == 0:
        if sent["how"] == "session":
            os.setsid()
        time.sleep(sent["sleep"])
        os._exit(0)
    tell({"forked": True})
    if sent["dies"]:
        print("last words", file=sys.stderr, flush=True)
        os.kill(os.getpid(), 9)
    time.sleep(sent["sleep"])

serve(work)
"""
AMID = """
import os, sys
from specrec.process_worker import serve

def work(sent, tell):
    os.write(max(int(name) for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")
                 and os.readlink(f"/proc/self/fd/{name}").startswith("pipe:")), b'{"note": "abc')
    os.kill(os.getpid(), 9)

serve(work)
"""
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks, and looks into /proc")


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))

    def begin(code: str, hear: Any = lambda _told: None) -> ChildProcess:
        (tmp_path / "patient_child.py").write_text(code)
        return ChildProcess("patient_child", hear)

    return begin


@pytest.mark.parametrize("how", ["plain", "session", "raw"])
def test_a_death_is_told_at_once_though_a_fork_holds_the_pipe(begun: Any, how: str) -> None:
    child = begun(DIES)
    answered: list[str] = []

    def run() -> None:
        with pytest.raises(DiedError, match="signal SIGKILL: last words"):
            child.run({"how": how, "sleep": 30, "dies": True})
        answered.append("died")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    assert answered == ["died"]


def test_what_is_stopped_takes_its_forks_with_it(begun: Any) -> None:
    child = begun(DIES, lambda _told: child.stop())
    with pytest.raises(DiedError, match="signal SIGKILL"):
        child.run({"how": "raw", "sleep": 30, "dies": False})


def test_a_death_amid_a_line_is_a_death(begun: Any) -> None:
    with pytest.raises(DiedError, match="signal SIGKILL"):
        begun(AMID).run({})
