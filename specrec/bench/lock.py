"""The lock of a results folder: one bench at a time writes there.

It is the system's lock on the file ``bench.lock`` (`filelock`), which the death of its owner lets go, kill -9 too; the
file stays and says nothing. Beside it ``bench.lock.json`` says whose it is. Processes that a bench starts do not hold
it.
"""

import errno
import json
import os
import socket
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from specrec.cache import cannot_write, written_whole
from specrec.errors import SpecrecError, plain_line
from specrec.untrusted import read_json

PATIENCE = 1.0
"""Seconds to wait for a lock: what a bench that was killed had just forked lets go of it within moments."""
_READ_ONLY = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))
_NO_LOCKS = frozenset((errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP))


class FolderLock:
    """Keeps every other bench out of a results folder, from `take` until the block of ``with`` ends.

    Parameters
    ----------
    folder
        Of the results.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "bench.lock"
        self._lock = FileLock(str(self._path), thread_local=False)

    @property
    def owner_path(self) -> Path:
        """The file that says who holds the lock."""
        return self._folder / "bench.lock.json"

    def take(self) -> None:
        """Lock the folder, which is made where it is not there; nothing happens where this one has it already.

        Raises
        ------
        SpecrecError
            If another bench has it, with its process, host and start; if the folder is read-only or cannot be locked.
        """
        if self._lock.is_locked:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
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

    def __enter__(self) -> "FolderLock":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._lock.is_locked:
            with suppress(OSError):  # where it stays it is of nobody, as after a kill
                self.owner_path.unlink(missing_ok=True)
            self._lock.release()

    def _in_use(self) -> str:
        who = "another bench"
        with suppress(OSError, ValueError, KeyError, TypeError):  # it has just begun, or somebody has put a file there
            owner = read_json(self.owner_path)
            host, since = (plain_line(str(owner[key]), 80) for key in ("host", "since"))
            who = f"the bench of process {int(owner['pid'])} on {host}, since {since}"
        return f"{self._folder} is in use by {who}; wait until it ends, or choose another --output"

    def _explained(self, error: OSError) -> SpecrecError:
        if error.errno in _READ_ONLY:
            reason = f"it is read-only for you ({os.strerror(error.errno or 0)})"
            return SpecrecError(f"cannot write into {self._folder}: {reason}; choose another --output")
        if error.errno in _NO_LOCKS:
            reason = f"its file system has no locks ({os.strerror(error.errno or 0)})"
            return SpecrecError(f"{self._folder} cannot be locked: {reason}; choose an --output on another one")
        if error.filename is not None and Path(str(error.filename)) != self._path:
            return SpecrecError(f"cannot write into {self._folder}: {error.strerror}; choose another folder")
        return cannot_write(self._path, error)
