"""SIGTERM, by which `timeout` and schedulers end a process, as an exception that tidies up; and Ctrl-C, never lost."""

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

    What is raised while Python finalises an object (``__del__``, or who waits for that by `weakref`), or while a C
    library calls back, goes nowhere: Python tells `sys.unraisablehook` of it and goes on. It is then raised again, from
    a timer, and so is the `KeyboardInterrupt` of Ctrl-C.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    before = sys.unraisablehook
    alarm = getattr(signal, "SIGALRM", None)  # Windows has none, and nobody sends it SIGTERM
    alarm_before = alarm and signal.getsignal(alarm)

    def end(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would cut the tidying up short
        raise Terminated

    def lost(what: "sys.UnraisableHookArgs") -> None:
        error = what.exc_value
        if alarm is None or not isinstance(error, Terminated | KeyboardInterrupt):
            before(what)
            return

        def again(_signal: int, _frame: FrameType | None) -> None:
            raise type(error)

        signal.signal(alarm, again)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)

    signal.signal(signal.SIGTERM, end)
    sys.unraisablehook = lost
    try:
        yield
    finally:
        sys.unraisablehook = before
        if alarm is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(alarm, alarm_before)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
