"""A job inside a Dask worker: it can tell how far it is, and learns that nobody waits for it any more.

What a job gives travels back as one of the answers below, never as an exception: Dask would begin it anew.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from specrec.errors import CannotGoOnError, SpecrecError, in_a_line

_ALIVE = ("running", "paused", "closing_gracefully")


class RefusalError(SpecrecError):
    """The worker cannot do such jobs; another one may."""


@dataclass(frozen=True)
class Answer:
    """What a job gave, and the worker it ran on."""

    worker: str
    value: Any


@dataclass(frozen=True)
class Refused:
    """Why a worker cannot do the job; it gets no further one."""

    worker: str
    reason: str


@dataclass(frozen=True)
class Failed:
    """Why the job itself failed; it would fail elsewhere too.

    Parameters
    ----------
    worker
        Its address.
    reason
        One sentence.
    of_all
        Whether it stands in the way of every other job too, such as a full disk that all write to.
    """

    worker: str
    reason: str
    of_all: bool = False


class Job:
    """One job, seen from inside; only a thread that runs a Dask task can make one.

    Parameters
    ----------
    topic
        Under which the client hears.
    number
        Of the job.
    """

    def __init__(self, topic: str, number: int) -> None:
        from distributed import get_worker

        self._worker = get_worker()
        self._key = self._worker.get_current_task()
        self._topic = topic
        self._number = number

    @property
    def worker(self) -> str:
        """The address of the worker."""
        return str(self._worker.address)

    @property
    def scratch(self) -> str:
        """A folder of the worker alone, which Dask removes after it."""
        return str(self._worker.local_directory)

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits: the job was not cancelled, its client lives, the scheduler too."""
        task = self._worker.state.tasks.get(self._key)
        return self._worker.status.name in _ALIVE and task is not None and task.state == "executing"

    def tell(self, message: Mapping[str, Any]) -> None:
        """Tell the client something, in plain values; whether it hears does not matter."""
        self._worker.log_event(self._topic, {"job": self._number, **message})


def run_job(function: Callable[..., Any], topic: str, number: int, args: tuple[Any, ...]) -> Answer | Refused | Failed:
    """Run ``function(job, *args)`` in a worker; an OSError that it raises is a trouble of the worker."""
    job = Job(topic, number)
    job.tell({"started": job.worker})
    try:
        return Answer(job.worker, function(job, *args))
    except RefusalError as error:
        return Refused(job.worker, str(error))
    except OSError as error:  # of what it needs beside the job: a folder of its own, a process
        place = f" ({error.filename})" if error.filename else ""
        words = f"{error.strerror or in_a_line(error)}{place}"
        return Refused(job.worker, f"{words}; make room there, or start it with another --local-directory")
    except SpecrecError as error:
        return Failed(job.worker, in_a_line(error), isinstance(error, CannotGoOnError))
