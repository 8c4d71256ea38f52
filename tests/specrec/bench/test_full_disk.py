"""A disk that is full, and a folder that may not be written to: one sentence, nothing lost, and a second start goes on.

A small file system is mounted where that is allowed, in a name space of its own, which goes with its process.
"""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from specrec.bench.run import bench
from specrec.errors import CannotGoOnError
from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor
from specrec.registry import registry
from specrec.report.folder import write_report

MOUNT = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def mount(flags, options):
    if libc.mount(b"none", os.fsencode(sys.argv[1]), b"tmpfs", flags, options):
        sys.exit(f"no mount: {os.strerror(ctypes.get_errno())}")
mount(0, b"size=4m")
"""

FILLED = """
import json, shutil
from pathlib import Path
from specrec.bench.run import bench
from specrec.errors import SpecrecError
import specrec.bench.written_tables

specrec.bench.written_tables.draw_figure = lambda *_: None
place, said = Path(sys.argv[1]), []

def start(methods, jobs=0):
    try:
        results = bench(methods, "synthetic[scenes=4,size=32]", limit=2, ceiling=0, jobs=jobs, device="cpu",
                        output=place / "results")
        return str(results.failed or "done")
    except SpecrecError as error:
        return f"{type(error).__name__}: {error}"

def files():
    return {str(path): path.read_bytes() for path in (place / "results").rglob("*") if path.is_file()}

def tables():
    return [path.read_text() for path in sorted((place / "results").glob("table.*"))]

start("mean")
start("mean,linear")
whole = tables()
shutil.rmtree(place / "results")
start("mean")
before = files()
for free, jobs in json.loads(sys.argv[2]):
    (place / "filler").write_bytes(bytes(shutil.disk_usage(place).free - free))
    words = start("mean,linear", jobs)
    now = files()
    (place / "filler").unlink()
    kept = all(now[path] == before[path] for path in before if not path.endswith("manifest.json"))
    said.append([words, kept, [path for path in now if "/." in path]])
end = start("mean,linear")
before = files()
mount(32 | 1, None)  # again, and read-only
print(json.dumps([said, end, tables() == whole, start("mean,linear"), files() == before]))
"""


@pytest.fixture(scope="module")
def room_of_its_own() -> list[str]:
    """Words before a program that lets it mount a file system."""
    for words in (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"]):
        try:
            subprocess.run([*words, sys.executable, "-c", MOUNT, "/mnt"], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return words
    pytest.skip("no file system can be mounted here")


def test_a_full_disk_costs_nothing_that_is_there_and_a_start_with_room_ends_as_if_nothing_had_happened(
    tmp_path: Path, room_of_its_own: list[str]
) -> None:
    levels = [(0, 0), (40_000, 0), (150_000, 1)]  # bytes that are free, and jobs
    words = [*room_of_its_own, sys.executable, "-c", MOUNT + FILLED, str(tmp_path), json.dumps(levels)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    said, end, same, locked, untouched = json.loads(done.stdout)
    for sentence, kept, left in said:
        assert sentence.startswith("CannotGoOnError: cannot write"), said
        assert f"No space left on device; make room in {tmp_path}" in sentence
        assert kept
        assert left == []
    assert end == "done"
    assert same
    assert locked == (
        f"SpecrecError: cannot write into {tmp_path}/results: it is read-only for you (Read-only file system);"
        " choose another --output"
    )
    assert untouched


class Filling(Reconstructor):
    """Meets a full disk at a place of its own."""

    name = "filling"
    summary = "for tests"

    def fit(self, scenes: Any, context: Any) -> "Filling":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/elsewhere/own.npy")

    def reconstruct(self, rgb: Any) -> Any:
        raise NotImplementedError

    def state(self) -> Any:
        return {}, {}

    @classmethod
    def from_state(cls, settings: Any, arrays: Any, config: Any) -> "Filling":
        return cls(**settings)


@pytest.fixture
def filling() -> Iterator[None]:
    registry().add(SimpleNamespace(specrec_reconstructors=hookimpl(lambda: [Filling])), "a-distribution")
    yield
    del registry().reconstructors["filling"]


@pytest.mark.usefixtures("filling")
def test_a_full_disk_that_a_method_meets_is_not_its_failure(tmp_path: Path) -> None:
    words = r"filling fold 0 run 0: No space left on device \(/elsewhere/own\.npy\); make room there, and start again"
    with pytest.raises(CannotGoOnError, match=words):
        bench("filling", "synthetic[scenes=4,size=32]", limit=2, ceiling=0, jobs=0, device="cpu", output=tmp_path)
    assert not list(tmp_path.glob("cells/*/*.json"))


def test_a_report_that_cannot_be_written_names_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_results: object, beside: Path) -> None:
        from specrec.cache import written_whole

        with written_whole(beside / "figure3.pdf"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("specrec.report.folder._write_all", full)
    with pytest.raises(
        CannotGoOnError, match=rf"cannot write {tmp_path}/report: No space left .*; make room in"
    ) as said:
        write_report(None, tmp_path / "report")  # type: ignore[arg-type]
    assert "figure3" not in str(said.value)
    assert not list(tmp_path.iterdir())
