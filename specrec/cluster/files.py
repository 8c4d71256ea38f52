"""What a file is, so that a worker can say whether it sees the same one."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

_PIECE = 1 << 20
_digests: dict[tuple[str, int, int], str] = {}


@dataclass(frozen=True)
class FileFacts:
    """One file, as the client sees it.

    Parameters
    ----------
    name
        Relative to its folder, with forward slashes; empty where it lies outside of it and cannot be sent.
    path
        Absolute.
    size, changed
        Bytes, and the time of change in nanoseconds.
    digest
        SHA-256; empty as long as nobody needs it.
    """

    name: str
    path: str
    size: int
    changed: int
    digest: str = ""

    def with_digest(self) -> "FileFacts":
        """Return the same with the digest of the file."""
        return replace(self, digest=self.digest or digest_of(Path(self.path)))


def facts_of(path: Path, root: Path | None) -> FileFacts:
    """Look at a file that belongs to a folder; it is not read."""
    path = path.absolute()
    found = path.stat()
    return FileFacts(_relative(path, root), str(path), found.st_size, found.st_mtime_ns)


def _relative(path: Path, root: Path | None) -> str:
    if root is None:
        return ""
    for one, above in ((path, root.absolute()), (path.resolve(), root.resolve())):
        if one.is_relative_to(above) and ".." not in one.parts:
            return one.relative_to(above).as_posix()
    return ""


def digest_of(path: Path) -> str:
    """Hash a file; one that has not changed since is not read again."""
    found = path.stat()
    key = (str(path), found.st_size, found.st_mtime_ns)
    if key not in _digests:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        _digests[key] = digest.hexdigest()
    return _digests[key]


def is_here(facts: FileFacts) -> bool:
    """Say whether this machine sees the file under its path.

    One of the same size and time of change is the same file, as on shared storage; one of the same size alone is where
    its digest is.
    """
    path = Path(facts.path)
    try:
        found = path.stat()
        if found.st_size != facts.size:
            return False
        if found.st_mtime_ns == facts.changed:
            with path.open("rb"):  # it may be there and not be for us
                return True
        return bool(facts.digest) and digest_of(path) == facts.digest
    except OSError:
        return False
