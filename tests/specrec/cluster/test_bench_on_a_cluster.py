"""A bench on a real scheduler with real workers: the same table, whatever dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from loopback import ROOT, Loopback, is_alive, until
from patient import PATIENT
from strangers import Site

from specrec.bench.results import Results
from specrec.bench.run import bench
from specrec.bench.watching import Watcher
from specrec.cells.executors import cluster as cells
from specrec.cluster import ClusterError, watch
from specrec.cluster.connecting import connected
from specrec.errors import CannotGoOnError
from specrec.registry import registry

ONE_FOLD = "dataset = 'synthetic'\noptions = {scenes = 2, size = 32}\ntested = [0]\n"
LABELS = [f"patient{does} fold 0 run 0" for does in ("", "[does=dies]", "[does=raises]")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = registry()  # before it is there
    made = Site(tmp_path_factory.mktemp("site") / "site")
    made.install("patient", PATIENT)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(made.folder)
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (made.folder, ROOT, ROOT / "plugins"))))
        found.add(import_module("hostile_patient"), "specrec-patient", "1.5", "patient")
        yield made
    del found.reconstructors["patient"]
    del sys.modules["hostile_patient"]


@pytest.fixture(scope="module")
def patience(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("patience")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATIENT", str(folder))
        yield folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, site: Site, patience: Path) -> Iterator[Loopback]:
    made = Loopback(tmp_path_factory.mktemp("cluster"), (site.folder,))
    for _ in range(2):
        made.worker()
    with connected(made.address) as connection:  # nobody has to wait for them
        until(lambda: len(connection.client.scheduler_info()["workers"]) == 2)
    yield made
    made.end()


@pytest.fixture
def held(patience: Path) -> Path:
    """The method `patient` waits until a file ``go`` is there."""
    for old in patience.iterdir():
        old.unlink()
    return patience


class Listener(Watcher):
    """Keeps what is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.cells: list[tuple[str, float, str]] = []
        self.records: list[Mapping[str, Any]] = []

    def note(self, words: str) -> None:
        self.notes.append(words)

    def cell(self, label: str, done: float, words: str) -> None:
        self.cells.append((label, done, words))

    def finished(self, record: Mapping[str, Any]) -> None:
        self.records.append(record)


def small(output: Path, methods: str = "patient", **options: Any) -> Results:
    """Bench on two scenes; only one of the folds is tested."""
    output.mkdir(exist_ok=True)
    (output.parent / "one.toml").write_text(ONE_FOLD)
    return bench(methods, protocol=str(output.parent / "one.toml"), output=output, device="cpu", **options)


def pids(held: Path) -> list[int]:
    return [int(path.name.removeprefix("pid-")) for path in held.glob("pid-*")]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def in_the_background(function: Any) -> threading.Thread:
    thread = threading.Thread(target=function)
    thread.start()
    return thread


def test_the_table_is_that_of_this_process_and_a_cell_that_fails_is_a_row(
    tmp_path: Path, cluster: Loopback, held: Path
) -> None:
    (held / "go").touch()
    heard = Listener()
    methods = "mean,patient,patient[does=dies],patient[does=raises]"
    there = small(tmp_path / "there", methods, watcher=heard, dask=str(cluster.file))
    assert there.failed == (
        "patient[does=dies] fold 0 run 0: its process died with exit code 7",
        "patient[does=raises] fold 0 run 0: RuntimeError: no patience",
    )
    assert len(heard.records) == 4
    assert set(heard.notes) == {f"{cell}: patient is there" for cell in LABELS}
    assert len(pids(held)) == 3  # a method that fails is tried once
    small(tmp_path / "here", "mean,patient", jobs=0)
    rows = [(tmp_path / place / "table.csv").read_text().splitlines() for place in ("here", "there")]
    assert [row for row in rows[1] if "does=" not in row] == rows[0]


def test_a_cell_goes_to_another_worker_when_its_worker_is_killed(tmp_path: Path, cluster: Loopback, held: Path) -> None:
    heard = Listener()

    def kill() -> None:
        try:
            until(lambda: heard.cells and "waiting" in heard.cells[-1])
            [pid] = pids(held)
            os.kill(parent(pid), signal.SIGKILL)
            until(lambda: not is_alive(pid), 10)
        finally:
            (held / "go").touch()

    thread = in_the_background(kill)
    results = small(tmp_path / "there", watcher=heard, dask=cluster.address)
    thread.join()
    cluster.worker()  # for those that come after
    assert results.failed == ()
    assert ("patient fold 0 run 0", 0.45, "waiting") in heard.cells
    assert [note for note in heard.notes if "was lost; it is begun again on tcp://127.0.0.1:" in note]
    small(tmp_path / "here", jobs=0)
    assert (tmp_path / "there" / "table.csv").read_bytes() == (tmp_path / "here" / "table.csv").read_bytes()


def test_nothing_computes_on_when_a_bench_is_interrupted(tmp_path: Path, cluster: Loopback, held: Path) -> None:
    class Impatient(Listener):
        def finished(self, record: Mapping[str, Any]) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(tmp_path / "results", "mean,patient", watcher=Impatient(), dask=cluster.address)
    until(lambda: not any(is_alive(pid) for pid in pids(held)), 10)
    assert not list((tmp_path / "results").rglob(".*"))


def test_nothing_computes_on_when_a_bench_is_killed_and_a_second_one_goes_on(
    tmp_path: Path, cluster: Loopback, held: Path
) -> None:
    (tmp_path / "one.toml").write_text(ONE_FOLD)
    words = ["bench", "-m", "patient", "--protocol", str(tmp_path / "one.toml"), "--device", "cpu"]
    words += ["-o", str(tmp_path / "results"), "--dask", cluster.address]
    killed = subprocess.Popen([sys.executable, "-m", "specrec", *words], stderr=subprocess.DEVNULL)
    until(lambda: pids(held))
    killed.kill()
    killed.wait()
    until(lambda: not any(is_alive(pid) for pid in pids(held)), 10)
    (held / "go").touch()
    assert small(tmp_path / "results", dask=cluster.address).failed == ()


def test_a_bench_ends_soon_when_the_scheduler_is_killed(tmp_path: Path, site: Site, held: Path) -> None:
    there = Loopback(tmp_path / "cluster", (site.folder,))
    there.worker()
    killed_at, first = [], Listener()

    def kill() -> None:
        until(lambda: pids(held) and first.records)
        there.scheduler.kill()
        killed_at.append(time.monotonic())

    try:
        thread = in_the_background(kill)
        with pytest.raises(ClusterError, match=r"the Dask scheduler at .* is gone; what is finished is kept"):
            small(tmp_path / "results", "mean,patient", watcher=first, dask=there.address)
        thread.join()
        assert time.monotonic() - killed_at[0] < 20
        until(lambda: not any(is_alive(pid) for pid in pids(held)), 10)
    finally:
        there.end()
    kept = sorted(path.parent.name.partition("-")[0] for path in (tmp_path / "results" / "cells").rglob("*.json"))
    assert kept == ["mean"]  # what is finished; that nothing is said of the other cell makes a second start compute it


def test_a_worker_with_other_code_of_a_plugin_computes_nothing_that_is_kept(
    tmp_path: Path, site: Site, held: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (held / "go").touch()
    monkeypatch.setattr(watch, "QUIET_SECONDS", 0.2)
    other = Site(tmp_path / "other")
    other.install("patient", f"{PATIENT}\n# edited under the same version")
    there = Loopback(tmp_path / "cluster", (other.folder,))
    there.worker()
    same = (
        r"no worker at .* fits: tcp://\S+: \S+ has other code of hostile_patient for the method patient than the bench"
    )
    try:
        with pytest.raises(
            ClusterError, match=rf"{same}, under the same version \(specrec-patient 1.5\); install the same"
        ):
            small(tmp_path / "results", dask=there.address)
        assert not pids(held)
        monkeypatch.setattr(cells, "providers", lambda *_names: {})  # as if nobody had asked
        with pytest.raises(
            CannotGoOnError, match=r"^worker tcp://\S+ has computed patient fold 0 run 0 otherwise .*"
        ) as e:
            small(tmp_path / "results", dask=there.address)
        assert "with other code of hostile_patient than is installed; it is not kept" in str(e.value)
    finally:
        there.end()
    assert pids(held)
    assert not list((tmp_path / "results" / "cells").rglob("*.json"))
