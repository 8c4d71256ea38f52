"""What became of a check, whatever the plugin does in it."""

import sys
import time
import traceback
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Literal

from specrec.testing.checks import RAISED, Check, NotApplicable, NotConforming

Outcome = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True)
class Result:
    """One check and how it ended.

    Parameters
    ----------
    check
        The check.
    outcome
        Kept, broken, or not applicable.
    words
        The remark, what was found and what to change, or why it was skipped: one line.
    seconds
        That it took.
    trace
        The traceback of what was raised, where it failed.
    error
        What was raised, unless that was in another process.
    """

    check: Check
    outcome: Outcome
    words: str
    seconds: float
    trace: str = ""
    error: BaseException | None = None


def tried(check: Check) -> Result:
    """Try a check; what the plugin prints meanwhile goes to standard error."""
    started = time.perf_counter()
    error: BaseException | None = None
    outcome: Outcome = "ok"
    try:
        with redirect_stdout(sys.stderr):
            words = check()
    except NotApplicable as reason:
        outcome, words = "skipped", str(reason)
    except NotConforming as broken:
        outcome, words, error = "failed", str(broken), broken
    except RAISED as raised:  # a plugin may do anything
        outcome, words, error = "failed", f"{type(raised).__name__}: {raised} (plugin code)", raised
    seconds = time.perf_counter() - started
    trace = "" if error is None else "".join(traceback.format_exception(error))
    return Result(check, outcome, " ".join((words or "").split()), seconds, trace, error)
