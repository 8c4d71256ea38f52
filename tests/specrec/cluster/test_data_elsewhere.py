"""A worker that does not see the data or the results folder: files are sent to it, and what it writes is fetched."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loopback import Loopback

from specrec.bench.results import Results
from specrec.bench.run import bench
from specrec.bench.watching import Watcher
from specrec.cluster import sending
from specrec.cubes import write_cube
from specrec.errors import SpecrecError
from specrec.spectra import WAVELENGTHS
from specrec.testing.small_scenes import smooth_scene

BLIND = """
import os, sys

def look(event, args):
    if event == "open" and isinstance(args[0], (str, bytes, os.PathLike)):
        path = os.fsdecode(args[0])
        if any(path.startswith(hidden) for hidden in os.environ["HIDDEN"].split(os.pathsep)):
            raise FileNotFoundError(2, "hidden from this machine", path)

if os.environ.get("HIDDEN"):
    sys.addaudithook(look)
"""
"""What makes a process blind for folders that are there; its name makes Python import it at its start."""
PROTOCOL = """
dataset = "folder"
tested = [0]
robustness = ["cross-data"]
cross = "folder"
"""


class Notes(Watcher):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, words: str) -> None:
        self.said.append(words)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes as ENVI headers with data files, and a folder ``other`` with a third one."""
    folder = tmp_path_factory.mktemp("data")
    _write(folder, 0, 1)
    _write(folder / "other", 2)
    return folder


def _write(folder: Path, *indices: int) -> None:
    folder.mkdir(exist_ok=True)
    for index in indices:
        scene = smooth_scene(f"scene{index}", 32, 36, index)
        cube = np.maximum(scene.cube(), 0.01)
        write_cube(folder / f"scene{index}.hdr", cube, WAVELENGTHS, {"quantity": "reflectance"})


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blind")
    (folder / "sitecustomize.py").write_text(BLIND)
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, data: Path, results: Path, blind: Path) -> Iterator[Loopback]:
    folder = tmp_path_factory.mktemp("cluster")
    hidden = os.pathsep.join([str(data), str(results)])
    made = Loopback(folder, (blind,), HIDDEN=hidden, SPECREC_CACHE=str(folder / "cache"))
    made.worker()
    yield made
    made.end()


def small(data: Path, output: Path, **options: Any) -> Results:
    """Bench on two scenes; only one of the folds is tested."""
    output.mkdir(parents=True, exist_ok=True)
    (output.parent / "one.toml").write_text(PROTOCOL)
    return bench(
        "linear", "folder", data, protocol=str(output.parent / "one.toml"), output=output, device="cpu", limit=1,
        save_cubes=True, cross_data=data / "other", **options,
    )  # fmt: skip


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_what_a_worker_does_not_see_is_sent_and_what_it_writes_is_fetched(
    cluster: Loopback, data: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "PIECE", 50_000)  # a scene has 142,848 bytes
    notes = Notes()
    there = small(data, results / "there", dask=cluster.address, watcher=notes)
    assert there.failed == ()
    small(data, tmp_path / "here", jobs=0)
    assert written(results / "there") == written(tmp_path / "here")
    for name in ("table.csv", *(name for name in written(tmp_path / "here") if name.startswith("cubes/"))):
        if name.endswith(".csv"):
            assert (results / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    assert "cross-data" in (results / "there" / "table.csv").read_text()
    [said] = [note for note in notes.said if "does not see the data" in note]
    assert re.search(r"sending [456] files \(0.4 MB\) to it$", said)  # two headers may be alike
    assert len(list((cluster.folder / "cache" / "sent").iterdir())) in (4, 5, 6)
    scratch = cluster.folder / "scratch1"
    assert not list(scratch.rglob("specrec-*"))  # what was fetched is removed


def test_a_copy_is_known_by_its_content_and_another_file_is_not_taken_for_it(
    data: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from dataclasses import replace

    from specrec.cluster.files import facts_of, is_here

    shutil.copy(data / "scene0.hdr", tmp_path)
    mine = facts_of(data / "scene0.hdr", data)
    theirs = replace(mine, path=str(tmp_path / "scene0.hdr"))
    assert is_here(mine)
    assert not is_here(theirs)  # it is of another time, and nobody has said what it holds
    assert is_here(replace(theirs, digest=mine.with_digest().digest))
    (tmp_path / "scene0.hdr").write_bytes(bytes(mine.size))
    assert not is_here(replace(theirs, digest=mine.with_digest().digest))


def test_a_file_outside_of_the_data_sets_folder_cannot_be_sent_and_is_named(
    cluster: Loopback, data: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from specrec.datasets.folder import FolderSource

    files = FolderSource.files
    elsewhere = data.parent / "elsewhere.txt"
    elsewhere.write_text("white")
    monkeypatch.setattr(FolderSource, "files", lambda self, name: [*files(self, name), elsewhere])
    for path in (cluster.folder / "cache" / "sent").glob("*"):
        path.unlink()
    found = small(data, results / "outside", dask=cluster.address)
    assert len(found.failed) == 1
    assert "elsewhere.txt cannot be sent: it lies outside of its data set's folder" in found.failed[0]


def test_a_worker_that_cannot_keep_what_is_sent_is_named(
    cluster: Loopback, data: Path, results: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with_no_room = Loopback(
        tmp_path / "cluster", tuple(cluster._path), HIDDEN=str(data), SPECREC_CACHE=str(tmp_path / "file" / "cache")
    )
    with_no_room.worker()
    try:
        with pytest.raises(SpecrecError, match=r"no worker at .* fits: .*cannot write") as caught:
            small(data, results / "full", dask=with_no_room.address)
        assert "\n" not in str(caught.value)
    finally:
        with_no_room.end()
