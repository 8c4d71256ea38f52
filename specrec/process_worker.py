"""The other end of `specrec.child_process`: a process that does one piece of work and tells how it goes.

As a program it calls a function of specrec with plain values, for `specrec.process_pool`; cells have one of their own.
What specrec logs is passed on; whatever a plugin prints goes to standard error. The process ends when its parent does.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from specrec.errors import SpecrecError, in_a_line
from specrec.processes import end_with_parent

Tell = Callable[[dict[str, Any]], None]
"""Tells the parent something in plain values."""


def serve(work: Callable[[dict[str, Any], Tell], Any]) -> None:
    """Do the one piece of work that comes in.

    Parameters
    ----------
    work
        Called with what was sent and with what tells the parent how it goes; returns the answer. An `Exception` is
        told as the failure of the work; what else it raises, as `SystemExit`, ends the process.
    """
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    if hasattr(os, "register_at_fork"):  # a fork that outlives this process must not hold the parent's pipe
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.register_at_fork(after_in_child=lambda: os.dup2(nowhere, channel.fileno(), inheritable=False))
    sent = json.loads(sys.stdin.readline())
    threading.Thread(target=end_with_parent, daemon=True).start()
    lock = threading.Lock()

    def tell(message: dict[str, Any]) -> None:
        with lock:
            channel.write(json.dumps(message) + "\n")
            channel.flush()

    logger = logging.getLogger("specrec")
    logger.setLevel(logging.INFO)
    logger.addHandler(_Teller(tell))
    try:
        tell({"answer": work(sent, tell)})
    except Exception as error:  # told to the parent, whose business it is
        tell({"error": in_a_line(error)})


def _call(sent: dict[str, Any], tell: Tell) -> Any:
    module, _, name = sent["function"].partition(":")
    if module.partition(".")[0] != "specrec":
        raise ValueError(f"{module} is no module of specrec")
    function = getattr(import_module(module), name)
    try:
        return function(sent["values"], lambda done, words: tell({"done": done, "words": words}))
    except BaseException as error:  # a plugin may even end the program
        raise SpecrecError(in_a_line(error)) from error


class _Teller(logging.Handler):
    """Passes on what is logged: nobody reads the standard error of a process that lives."""

    def __init__(self, tell: Tell) -> None:
        super().__init__(logging.INFO)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell({"note": record.getMessage()})


if __name__ == "__main__":
    serve(_call)
