"""A hidden folder beside cubes where processes of other machines write theirs until these are put in place here.

Whoever sees it sees the output folder. It goes with the block; where the process was killed, a later one removes it.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from specrec.cache import check_writable

PREFIX = ".specrec-run-"
OWNER = "owner"
"""A file in it that the process which has made it keeps locked."""
OLD = 3600.0
"""Seconds after which such a folder without an owner was left by a process that was killed."""


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Make such a folder in `folder`, which is made where it is not there.

    Raises
    ------
    SpecrecError
        If the folder cannot be written to.
    """
    check_writable(folder)
    _remove_left(folder)
    place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder.absolute()))
    try:
        with (place / OWNER).open("xb") as owner:
            _lock(owner)
            yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _remove_left(folder: Path) -> None:
    for left in folder.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if not (left / OWNER).exists():
                abandoned = time.time() - left.stat().st_mtime > OLD
            else:
                with (left / OWNER).open("r+b") as owner:
                    abandoned = _lock(owner)
            if abandoned:
                shutil.rmtree(left, ignore_errors=True)


def _lock(owner: IO[bytes]) -> bool:
    """Lock a file until it is closed or this process is gone; False: another process has it, or there are no locks."""
    try:
        import fcntl
    except ImportError:  # of Windows; what is left then stays
        return False
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
