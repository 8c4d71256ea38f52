"""The files a scene is read from, as they are now: name, size, time of change, and the hash of their bytes."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from specrec.errors import DataError
from specrec.interfaces import SceneSource

Stamp = tuple[str, int, int]
"""Name of a file, its size in bytes, and when it was changed, in nanoseconds; -1 and -1 where it is not there."""


@dataclass(frozen=True)
class SceneFile:
    """What a survey found of one file; plain JSON values.

    Parameters
    ----------
    name
        Relative to the folder of the data set, with ``/`` between the parts; whole where it lies elsewhere.
    size
        Bytes.
    mtime_ns
        When it was changed, in nanoseconds.
    sha256
        Of its bytes.
    """

    name: str
    size: int
    mtime_ns: int
    sha256: str

    @property
    def stamp(self) -> Stamp:
        """What can be compared without reading the file."""
        return self.name, self.size, self.mtime_ns


def stamps_of(root: Path | None, names: Iterable[str]) -> list[Stamp]:
    """Look at files, without reading them."""
    found = []
    for name in names:
        try:
            status = (root or Path()).joinpath(name).stat()
            found.append((name, status.st_size, status.st_mtime_ns))
        except OSError:
            found.append((name, -1, -1))
    return found


def read_files(source: SceneSource, stamps: Iterable[Stamp]) -> tuple[SceneFile, ...]:
    """Hash the bytes of files.

    Raises
    ------
    DataError
        If one is not there.
    """
    found = []
    for name, size, mtime_ns in stamps:
        path = (source.path or Path()) / name
        try:
            with path.open("rb") as file:
                found.append(SceneFile(name, size, mtime_ns, hashlib.file_digest(file, "sha256").hexdigest()))
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}") from None
    return tuple(found)


def file_names(source: SceneSource, scene: str) -> list[str]:
    """Name the files of a scene as `SceneFile.name` does."""
    names = []
    for path in source.files(scene):
        inside = source.path is not None and path.is_relative_to(source.path)
        names.append(path.relative_to(source.path).as_posix() if inside and source.path else str(path.absolute()))
    return names
