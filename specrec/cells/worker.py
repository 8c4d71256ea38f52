"""The process of one cell: reads it from standard input as JSON, tells its progress on standard output.

With the cell come the metrics that are not to be computed, and why. Before each metric of a third party its name is
told, so that the parent knows in which one the process died.

What specrec logs is passed on too; whatever a plugin prints goes to standard error. The process ends when its parent
does.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from specrec.cells.compute import run_cell
from specrec.cells.scoring import Scoring
from specrec.errors import CannotGoOnError, in_a_line
from specrec.processes import end_with_parent


def main() -> None:
    """Run the one cell that comes in."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sent = json.loads(sys.stdin.readline())
    threading.Thread(target=end_with_parent, daemon=True).start()
    logger = logging.getLogger("specrec")
    logger.setLevel(logging.INFO)

    def say(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    logger.addHandler(_Teller(say))
    try:
        scoring = Scoring(sent["without"], lambda name: say({"metric": name}))
        record = run_cell(sent["cell"], lambda done, words: say({"done": done, "words": words}), scoring)
        say({"record": record})
    except CannotGoOnError as error:
        say({"stop": str(error)})
    except Exception as error:  # told to the parent, whose business it is
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
