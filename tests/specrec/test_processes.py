"""A process ends with its parent, and what it has started ends with it."""

import os
import subprocess
import sys
import time
from pathlib import Path

ALONE = """
import subprocess, sys, threading, time
from specrec.processes import end_with_parent
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
threading.Thread(target=end_with_parent, daemon=True).start()
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_a_process_has_started_ends_when_its_parent_is_gone() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-c", ALONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
        start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdin is not None
        child = int(process.stdout.readline())
        assert is_alive(child)
        process.stdin.close()
        process.wait(20)
    end = time.monotonic() + 20
    while is_alive(child):
        assert time.monotonic() < end
        time.sleep(0.02)
