"""A worker that does not see the data or the results folder: files are sent to it, and what it writes is fetched."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loopback import Loopback, until

from specrec.bench.results import Results
from specrec.bench.run import bench
from specrec.bench.watching import Watcher
from specrec.cells.executors.supplies import Supplies
from specrec.cluster import sending, watch
from specrec.cluster.connecting import connected
from specrec.cubes import write_cube
from specrec.errors import CannotGoOnError, SpecrecError
from specrec.parameters import slug
from specrec.registry import registry
from specrec.spectra import WAVELENGTHS
from specrec.testing.small_scenes import smooth_scene

BLIND = """
import os, sys

def look(event, args):
    if event == "open" and isinstance(args[0], (str, bytes, os.PathLike)):
        path = os.fsdecode(args[0])
        if any(path.startswith(hidden) for hidden in os.environ["HIDDEN"].split(os.pathsep)):
            raise FileNotFoundError(2, "hidden from this machine", path)
    full = os.environ.get("FULL", "none")
    for mark, where in (("os.mkdir", "/specrec-"), ("open", "/results/cells/")):
        if event == mark and where in str(args[0]) and os.path.exists(full + mark):
            os.rename(full + mark, full + "met")  # this worker is full, and the next one is not
            raise OSError(28, "No space left on device", args[0])

if os.environ.get("HIDDEN"):
    sys.addaudithook(look)
"""
"""What makes a process blind for folders that are there, and its disk full; its name makes Python import it."""
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
    for _ in range(2):
        made.worker(FULL=str(folder / "full-"))
    with connected(made.address) as connection:
        until(lambda: len(connection.client.scheduler_info()["workers"]) == 2)
    yield made
    made.end()


def small(data: Path, output: Path, *, save_cubes: bool = True, **options: Any) -> Results:
    """Bench on two scenes; only one of the folds is tested."""
    output.mkdir(parents=True, exist_ok=True)
    (output.parent / "one.toml").write_text(PROTOCOL)
    return bench(
        "linear", "folder", data, protocol=str(output.parent / "one.toml"), output=output, device="cpu", limit=1,
        save_cubes=save_cubes, cross_data=data / "other", **options,
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
    assert not list(cluster.folder.glob("scratch*/**/specrec-*"))  # what was fetched is removed


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
    cluster: Loopback, data: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "QUIET_SECONDS", 0.2)
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


@pytest.mark.parametrize("what", ["os.mkdir", "open"])
def test_a_worker_whose_own_disk_is_full_is_left_out_and_another_goes_on(
    cluster: Loopback, data: Path, results: Path, what: str
) -> None:
    notes = Notes()
    (cluster.folder / f"full-{what}").touch()
    assert small(data, results / what, dask=cluster.address, watcher=notes).failed == ()
    (cluster.folder / "full-met").unlink()
    [said] = [note for note in notes.said if "is not used" in note]
    assert re.search(r"worker tcp://\S+ is not used: .*scratch[12]/.*specrec-", said)
    assert "No space left on device" in said
    assert said.endswith("or start it with another --local-directory")


def test_a_cell_begun_anew_leaves_nothing_of_an_earlier_one_and_other_bytes_of_one_content_are_no_change(
    cluster: Loopback, data: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, give, touched = results / "anew", Supplies.give, []
    left = f"{slug('linear', registry().reconstructor('linear')().settings)}/fold0-run0"
    old, checkpoint = there / "cubes" / left, there / "checkpoints" / f"{left}.safetensors"
    for path in (old / "scene0.h5", checkpoint):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"old")

    def touch(self: Supplies, errand: Any, worker: str, paths: set[str]) -> Any:
        if not touched:
            header = data / "scene0.hdr"
            header.write_text(f"{header.read_text()}\n")
            touched.append(worker)
        return give(self, errand, worker, paths)

    monkeypatch.setattr(Supplies, "give", touch)
    assert small(data, there, save_cubes=False, dask=cluster.address).failed == ()
    assert touched
    assert not checkpoint.exists()
    assert not old.exists()


def test_a_bench_whose_own_disk_is_full_stops_and_what_was_there_stays(
    cluster: Loopback, data: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, fetch, notes = results / "here", sending.Sender._fetch, Notes()
    small(data, there, jobs=0)
    before = {name: (there / name).read_bytes() for name in written(there) if name.startswith(("cells", "cubes"))}

    def stop(self: sending.Sender, worker: str, path: str, size: int, temporary: Path) -> None:
        if path.endswith(".json"):  # the last
            raise OSError(28, "")
        fetch(self, worker, path, size, temporary)

    monkeypatch.setattr(sending.Sender, "_fetch", stop)
    with pytest.raises(CannotGoOnError, match=rf"^cannot write {there}/cells/.*run0.json: No space left on device"):
        small(data, there, overwrite="all", dask=cluster.address, watcher=notes)
    assert len(before) > 3
    assert before == {name: (there / name).read_bytes() for name in written(there) if name in before}
    assert not [note for note in notes.said if "lost" in note]
    assert not list(there.rglob(".*"))


def changed(path: Path, *, in_silence: bool = False) -> None:
    """Write other values of the same size; in silence, with the time of change that was there."""
    before = path.stat()
    content = path.read_bytes()
    path.write_bytes(content[400:] + content[:400])
    if in_silence:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("when", ["planned", "asked for", "sent", "read", "gone"])
def test_data_that_changes_ends_the_bench_and_is_named(
    cluster: Loopback, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    hidden = results if when != "read" else tmp_path  # where it is read, the worker sees the data
    data = hidden / f"data-{when.replace(' ', '-')}"
    _write(data, 5, 6)  # others than the worker may have
    _write(data / "other", 7)
    file = data / "scene6.img"
    scenes, give, asked = Supplies.scenes, Supplies.give, []

    def planned(self: Supplies, cell: Any) -> Any:
        if when == "planned":
            changed(file)
        found = scenes(self, cell)
        if when == "read":
            changed(file, in_silence=True)
        return found

    def given(self: Supplies, errand: Any, worker: str, paths: set[str]) -> Any:
        known = any(facts.digest for facts in errand.files)
        if when == "gone":
            file.unlink(missing_ok=True)
        elif (when, known) in (("asked for", False), ("sent", True)) and not asked:
            asked.append(worker)
            changed(file, in_silence=known)
        return give(self, errand, worker, paths)

    monkeypatch.setattr(Supplies, "scenes", planned)
    monkeypatch.setattr(Supplies, "give", given)
    with pytest.raises(CannotGoOnError, match="has changed") as caught:
        small(data, results / f"changed-{when}", dask=cluster.address)
    assert str(file) in str(caught.value)
    assert not list((results / f"changed-{when}" / "cells").rglob("*.json"))
