"""Jobs on a Dask cluster behind the interface of `concurrent.futures.Executor`, each done once whatever dies.

Dask chooses the worker and begins a job anew where its worker is lost. This adds: no more jobs are given out than there
are slots, so that neither the scheduler nor a worker holds a queue; a job that Dask has given up for lost workers is
given out again, a stated number of times; a worker that does not fit gets none; and where the scheduler is gone, or
all workers are for long, everything ends with one sentence. One thread serves it all.
"""

import itertools
import secrets
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from specrec.cluster import ClusterError
from specrec.cluster.connecting import Connection
from specrec.cluster.given import Again, Done, GivenJob, LostError, Receive, done
from specrec.cluster.job import Answer, Failed, RefusalError, Refused, run_job
from specrec.cluster.watch import Watch
from specrec.cluster.workers import crowded
from specrec.errors import CannotGoOnError, SpecrecError, in_a_line

GIVEN_OUT_AGAIN = 2
"""Times that a job is given out again after Dask has given it up, which it does after four lost workers."""
RETRIES = 2
"""Times that Dask repeats at once what failed outside of the job, such as sending it."""
TICK = 0.25
"""Seconds between looks at the connection."""
HANDS = 4
"""Answers that are received at a time: files may come with them."""


class ClusterExecutor(Executor):
    """Gives jobs to the workers of a cluster.

    Parameters
    ----------
    connection
        An open one.
    threads
        That one job computes with, for the advice on workers.
    told
        Called with the label of a job and what it tells.
    note
        Called with sentences for the user.
    receive
        What is done with an answer.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        threads: int = 1,
        told: Callable[[str, dict[str, Any]], None] = lambda _label, _message: None,
        note: Callable[[str], None] = lambda _words: None,
        receive: Receive = done,
    ) -> None:
        self._connection = connection
        self._executor = connection.client.get_executor(pure=False, retries=RETRIES)
        self._threads, self._told, self._note, self._receive = threads, told, note, receive
        self._topic = f"specrec-{secrets.token_hex(8)}"
        self._numbers = itertools.count()
        self._events: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        self._waiting: dict[bool, deque[GivenJob]] = {False: deque(), True: deque()}
        self._given: dict[int, GivenJob] = {}
        self._over: BaseException | None = None
        self._crowded: dict[str, str] = {}
        self._lock = threading.Lock()
        self._watch = Watch(connection, note, lambda: self._events.put(("looked",)))
        self._hands = ThreadPoolExecutor(HANDS, "specrec-cluster-hand")
        connection.client.subscribe_topic(self._topic, lambda event: self._events.put(("told", event[1])))
        self._server = threading.Thread(target=self._serve, name="specrec-cluster", daemon=True)
        self._server.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **about: Any) -> Future[Any]:
        """Run ``fn(job, *args)`` on a worker.

        Parameters
        ----------
        fn
            A function of a module that is installed there; `job` is a `specrec.cluster.job.Job`.
        args
            What can be pickled.
        about
            ``label``, for messages; ``gpu=True``: on a worker with ``--resources GPU=1``, where there are such.
        """
        job = GivenJob(next(self._numbers), about.get("label", "a job"), fn, args, about.get("gpu", False))
        with self._lock:
            if self._over is not None:
                raise self._over
            self._events.put(("submitted", job))
        return job.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop; with `cancel_futures` the jobs in hand are given up too, and end on their workers within seconds."""
        self._events.put(("stop", cancel_futures))
        if wait or cancel_futures:
            self._server.join()

    def _serve(self) -> None:
        stopping = False
        try:
            while not (stopping and not self._given and not any(self._waiting.values())):
                with suppress(Empty):
                    kind, *values = self._events.get(timeout=TICK)
                    if kind == "stop":
                        stopping = True
                        if values[0]:
                            break
                    else:
                        getattr(self, f"_on_{kind}")(*values)
                self._watch.check()
                if self._connection.client.status == "running":
                    self._give_out()
            self._end(None)
        except BaseException as error:  # whatever it is, nobody shall wait for ever
            self._end(error)
        finally:
            self._watch.stop()
            self._hands.shutdown(wait=False, cancel_futures=True)
            with suppress(Exception):
                self._connection.client.unsubscribe_topic(self._topic)

    def _end(self, error: BaseException | None) -> None:
        """Give up what is left, with the reason; without one it was asked for, and the futures are cancelled."""
        if error is not None and not isinstance(error, ClusterError):
            error = ClusterError(f"the connection to the cluster broke: {in_a_line(error)}")
        with self._lock:
            self._over = error or RuntimeError("stopped")
        while True:
            try:
                kind, *values = self._events.get_nowait()
            except Empty:
                break
            if kind == "submitted":
                self._waiting[False].append(values[0])
        left = [*self._given.values(), *self._waiting[False], *self._waiting[True]]
        inner = [job.inner for job in left if job.inner is not None]
        for job in left:
            if error is not None:
                job.finish(error)
            else:
                job.future.cancel()
                job.future.set_running_or_notify_cancel()
        self._given.clear()
        if self._connection.client.status == "running":
            with suppress(Exception):
                self._executor.shutdown(wait=False)  # cancels them
        for one in inner:
            one.cancel()

    def _on_submitted(self, job: GivenJob) -> None:
        self._waiting[job.gpu].append(job)

    def _on_looked(self) -> None:
        """Advise on workers that are new, and give out again what none of those may do that are there."""
        for host, words in crowded(self._watch.fitting.values(), self._threads).items():
            if self._crowded.get(host) != words:
                self._crowded[host] = words
                self._note(words)
        for job in list(self._given.values()):
            if job.inner is not None and job.allowed is not None and not job.allowed & set(self._watch.fitting):
                inner, job.inner = job.inner, None
                inner.cancel()
                self._take_back(job)

    def _take_back(self, job: GivenJob) -> None:
        self._given.pop(job.number, None)
        job.begun_on = job.inner = None
        self._waiting[job.gpu].appendleft(job)

    def _give_out(self) -> None:
        slots = {False: self._watch.slots, True: self._watch.gpus or (0 if self._watch.had_gpus else self._watch.slots)}
        for gpu, waiting in self._waiting.items():
            given = sum(job.gpu == gpu for job in self._given.values())
            while waiting and given < slots[gpu]:
                self._give(waiting.popleft())
                given += 1

    def _give(self, job: GivenJob) -> None:
        choice: dict[str, Any] = {"key": f"{self._topic}-{job.number}-{secrets.token_hex(4)}"}
        if job.gpu and self._watch.had_gpus:
            choice["resources"] = {"GPU": 1}
        job.allowed = frozenset(self._watch.fitting) if self._watch.unfit else None
        if job.allowed is not None:
            choice |= {"workers": sorted(job.allowed), "allow_other_workers": False}
        elif job.nearest in self._watch.fitting:
            choice |= {"workers": [job.nearest], "allow_other_workers": True}
        self._given[job.number] = job
        job.inner = self._executor.submit(run_job, job.function, self._topic, job.number, job.args, **choice)
        job.inner.add_done_callback(lambda inner: self._events.put(("answered", job, inner)))

    def _on_told(self, message: dict[str, Any]) -> None:
        job = self._given.get(message["job"])
        if job is None:  # it is through, or given out again
            return
        if "started" not in message:
            self._told(job.label, message)
            return
        if job.begun_on is not None:
            self._note(f"{job.label}: worker {job.begun_on} was lost; it is begun again on {message['started']}")
        job.begun_on = message["started"]

    def _on_answered(self, job: GivenJob, inner: Future[Any]) -> None:
        if job.inner is not inner:  # given up meanwhile
            return
        try:
            answer = inner.result()
        except CancelledError:  # the connection was lost, or somebody has cancelled it on the scheduler
            self._take_back(job)
        except Exception as error:
            self._lost(job, error)
        else:
            if isinstance(answer, Refused):
                self._watch.refuse(answer.worker, answer.reason)
                self._take_back(job)
            elif isinstance(answer, Failed):
                self._finish(job, (CannotGoOnError if answer.of_all else SpecrecError)(answer.reason))
            else:
                self._hands.submit(self._receive_from, job, answer)

    def _lost(self, job: GivenJob, error: Exception) -> None:
        if not is_loss(error):
            self._finish(job, SpecrecError(f"the job could not be given to a worker: {in_a_line(error)}"))
        elif job.again < GIVEN_OUT_AGAIN:
            job.again += 1
            self._note(f"{job.label}: its workers were lost ({in_a_line(error)}); it is given out again")
            self._take_back(job)
        else:
            self._finish(job, SpecrecError(f"its workers were lost again and again; at last: {in_a_line(error)}"))

    def _receive_from(self, job: GivenJob, answer: Answer) -> None:
        outcome: Done | Again | Exception
        try:
            outcome = self._receive(job.args, answer)
        except Exception as error:  # the worker may be gone, or a file cannot be written
            outcome = error
        self._events.put(("received", job, outcome, answer.worker))

    def _on_received(self, job: GivenJob, outcome: Done | Again | Exception, worker: str) -> None:
        if isinstance(outcome, Again):
            job.args, job.nearest = outcome.args, outcome.worker
            self._take_back(job)
        elif isinstance(outcome, Done):
            self._finish(job, outcome.result)
        elif isinstance(outcome, RefusalError):
            self._watch.refuse(worker, str(outcome))
            self._take_back(job)
        elif isinstance(outcome, OSError) and not isinstance(outcome, LostError):
            self._finish(job, _of_this_machine(outcome))
        elif isinstance(outcome, SpecrecError):
            self._finish(job, outcome)
        else:
            self._lost(job, outcome)

    def _finish(self, job: GivenJob, result: Any) -> None:
        del self._given[job.number]
        job.finish(result)


def _of_this_machine(error: OSError) -> CannotGoOnError:
    """Say what keeps this process from receiving; no other worker gets past that."""
    place = f" ({error.filename})" if error.filename else ""
    words = f"this machine cannot take what its workers have made: {error.strerror or in_a_line(error)}{place}"
    return CannotGoOnError(f"{words}; make room there or allow it, and start again", str(error.filename or ""))


def is_loss(error: Exception) -> bool:
    """Tell whether a job has failed because its worker is gone.

    Where a worker is lost between its answer and the look at it, Dask takes the answer apart as if it were an error.
    """
    if isinstance(error, TypeError):
        return any(f"non-iterable {kind.__name__} object" in str(error) for kind in (Answer, Refused, Failed))
    return type(error).__name__ == "KilledWorker" or isinstance(error, OSError)
