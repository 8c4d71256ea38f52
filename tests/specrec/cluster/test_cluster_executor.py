"""Jobs on a cluster, without cells: how many at a time, on which worker, and what comes back."""

import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loopback import Loopback, until

from specrec.cluster import ClusterError, watch
from specrec.cluster.connecting import connected
from specrec.cluster.executor import ClusterExecutor, is_loss
from specrec.cluster.job import Answer, Failed, Refused
from specrec.errors import CannotGoOnError, SpecrecError

JOBS = """
import os, time
from dataclasses import replace
from pathlib import Path
from specrec.cluster.job import RefusalError
from specrec.errors import CannotGoOnError, UsageError

def name(job): return os.environ["WORKER"]
def square(job, value): job.tell({"value": value}); return value**2
def fails(job): raise UsageError("no such thing")
def stops(job): raise CannotGoOnError("the disk is full")
def breaks(job): raise ZeroDivisionError("by zero")
def has_no_room(job):
    if os.environ["WORKER"] == "with-gpu":
        open("/there/is/no/such/folder")
    return name(job)
def dies(job): os._exit(3)

def refuses(job):
    if os.environ["WORKER"] == "with-gpu":
        raise RefusalError("it has no hands")
    return name(job)

def waits(job, folder, number):
    Path(folder, f"begun-{number}").touch()
    while not Path(folder, "go").exists() and job.wanted:
        time.sleep(0.02)
    if not job.wanted:
        Path(folder, f"unwanted-{number}").touch()
"""


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    import importlib

    folder = tmp_path_factory.mktemp("jobs")
    (folder / "jobs_of_a_test.py").write_text(JOBS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("jobs_of_a_test")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, jobs: Any) -> Iterator[Loopback]:
    made = Loopback(tmp_path_factory.mktemp("cluster"), (Path(jobs.__file__).parent,))
    made.worker("--resources", "GPU=1", WORKER="with-gpu")
    made.worker(WORKER="without")
    yield made
    made.end()


@pytest.fixture(scope="module")
def connection(cluster: Loopback) -> Iterator[Any]:
    with connected(cluster.address) as made:
        until(lambda: len(made.client.scheduler_info()["workers"]) == 2)
        yield made


def test_jobs_give_results_tell_and_fail_each_for_itself(connection: Any, jobs: Any) -> None:
    heard = []
    executor = ClusterExecutor(connection, told=lambda label, message: heard.append((label, message["value"])))
    squares = [executor.submit(jobs.square, value, label=f"job {value}") for value in range(20)]
    wrong = executor.submit(jobs.fails)
    broken = executor.submit(jobs.breaks)
    stopped = executor.submit(jobs.stops)
    assert [one.result(30) for one in squares] == [value**2 for value in range(20)]
    with pytest.raises(SpecrecError, match="no such thing"):
        wrong.result(30)
    with pytest.raises(SpecrecError, match="ZeroDivisionError: by zero"):
        broken.result(30)
    with pytest.raises(CannotGoOnError, match="the disk is full"):
        stopped.result(30)
    executor.shutdown()
    assert set(heard) <= {(f"job {value}", value) for value in range(20)}
    with pytest.raises(RuntimeError, match="stopped"):
        executor.submit(jobs.square, 1)


def test_no_more_jobs_are_given_out_than_there_are_slots(connection: Any, jobs: Any, tmp_path: Path) -> None:
    executor = ClusterExecutor(connection)
    futures = [executor.submit(jobs.waits, str(tmp_path), number) for number in range(50)]
    until(lambda: len(list(tmp_path.glob("begun-*"))) == 2)
    time.sleep(0.5)
    assert len(connection.client.futures) == 2
    assert len(list(tmp_path.glob("begun-*"))) == 2
    executor.shutdown(cancel_futures=True)
    until(lambda: len(list(tmp_path.glob("unwanted-*"))) == 2)
    assert len(list(tmp_path.glob("begun-*"))) == 2
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(10)


def test_a_job_for_a_gpu_goes_to_a_worker_that_has_one(connection: Any, jobs: Any) -> None:
    executor = ClusterExecutor(connection)
    names = [executor.submit(jobs.name, gpu=True) for _ in range(6)]
    assert {one.result(30) for one in names} == {"with-gpu"}
    executor.shutdown()


def test_a_worker_that_refuses_gets_no_further_job(connection: Any, jobs: Any) -> None:
    notes: list[str] = []
    executor = ClusterExecutor(connection, note=notes.append)
    names = [executor.submit(jobs.refuses) for _ in range(8)]
    assert {one.result(30) for one in names} == {"without"}
    executor.shutdown()
    [said] = [note for note in notes if "is not used" in note]
    assert said.endswith("it has no hands")


def test_a_worker_without_room_for_a_job_is_named_and_another_does_it(connection: Any, jobs: Any) -> None:
    notes: list[str] = []
    executor = ClusterExecutor(connection, note=notes.append)
    names = [executor.submit(jobs.has_no_room) for _ in range(8)]
    assert {one.result(30) for one in names} == {"without"}
    executor.shutdown()
    [said] = [note for note in notes if "is not used" in note]
    assert "No such file or directory (/there/is/no/such/folder); make room there" in said


def test_what_this_machine_cannot_receive_ends_the_work_and_is_no_lost_worker(connection: Any, jobs: Any) -> None:
    def denied(*_given: object) -> Any:
        raise PermissionError(13, "Permission denied", "/a/folder")

    notes: list[str] = []
    executor = ClusterExecutor(connection, note=notes.append, receive=denied)
    with pytest.raises(CannotGoOnError, match=r"this machine cannot take .*: Permission denied \(/a/folder\)"):
        executor.submit(jobs.square, 2).result(30)
    assert not [note for note in notes if "lost" in note]
    executor.shutdown()


def test_a_job_that_kills_every_worker_is_given_up_and_without_workers_all_ends(
    jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "QUIET_SECONDS", 0.5)
    alone = Loopback(tmp_path / "cluster", (Path(jobs.__file__).parent,))
    alone.worker(WORKER="one")
    try:
        with connected(alone.address) as connection:
            notes: list[str] = []
            executor = ClusterExecutor(replace(connection, patience=2.0), note=notes.append)
            with pytest.raises(ClusterError, match=r"no worker at .* for 2 s; what is finished is kept"):
                executor.submit(jobs.dies, label="the job").result(30)
            assert [note for note in notes if note.startswith("no worker is left")]
    finally:
        alone.end()


def test_a_job_whose_workers_are_lost_is_given_out_again_a_stated_number_of_times(connection: Any, jobs: Any) -> None:
    class KilledWorker(Exception):  # noqa: N818 - as Dask calls it
        pass

    notes: list[str] = []
    executor = ClusterExecutor(connection, note=notes.append)

    def killed(self: ClusterExecutor, job: Any, inner: Any) -> None:
        if job.inner is inner:
            self._lost(job, KilledWorker("four workers died"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClusterExecutor, "_on_answered", killed)
        with pytest.raises(SpecrecError, match="its workers were lost again and again; at last: KilledWorker: four"):
            executor.submit(jobs.square, 2, label="the job").result(30)
    assert len([note for note in notes if "it is given out again" in note]) == 2
    executor.shutdown()


def test_an_answer_that_dask_takes_for_an_error_is_a_lost_worker_and_other_errors_are_not() -> None:
    for answer in (Answer("tcp://a", 1), Refused("tcp://a", "why"), Failed("tcp://a", "why")):
        with pytest.raises(TypeError) as caught:
            _kind, _error, _trace = answer  # type: ignore[misc]  # as distributed.cfexecutor does
        assert is_loss(caught.value)
    assert not is_loss(TypeError("cannot pickle 'generator' object"))
    assert is_loss(ConnectionResetError())
