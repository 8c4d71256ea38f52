"""Checks in a process of their own, so that a plugin that ends it is told of: ``python -m specrec.testing.apart``.

The process reads what to try as a line of JSON from standard input and answers with a line for each check that it
begins and each that is done; what the plugin prints goes to standard error. It ends when its parent does.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from specrec.parameters import Settings
from specrec.processes import end_with_parent, ending
from specrec.testing.checks import Check, checks_of
from specrec.testing.results import Result, tried


def tried_apart(
    checks: Sequence[tuple[int, Check]],
    distribution: str,
    data: Mapping[str, Path],
    trials: Mapping[str, Sequence[Settings]],
    begin: Callable[[Check], None],
) -> Iterator[Result]:
    """Try checks in another process; one that ends it has failed, and what has another subject is tried in a new one.

    Parameters
    ----------
    checks
        Some of what `checks_of` lists for the rest of the arguments, each with its place there.
    distribution, data, trials
        As for `checks_of`.
    begin
        Called before each check.

    Raises
    ------
    KeyboardInterrupt
        If a check raises it.
    """
    left = dict(checks)
    while left:
        request = {
            "distribution": distribution,
            "data": {name: str(path) for name, path in data.items()},
            "trials": {name: [dict(settings) for settings in every] for name, every in trials.items()},
            "places": list(left),
        }
        process = _started(json.dumps(request))
        place = next(iter(left))
        try:
            for line in process.stdout or ():
                message = json.loads(line)
                place = message["place"]
                if message["what"] == "begin":
                    begin(left[place])
                elif message["what"] == "interrupted":
                    raise KeyboardInterrupt
                else:
                    yield Result(left.pop(place), **message["result"])
            process.wait()
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        if left:
            yield from _dead(left, place if place in left else next(iter(left)), process.returncode)


def _dead(left: dict[int, Check], place: int, code: int) -> Iterator[Result]:
    """Tell of the check that ended the process, and of those of its subject, which would end the next one."""
    dead = left.pop(place)
    way_out = "look for a compiled library that crashes" if code < 0 else "let the plugin never end the process"
    yield Result(dead, "failed", f"the process died ({ending(code)}) while this was tried; {way_out}", 0.0)
    for place, check in [*left.items()]:
        if (check.kind, check.subject) == (dead.kind, dead.subject):
            yield Result(left.pop(place), "skipped", f"not tried, for the process died of: {dead.promise}", 0.0)


def _started(request: str) -> "subprocess.Popen[str]":
    path = os.pathsep.join(str(Path(entry or ".").resolve()) for entry in sys.path)
    process = subprocess.Popen(
        [sys.executable, "-m", "specrec.testing.apart"],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    if process.stdin is not None:
        process.stdin.write(request + "\n")
        process.stdin.flush()
    return process


def main() -> None:
    """Try what is asked for."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=end_with_parent, daemon=True).start()

    def say(what: str, place: int, **more: Any) -> None:
        channel.write(json.dumps({"what": what, "place": place, **more}) + "\n")
        channel.flush()

    data = {name: Path(folder) for name, folder in request["data"].items()}
    checks = checks_of(request["distribution"], data, trials=request["trials"])
    for place in request["places"]:
        say("begin", place)
        try:
            result = tried(checks[place])
        except KeyboardInterrupt:
            say("interrupted", place)
            return
        said = {key: getattr(result, key) for key in ("outcome", "words", "seconds", "trace")}
        say("done", place, result=said)


if __name__ == "__main__":
    main()
