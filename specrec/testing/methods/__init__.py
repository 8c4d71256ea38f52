"""What every method promises.

`specrec.testing.promise` says what a promise is and `subject` holds the method under test; the promises stand in the
other modules, one for each part of the contract.
"""

from collections.abc import Callable, Sequence

from specrec.interfaces import Reconstructor
from specrec.parameters import Settings
from specrec.testing.checks import Check
from specrec.testing.methods import basics, cubes, declared, extent, fitting, likeness, processes, stored
from specrec.testing.methods.process_state import put_back
from specrec.testing.methods.subject import Subject
from specrec.testing.promise import Promise

OF_THE_CLASS: tuple[Promise, ...] = declared.OF_THE_CLASS
"""Tried once for a method."""
OF_EVERY_TRIAL: tuple[Promise, ...] = (
    *declared.OF_EVERY_TRIAL,
    *basics.PROMISES,
    *fitting.PROMISES,
    *cubes.PROMISES,
    *likeness.PROMISES,
    *extent.PROMISES,
    *stored.PROMISES,
    *processes.PROMISES,
)
"""Tried with each of its `trials`."""


def method_checks(method: type[Reconstructor], trials: Sequence[Settings] | None = None) -> list[Check]:
    """List the checks of a method.

    Parameters
    ----------
    method
        The class.
    trials
        Settings to try it with, in place of its own.
    """
    plan = [(Subject(method, {}), OF_THE_CLASS)]
    plan += [(Subject(method, trial), OF_EVERY_TRIAL) for trial in (method.trials if trials is None else trials)]
    return [
        Check("method", subject.name, promise.words, _leaving_no_trace(promise.tried_on(subject)))
        for subject, promises in plan
        for promise in promises
    ]


def _leaving_no_trace(run: Callable[[], str]) -> Callable[[], str]:
    """Put the process back after a check, so that what one method does to it breaks no other."""

    def run_and_put_back() -> str:
        with put_back(4):
            return run()

    return run_and_put_back
