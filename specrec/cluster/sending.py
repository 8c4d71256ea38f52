"""Files between the client and a worker that does not see them, in pieces through the scheduler."""

import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from specrec.cache import written_whole
from specrec.cluster import store
from specrec.cluster.files import FileFacts
from specrec.cluster.job import RefusalError
from specrec.errors import SpecrecError

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
        SpecrecError
            If one has changed meanwhile.
        OSError
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
        with Path(facts.path).open("rb") as file:
            while True:
                piece = file.read(PIECE)
                if offset + len(piece) > facts.size or (not piece and offset < facts.size):
                    raise SpecrecError(f"{facts.path} has changed while it was sent; start the bench again")
                try:
                    self._on(worker, store.put, facts.digest, facts.size, token, offset, piece)
                except RefusalError as error:
                    raise RefusalError(f"it does not see {facts.path}, and cannot keep it: {error}") from None
                offset += len(piece)
                if offset == facts.size:
                    return

    def fetch(self, worker: str, path: str, size: int, target: Path) -> None:
        """Fetch a file of a worker and put it in place, whole or not at all."""
        with written_whole(target) as temporary, temporary.open("wb") as file:
            offset = 0
            while offset < size:
                piece = self._on(worker, store.read, path, offset, PIECE)
                if not piece:
                    raise ConnectionError(f"{path} of worker {worker} ended early")
                file.write(piece)
                offset += len(piece)

    def remove(self, worker: str, folder: str) -> None:
        """Remove a folder of a worker."""
        self._on(worker, store.remove, folder)

    def _on(self, worker: str, function: Callable[..., Any], *args: Any) -> Any:
        return self._client.run(function, *args, workers=[worker])[worker]
