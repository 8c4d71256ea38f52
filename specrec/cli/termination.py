"""SIGTERM, by which `timeout` and the schedulers of clusters end a process, as an exception that tidies up."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from specrec.errors import Stopped

_AGAIN = 0.01  # seconds


class Terminated(Stopped):
    """The process was told to end."""


@contextmanager
def told_to_end() -> Iterator[None]:
    """Raise `Terminated` in the block where SIGTERM comes, once; where somebody else takes the signal, do nothing.

    What is raised while Python finalises an object (``__del__``, or who waits for that by `weakref`) goes nowhere:
    Python tells `sys.unraisablehook` of it and goes on. It is then raised again, from a timer.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    before = sys.unraisablehook
    alarm = getattr(signal, "SIGALRM", None)  # Windows has none, and nobody sends it SIGTERM

    def end(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would cut the tidying up short
        raise Terminated

    def lost(what: "sys.UnraisableHookArgs") -> None:
        if alarm is None or not isinstance(what.exc_value, Terminated):
            before(what)
            return
        signal.signal(alarm, end)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)

    signal.signal(signal.SIGTERM, end)
    sys.unraisablehook = lost
    try:
        yield
    finally:
        sys.unraisablehook = before
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
