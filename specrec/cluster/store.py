"""Files on a worker: those that were sent to it, in its cache folder by their digest, and those it gives back.

`put` and `read` are called by the client, piece by piece; a file that was not sent whole is never under its name.
"""

import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from specrec.cache import SENT, cache_folder, cannot_write, check_room
from specrec.cluster.files import FileFacts
from specrec.cluster.job import RefusalError
from specrec.errors import ChangedDataError, SpecrecError

FORGOTTEN = 86400.0
"""Seconds after which the half of a file that was being sent is removed."""
_hashing: dict[str, Any] = {}


def stored(facts: FileFacts) -> Path | None:
    """Return the file that was sent with this digest; None where there is none."""
    path = cache_folder() / SENT / facts.digest
    try:
        return path if facts.digest and path.stat().st_size == facts.size else None
    except OSError:
        return None


def absent(wanted: list[FileFacts]) -> list[str]:
    """List the digests of files that were not sent yet."""
    return [facts.digest for facts in wanted if stored(facts) is None]


def put(digest: str, size: int, token: str, offset: int, piece: bytes) -> None:
    """Take one piece of a file; with the last one the file is there.

    Raises
    ------
    RefusalError
        If the cache folder cannot be written to or has no room.
    ChangedDataError
        If the file is not the one of that digest.
    """
    folder = cache_folder() / SENT
    part = folder / f".part-{digest[:16]}-{token}"
    try:
        if offset == 0:
            folder.mkdir(parents=True, exist_ok=True)
            _forget(folder)
            try:
                check_room(folder, size, "the scenes that are sent", "name another cache folder (SPECREC_CACHE) there")
            except SpecrecError as error:
                raise RefusalError(str(error)) from None
            part.write_bytes(b"")
            _hashing[part.name] = hashlib.sha256()
        hashing = _hashing[part.name]
        with part.open("ab") as file:
            if file.tell() != offset:
                raise SpecrecError(f"a piece of {part} is missing")
            file.write(piece)
            if offset + len(piece) < size:
                hashing.update(piece)
                return
            file.flush()
            os.fsync(file.fileno())
    except KeyError:
        raise SpecrecError(f"{part} was not begun here") from None
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise RefusalError(str(cannot_write(part, error))) from None
    hashing.update(piece)
    del _hashing[part.name]
    if hashing.hexdigest() != digest:
        part.unlink(missing_ok=True)
        raise ChangedDataError("a file has changed while it was sent; start again")
    part.replace(folder / digest)


def _forget(folder: Path) -> None:
    for old in folder.glob(".part-*"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > FORGOTTEN:
                old.unlink()


def arrange(folder: Path, files: list[FileFacts]) -> None:
    """Lay out files under their names in a folder: those that were sent, and links to those that are seen."""
    for facts in files:
        path = folder / facts.name
        path.parent.mkdir(parents=True, exist_ok=True)
        found = stored(facts)
        if found is None:
            path.symlink_to(facts.path)
            continue
        try:
            os.link(found, path)
        except OSError:  # on another disk
            path.symlink_to(found)


def read(path: str, offset: int, length: int) -> bytes:
    """Give a piece of a file back."""
    with Path(path).open("rb") as file:
        file.seek(offset)
        return file.read(length)


def remove(folder: str) -> None:
    """Remove a folder whose files were fetched."""
    shutil.rmtree(folder, ignore_errors=True)
