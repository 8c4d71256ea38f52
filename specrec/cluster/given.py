"""What the client knows of a job, and what it makes of the answer."""

from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from specrec.cluster.job import Answer


class LostError(ConnectionError):
    """A worker does not give what it was asked for: it is gone, or its files are."""


@dataclass(frozen=True)
class Done:
    """The result of a job."""

    result: Any


@dataclass(frozen=True)
class Again:
    """The job is to be given out again with other arguments, rather to the worker that has answered."""

    args: tuple[Any, ...]
    worker: str


Receive = Callable[[tuple[Any, ...], Answer], Done | Again]
"""Turns what a job has given into its result; called from threads of this process with the job's arguments.

It raises LostError for a worker that is lost, and RefusalError for one that cannot go on; what else it raises is this
process's own trouble.
"""


@dataclass(eq=False)
class GivenJob:
    """One job, from its submission to its end.

    Parameters
    ----------
    number, label
        Of the job, and what messages call it.
    function, args
        What a worker calls.
    gpu
        Whether it wants a worker with a GPU, where there are such.
    future
        Whoever has submitted it holds this.
    again
        How often it was given out again for lost workers.
    nearest
        The worker that is preferred.
    allowed
        The workers where it may run; None: anywhere.
    begun_on
        The worker that has last begun it.
    inner
        The future of Dask's executor; None: it is not given out.
    """

    number: int
    label: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    gpu: bool
    future: Future[Any] = field(default_factory=Future)
    again: int = 0
    nearest: str | None = None
    allowed: frozenset[str] | None = None
    begun_on: str | None = None
    inner: Future[Any] | None = None

    def finish(self, result: Any) -> None:
        """Give the result, or the exception, to whoever waits."""
        self.inner = None  # Dask forgets a result that nobody holds
        with suppress(InvalidStateError):  # it was cancelled from outside
            if isinstance(result, Exception):
                self.future.set_exception(result)
            else:
                self.future.set_result(result)


def done(_args: tuple[Any, ...], answer: Answer) -> Done:
    """Take the answer as the result."""
    return Done(answer.value)
