"""One bench at a time writes into a results folder, and whatever ends it lets the next one in."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from specrec.bench.run import bench
from specrec.errors import SpecrecError
from specrec.output_lock import lock_of_results

SCENES = "synthetic[scenes=4,size=32]"
HOLD = """
import os, subprocess, sys, time
from pathlib import Path
from specrec.output_lock import lock_of_results
lock = lock_of_results(Path(sys.argv[1]))
lock.take()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
forked = os.fork()
if forked == 0:
    time.sleep(60)
    os._exit(0)
print(child.pid, forked, flush=True)
time.sleep(60)
"""


def test_a_second_bench_on_a_folder_is_told_who_has_it(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    with lock_of_results(folder) as lock:
        lock.take()
        lock.take()  # it is ours already
        owner = json.loads((folder / "bench.lock.json").read_text())
        with pytest.raises(SpecrecError, match=rf"r is in use by the bench of process {os.getpid()} on ") as refused:
            bench("mean", SCENES, limit=2, output=folder, jobs=0, device="cpu", ceiling=0)
        assert f"on {socket.gethostname()}, since {owner['since']}; wait until it ends" in str(refused.value)
        assert refused.value.exit_code == 1
    assert sorted(path.name for path in folder.iterdir()) == ["bench.lock"]
    with lock_of_results(folder) as lock:
        lock.take()


@pytest.mark.parametrize("owner", ["", "[]", "{", '{"pid": "x", "host": 1, "since": 2}'])
def test_whatever_stands_beside_the_lock_the_second_one_is_one_sentence(tmp_path: Path, owner: str) -> None:
    with lock_of_results(tmp_path) as lock:
        lock.take()
        lock.owner_path.write_text(owner)
        with pytest.raises(SpecrecError, match="is in use by another bench; wait"):
            lock_of_results(tmp_path).take()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no kill -9 and no fork here")
def test_a_killed_bench_lets_the_lock_go_though_its_children_live(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    children = [int(word) for word in process.stdout.readline().split()]
    try:
        with pytest.raises(SpecrecError, match=f"process {process.pid} "):
            lock_of_results(tmp_path).take()
        process.kill()
        process.wait()
        for child in children:
            os.kill(child, 0)  # alive
        with lock_of_results(tmp_path) as lock:
            lock.take()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        for child in children:
            os.kill(child, signal.SIGKILL)


def test_a_folder_that_cannot_be_written_is_said_to_be_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "bench.lock"))

    monkeypatch.setattr("specrec.output_lock.FileLock.acquire", refuses)
    with pytest.raises(SpecrecError, match=r"cannot write into .* it is read-only for you .*; choose another --output"):
        lock_of_results(tmp_path).take()
    (tmp_path / "file").touch()
    with pytest.raises(SpecrecError, match=r"cannot write into .*file"):
        lock_of_results(tmp_path / "file" / "r").take()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_two_benches_at_once_never_mix(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "specrec", "bench", "-m", "pixel[steps=100000,batch=64]", "-q"]
    words += ["-d", SCENES, "--limit", "2", "-j", "1", "--ceiling", "0", "-o", "r"]
    first = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 120
        while not (tmp_path / "r" / "manifest.json").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        before = (tmp_path / "r" / "manifest.json").read_bytes()
        with pytest.raises(SpecrecError, match=f"is in use by the bench of process {first.pid} on"):
            bench("mean", SCENES, limit=2, output=tmp_path / "r", jobs=0, ceiling=0, seed=7, overwrite="all")
        assert (tmp_path / "r" / "manifest.json").read_bytes() == before
        assert first.poll() is None
    finally:
        first.kill()
        first.communicate()
    with lock_of_results(tmp_path / "r") as lock:
        lock.take()
