"""A promise of a method: its words, how it is tried, and which other broken promises would explain that it is broken.

A method that draws from a global generator breaks one promise, and with it nearly every comparison of two fits. So that
its author reads one reason and not ten, a broken promise counts as not applicable where one that it rests on is broken.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from specrec.testing.checks import NotApplicable, NotConforming
from specrec.testing.methods.subject import Subject

Trying = Callable[[Subject], str | None]


@dataclass(frozen=True)
class Promise:
    """One promise.

    Parameters
    ----------
    words
        A few, as a report prints them.
    trying
        Tries it and returns a remark or nothing; raises as the `run` of a `Check`.
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

    def outcome(self, subject: Subject) -> str | Exception:
        """Try it once for each subject: the remark, or what was raised."""
        known = subject.outcomes
        if self.words not in known:
            try:
                known[self.words] = self.trying(subject) or ""
            except NotApplicable as reason:
                known[self.words] = reason
            except Exception as error:  # a plugin may raise anything
                known[self.words] = self._explained(subject) or error
        return known[self.words]

    def _explained(self, subject: Subject) -> "_Unjudged | None":
        for other in self.rests_on:
            found = other.outcome(subject)
            if isinstance(found, _Unjudged):
                return found
            if isinstance(found, Exception) and not isinstance(found, NotApplicable):
                return _Unjudged(f"cannot be judged before this holds: {other.words}")
        return None


class _Unjudged(NotApplicable):
    """Another broken promise stands in the way."""


def promise(words: str, *rests_on: Promise) -> Callable[[Trying], Promise]:
    """Make a promise of the function that tries it."""
    return lambda trying: Promise(words, trying, rests_on)


def broken(found: str, way_out: str) -> NotConforming:
    """Build what a broken promise raises: what was found, and what to change."""
    return NotConforming(f"{found}; {way_out}")
