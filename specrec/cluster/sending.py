"""Files between the client and a worker that does not see them, in pieces through the scheduler."""

import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from specrec.cache import cannot_write, written_together
from specrec.cluster import store
from specrec.cluster.files import FileFacts
from specrec.cluster.given import LostError
from specrec.cluster.job import RefusalError
from specrec.errors import ChangedDataError, in_a_line

PIECE = 4 << 20
"""Bytes sent at a time."""


class Sender:
    """Sends files to workers and fetches files from them.

    Parameters
    ----------
    client
        `distributed.Client`.
    note
        Called with sentences for the user.
    """

    def __init__(self, client: Any, note: Callable[[str], None]) -> None:
        self._client = client
        self._note = note
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def send(self, worker: str, files: Sequence[FileFacts]) -> None:
        """Send what a worker lacks; the files have digests.

        Raises
        ------
        RefusalError
            If the worker cannot keep them.
        ChangedDataError
            If one has changed meanwhile, or cannot be read any more.
        LostError
            If the worker is gone.
        """
        with self._locks[worker]:
            lacking = set(self._on(worker, store.absent, list(files)))
            by_digest = {facts.digest: facts for facts in files if facts.digest in lacking}
            if not by_digest:
                return
            megabytes = sum(facts.size for facts in by_digest.values()) / 1e6
            count = len(by_digest)
            self._note(f"worker {worker} does not see the data: sending {count} files ({megabytes:.1f} MB) to it")
            for facts in by_digest.values():
                self._send(worker, facts)

    def _send(self, worker: str, facts: FileFacts) -> None:
        token, offset = secrets.token_hex(4), 0
        changed = f"{facts.path} has changed while it was sent to worker {worker}; put back what was there, or start"
        try:
            with Path(facts.path).open("rb") as file:
                while True:
                    piece = file.read(PIECE)
                    if offset + len(piece) > facts.size or (not piece and offset < facts.size):
                        raise ChangedDataError(f"{changed} again")
                    self._on(worker, store.put, facts.digest, facts.size, token, offset, piece)
                    offset += len(piece)
                    if offset == facts.size:
                        return
        except ChangedDataError:
            raise ChangedDataError(f"{changed} again") from None
        except RefusalError as error:
            raise RefusalError(f"it does not see {facts.path}, and cannot keep it: {error}") from None
        except LostError:
            raise
        except OSError as error:
            raise ChangedDataError(f"cannot read {facts.path} any more: {error.strerror}") from None

    def fetch(self, worker: str, folder: str, files: Sequence[tuple[str, int, Path]]) -> None:
        """Fetch files of a worker and put them in place together, each whole, or none of them.

        Parameters
        ----------
        worker, folder
            Where they are.
        files
            Of each its name in the folder, its size, and where it goes; the last is the one by which the others are
            read.

        Raises
        ------
        LostError
            If the worker does not give them.
        SpecrecError
            If they cannot be written here, as `specrec.cache.cannot_write`; what was there stays.
        """
        targets = [target for _, _, target in files]
        try:
            with written_together(*targets) as temporaries:
                for (name, size, target), temporary in zip(files, temporaries, strict=True):
                    try:
                        self._fetch(worker, f"{folder}/{name}", size, temporary)
                    except LostError:
                        raise
                    except OSError as error:
                        raise cannot_write(target, error) from None
        except LostError:
            raise
        except OSError as error:  # where nothing can be removed any more, say
            raise cannot_write(targets[-1], error) from None

    def _fetch(self, worker: str, path: str, size: int, temporary: Path) -> None:
        offset = 0
        with temporary.open("wb") as file:
            while offset < size:
                piece = self._on(worker, store.read, path, offset, PIECE)
                if not piece:
                    raise LostError(f"{path} of worker {worker} ended early")
                file.write(piece)
                offset += len(piece)

    def remove(self, worker: str, folder: str) -> None:
        """Remove a folder of a worker."""
        self._on(worker, store.remove, folder)

    def _on(self, worker: str, function: Callable[..., Any], *args: Any) -> Any:
        try:
            return self._client.run(function, *args, workers=[worker])[worker]
        except (OSError, KeyError) as error:  # it did not answer
            raise LostError(f"worker {worker}: {in_a_line(error)}") from None
