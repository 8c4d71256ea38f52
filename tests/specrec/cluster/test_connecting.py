"""Every wait for a cluster ends, with one sentence that names what is missing."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import Loopback

from specrec.bench.run import bench
from specrec.cluster import ClusterError, connecting
from specrec.cluster.connecting import WAIT, connected
from specrec.cluster.workers import WorkerFacts, crowded
from specrec.errors import UsageError


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loopback]:
    made = Loopback(tmp_path_factory.mktemp("cluster"))
    yield made
    made.end()


def test_where_nobody_answers_the_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 1)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{one.getsockname()[1]}"
        with pytest.raises(ClusterError, match=f"no Dask scheduler answers at tcp://{address}"), connected(address):
            pass


def test_where_somebody_else_answers_that_is_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as one:  # it takes what comes, and says nothing
        address = f"127.0.0.1:{one.getsockname()[1]}"
        with pytest.raises(ClusterError, match=f"no Dask scheduler answers at tcp://{address}"), connected(address):
            pass


def test_a_cluster_without_workers_is_waited_for_and_then_an_error(
    cluster: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WAIT, "1.2")
    notes: list[str] = []
    with pytest.raises(ClusterError, match=r"no worker at .* within 1.2 s"), connected(cluster.address, notes.append):
        pass
    assert notes == [
        f"waiting for workers at {cluster.address}, up to 1.2 s (SPECREC_DASK_WAIT says otherwise);"
        " start some with dask worker ADDRESS --nthreads 1"
    ]


def test_a_worker_with_another_specrec_is_named(cluster: Loopback, tmp_path: Path) -> None:
    info = tmp_path / "specrec-99.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: specrec\nVersion: 99.9\n")
    worker = cluster.worker(path=(tmp_path,))
    try:
        with (
            pytest.raises(ClusterError, match=r"worker tcp://127.0.0.1:\d+ at .* does not fit: it has specrec 99.9"),
            connected(cluster.address),
        ):
            pass
    finally:
        worker.kill()
        worker.wait()


def test_a_worker_without_specrec_is_named(cluster: Loopback, tmp_path: Path) -> None:
    (tmp_path / "specrec.py").write_text("")  # hides the package
    worker = cluster.worker(path=(tmp_path,))
    try:
        with (
            pytest.raises(
                ClusterError, match=r"worker tcp://.* does not fit: it cannot run this specrec \(.*No module named"
            ),
            connected(cluster.address),
        ):
            pass
    finally:
        worker.kill()
        worker.wait()


def test_a_wait_that_is_no_number_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("soon", "-1", "inf", "nan"):
        monkeypatch.setenv(WAIT, text)
        with pytest.raises(UsageError, match="SPECREC_DASK_WAIT must be a number of seconds"), connected("local:1"):
            pass


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'specrec\[dask\]'"), connected("local:1"):
        pass


def test_what_cannot_be_meant_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--jobs 2 and --dask local:2 contradict each other"):
        bench("mean", jobs=2, dask="local:2", output=tmp_path)
    with pytest.raises(UsageError, match="names no cluster"):
        bench("mean", dask="nowhere", output=tmp_path)
    with pytest.raises(UsageError, match="--device cuda:1 names a device of one machine"):
        bench("gan", dask="local:2", device="cuda:1", output=tmp_path)
    assert not list(tmp_path.iterdir())


def test_hosts_that_compute_with_more_threads_than_they_have_cores_are_told_of() -> None:
    cores = frozenset({0, 1, 2, 3})
    alone = WorkerFacts("tcp://a:1", 4, 0, "a", cores)
    assert crowded([alone], 1) == {}
    assert "4 jobs at a time, of 2 threads each, on 4 cores" in crowded([alone], 2)["a"]
    assert "--nworkers 2" in crowded([alone], 2)["a"]
    beside = WorkerFacts("tcp://a:2", 1, 0, "a", cores)
    assert list(crowded([alone, beside], 1)) == ["a"]
    own_cores = WorkerFacts("tcp://a:2", 1, 0, "a", frozenset({4}))
    assert crowded([alone, own_cores], 1) == {}
    one_thread_too_many_is_the_protocols_own = WorkerFacts("tcp://b:1", 1, 0, "b", frozenset({0}))
    assert crowded([one_thread_too_many_is_the_protocols_own], 8) == {}
