"""The process of one call: reads from standard input which function and with what values, tells how it goes on output.

Only functions of specrec are called. What specrec logs is passed on; whatever a plugin prints goes to standard error.
The process ends when its parent does.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from specrec.errors import in_a_line
from specrec.processes import end_with_parent


def main() -> None:
    """Make the one call that comes in."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sent = json.loads(sys.stdin.readline())
    threading.Thread(target=end_with_parent, daemon=True).start()
    lock = threading.Lock()

    def say(message: dict[str, Any]) -> None:
        with lock:
            channel.write(json.dumps(message) + "\n")
            channel.flush()

    logger = logging.getLogger("specrec")
    logger.setLevel(logging.INFO)
    logger.addHandler(_Teller(say))
    try:
        module, _, name = sent["function"].partition(":")
        if module.partition(".")[0] != "specrec":
            raise ValueError(f"{module} is no module of specrec")
        call = getattr(import_module(module), name)
        say({"answer": call(sent["values"], lambda done, words: say({"done": done, "words": words}))})
    except BaseException as error:  # told to the parent, whose business it is; a plugin may even end the program
        say({"error": in_a_line(error)})


class _Teller(logging.Handler):
    """Passes on what is logged: nobody reads the standard error of a process that lives."""

    def __init__(self, say: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(logging.INFO)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say({"note": record.getMessage()})


if __name__ == "__main__":
    main()
