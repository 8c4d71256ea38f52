"""How processes that run what plugins bring are ended, and how they have ended."""

import os
import signal
import subprocess
from contextlib import suppress
from typing import IO

from specrec.errors import plain_line


def kill_group(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    """Kill a process that began a session, and what it has started, which may live where the process has died."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def end_group(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    """Do the same, and wait until the process has ended."""
    kill_group(process)
    process.wait()


def ending(code: int) -> str:
    """Say how a process ended.

    Examples
    --------
    >>> ending(3), ending(-9)
    ('exit code 3', 'signal SIGKILL')
    """
    try:
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    except ValueError:
        return f"exit code {code}"


def last_line(errors: IO[bytes]) -> str:
    """Read the last line that a process has left in the file of its standard error."""
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4096))
    lines = [line for line in map(plain_line, errors.read().decode("utf-8", "replace").splitlines()) if line]
    return lines[-1] if lines else ""


def end_with_parent() -> None:
    """Wait until the parent has closed the pipe to standard input, or is gone, and end this process.

    Where it has begun a session, what it has started ends with it, as `end_group` would have done.
    """
    while os.read(0, 4096):  # returns nothing then
        pass
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
