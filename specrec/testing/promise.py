"""A promise: its words, how it is tried, and which other broken promises would explain that it is broken.

A method that draws from a global generator breaks one promise, and with it nearly every comparison of two fits. So that
its author reads one reason and not ten, a broken promise counts as not applicable where one that it rests on is broken,
or one that that rests on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from specrec.testing.checks import RAISED, NotApplicable, NotConforming

Outcome = str | Exception | SystemExit
"""The remark of a promise that is kept, or what was raised."""
Trying = Callable[[Any], str | None]


class Subject(Protocol):
    """What promises are tried on."""

    outcomes: dict[str, Outcome]
    """What became of each, by its words."""


class Unjudged(NotApplicable):
    """Another broken promise stands in the way."""


@dataclass(frozen=True)
class Promise:
    """One promise.

    Parameters
    ----------
    words
        A few, as a report prints them.
    trying
        Tries it on a subject and returns a remark or nothing; raises as the `run` of a `Check`.
    rests_on
        Promises that have to be kept before this one can be judged.
    """

    words: str
    trying: Trying = field(repr=False)
    rests_on: tuple["Promise", ...] = ()

    def tried_on(self, subject: Subject) -> Callable[[], str]:
        """Return what a `Check` runs."""

        def run() -> str:
            outcome = self.outcome(subject)
            if isinstance(outcome, str):
                return outcome
            raise outcome

        return run

    def outcome(self, subject: Subject) -> Outcome:
        """Try it, once for each subject unless it did not apply: the remark, or what was raised."""
        known = subject.outcomes
        if self.words not in known:
            try:
                known[self.words] = self.trying(subject) or ""
            except NotApplicable as reason:  # not kept: a folder may be named later
                return reason
            except RAISED as error:  # a plugin may raise anything
                known[self.words] = self._explained(subject) or error
        return known[self.words]

    def _explained(self, subject: Subject) -> NotApplicable | None:
        for other in self.rests_on:
            found = other.outcome(subject)
            if isinstance(found, Unjudged):
                return found
            if isinstance(found, RAISED) and not isinstance(found, NotApplicable):
                return Unjudged(f"cannot be judged before this holds: {other.words}")
            reason = other._explained(subject)
            if reason:
                return reason
        return None


def promise(words: str, *rests_on: Promise) -> Callable[[Trying], Promise]:
    """Make a promise of the function that tries it."""
    return lambda trying: Promise(words, trying, rests_on)


def broken(found: str, way_out: str) -> NotConforming:
    """Build what a broken promise raises: what was found, and what to change."""
    return NotConforming(f"{found}; {way_out}")
