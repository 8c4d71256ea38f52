"""The lock of what a command writes for hours: one bench at a time in a results folder, one training of one file.

It is the system's lock on a file (`filelock`), which the death of its owner lets go, kill -9 too. Beside it, in a file
that ends in .json, stands whose it is. Processes that a bench or a training starts do not hold it.
"""

import errno
import json
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from specrec.cache import cannot_write, written_whole
from specrec.errors import SpecrecError, plain_line
from specrec.untrusted import read_json

PATIENCE = 1.0
"""Seconds to wait for a lock: what an owner that was killed had just forked lets go of it within moments."""
_READ_ONLY = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))
_NO_LOCKS = frozenset((errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP))


class NoLocksError(SpecrecError):
    """The file system has no locks."""


class OutputLock:
    """Keeps every other process out of an output, from `take` until the block of ``with`` ends.

    Parameters
    ----------
    path
        Of the lock's file.
    output
        Folder or file, as the user knows it.
    work
        Of the owner, in a word.
    stays
        Whether the lock's file stays, and says nothing; it does anyway where its owner is killed.
    """

    def __init__(self, path: Path, output: Path, work: str, *, stays: bool) -> None:
        self._path, self._output, self._work, self._stays = path, output, work, stays
        self._lock = FileLock(str(path), thread_local=False)

    @property
    def owner_path(self) -> Path:
        """The file that says who holds the lock."""
        return self._path.with_name(f"{self._path.name}.json")

    def take(self) -> None:
        """Lock it, in a folder which is made where it is not there; nothing happens where this one has it already.

        Raises
        ------
        SpecrecError
            If another process has it, with its number, host and start; if the folder is read-only.
        NoLocksError
            If the file system has none.
        """
        if self._lock.is_locked:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=PATIENCE)
        except Timeout:
            raise SpecrecError(self._in_use()) from None
        except OSError as error:
            raise self._explained(error) from None
        owner = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now().astimezone().isoformat(" ", "seconds"),
        }
        try:
            with written_whole(self.owner_path) as temporary:
                temporary.write_text(json.dumps(owner), "utf-8")
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> "OutputLock":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._lock.is_locked:
            with suppress(OSError):  # where it stays it is of nobody, as after a kill
                self.owner_path.unlink(missing_ok=True)
                if not self._stays:  # before it is let go: who waits for this very file looks whether it is still there
                    self._path.unlink(missing_ok=True)
            self._lock.release()

    def _in_use(self) -> str:
        who = f"another {self._work}"
        with suppress(OSError, ValueError, KeyError, TypeError):  # it has just begun, or somebody has put a file there
            owner = read_json(self.owner_path)
            host, since = (plain_line(str(owner[key]), 80) for key in ("host", "since"))
            who = f"the {self._work} of process {int(owner['pid'])} on {host}, since {since}"
        return f"{self._output} is in use by {who}; wait until it ends, or choose another --output"

    def _explained(self, error: OSError) -> SpecrecError:
        if error.errno in _READ_ONLY:
            reason = f"it is read-only for you ({os.strerror(error.errno or 0)})"
            return SpecrecError(f"cannot write into {self._path.parent}: {reason}; choose another --output")
        if error.errno in _NO_LOCKS:
            reason = f"its file system has no locks ({os.strerror(error.errno or 0)})"
            return NoLocksError(f"{self._output} cannot be locked: {reason}; choose an --output on another one")
        if error.filename is not None and Path(str(error.filename)) != self._path:
            return SpecrecError(f"cannot write into {self._path.parent}: {error.strerror}; choose another folder")
        return cannot_write(self._path, error)


def lock_of_results(folder: Path) -> OutputLock:
    """Make the lock of a results folder."""
    return OutputLock(folder / "bench.lock", folder, "bench", stays=True)


@contextmanager
def locked_weights(targets: Iterable[Path]) -> Iterator[None]:
    """Keep every other training from weights files, and from the states of trainings beside them.

    Their folder is the user's own, so nothing of the locks stays; and where the file system has none it goes without,
    for two trainings of one file are a mistake that costs time and no weights.
    """
    with ExitStack() as stack:
        for target in targets:
            lock = OutputLock(target.with_suffix(".training.lock"), target, "training", stays=False)
            with suppress(NoLocksError):
                stack.enter_context(lock).take()
        yield
