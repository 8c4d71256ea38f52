"""SIGTERM, by which clusters and `timeout` end a process: nothing half written stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from specrec.cli import main
from specrec.images import write_png

DATA = "synthetic[scenes=4,size=32]"


def end(process: "subprocess.Popen[bytes]", begun: Path, pattern: str) -> bytes:
    """Send SIGTERM once there is a file of that pattern, and return what was said."""
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and not list(begun.glob(pattern)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert list(begun.glob(pattern)), "it had not begun to write"
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGTERM)
        return process.communicate(timeout=60)[1]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_sigterm_leaves_143_a_sentence_and_nothing_half_written(tmp_path: Path, jobs: str) -> None:
    for name in ("a.png", "b.png"):
        write_png(tmp_path / name, np.full((40, 30, 3), 90, np.uint8))
    out = tmp_path / "out"
    out.mkdir()
    start = (
        "import time; from specrec_classical.mallett import Mallett; real = Mallett.reconstruct\n"
        "Mallett.reconstruct = lambda self, rgb: (time.sleep(0.3), real(self, rgb))[1]\n"
        "from specrec.cli import main; main()"
    )
    words = ["run", "mallett", "a.png", "b.png", "--tiles", "8", "-j", jobs, "-o", "out/"]
    process = subprocess.Popen([sys.executable, "-c", start, *words], cwd=tmp_path, stderr=subprocess.PIPE)
    said = end(process, out, ".*")
    assert process.returncode == 143, said
    assert b"specrec: terminated; start it again to go on" in said
    assert b"Traceback" not in said
    assert list(out.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_ctrl_c_says_at_once_what_it_waits_for_and_a_second_one_ends_at_once(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        write_png(tmp_path / name, np.full((40, 30, 3), 90, np.uint8))
    out = tmp_path / "out"
    out.mkdir()
    # a shell that starts its tests in the background has them ignore Ctrl-C, which children inherit
    start = (
        "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from specrec_classical.mallett import Mallett; real = Mallett.reconstruct\n"
        "Mallett.reconstruct = lambda self, rgb: (time.sleep(30 if any(out.iterdir()) else 0), real(self, rgb))[1]\n"
        "from pathlib import Path; out = Path('out')\n"
        "from specrec.cli import main; main()"
    )
    words = ["run", "mallett", "a.png", "b.png", "--tiles", "8", "-o", "out/"]
    process = subprocess.Popen([sys.executable, "-c", start, *words], cwd=tmp_path, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and not list(out.glob(".*")) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGINT)
        line = process.stderr.readline()
        assert line == b"finishing the tile in work; Ctrl-C again ends at once\n"
        os.kill(process.pid, signal.SIGINT)
        said = process.communicate(timeout=20)[1]
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert said == b"specrec: interrupted; start it again to go on\n"
    assert list(out.iterdir()) == []


LOST = """
import signal, sys, time, weakref
from pathlib import Path
from specrec import cli

class Thing:
    def __del__(self):
        finalise("__del__")

def finalise(how):
    if how == sys.argv[1]:
        Path("begun").touch()
        time.sleep(1)

def work(**_options):
    thing = Thing()
    kept = weakref.ref(thing, lambda _gone: finalise("weakref"))
    del thing
    time.sleep(30)

signal.signal(signal.SIGINT, signal.default_int_handler)
cli.command.main = work
cli.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize(("name", "code", "word"), [("SIGTERM", 143, "terminated"), ("SIGINT", 130, "interrupted")])
@pytest.mark.parametrize("how", ["__del__", "weakref"])
def test_a_signal_is_not_lost_where_python_swallows_what_is_raised(
    tmp_path: Path, how: str, name: str, code: int, word: str
) -> None:
    process = subprocess.Popen([sys.executable, "-c", LOST, how], cwd=tmp_path, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and not (tmp_path / "begun").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.Signals[name])
        said = process.communicate(timeout=20)[1]
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, said.decode()) == (code, f"specrec: {word}; start it again to go on\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_sigterm_ends_the_cells_of_a_bench_and_counts_none_of_them_as_failed(tmp_path: Path) -> None:
    words = ["bench", "-m", "mean,pixel[steps=100000,batch=64]", "-d", DATA, "--limit", "2", "-j", "1", "-o", "r"]
    start = "from specrec.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", start, *words, "--ceiling", "0"], cwd=tmp_path, stderr=subprocess.PIPE
    )
    said = end(process, tmp_path, "r/cells/mean-*/*.json")
    assert process.returncode == 143, said
    assert b"Traceback" not in said
    assert list(tmp_path.glob("r/cells/mean-*/*.json"))
    assert not list(tmp_path.glob("r/cells/pixel-*/*.json"))
    assert not list(tmp_path.rglob(".fold*"))


def test_whoever_calls_the_command_line_has_its_signals_back_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        monkeypatch.setattr(sys, "argv", ["specrec", "--version"])
        with pytest.raises(SystemExit):
            main()
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
