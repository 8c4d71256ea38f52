"""The one folder where specrec keeps what it can make again, and how a file gets there whole or not at all."""

import errno
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from specrec.errors import CannotGoOnError, SpecrecError, UsageError

COLOUR, CROPS, SENT, SURVEYS, SYNTHETIC, TRIALS = "colour", "crops", "sent", "surveys", "synthetic", "trials"
PARTS = (COLOUR, CROPS, SENT, SURVEYS, SYNTHETIC, TRIALS)
"""The folders inside the cache folder: tables of colour-science, prepared training scenes, scene files that were
sent to a worker of a cluster, surveys of data sets, synthetic scenes, and whether plugins live through their import."""

DISK_IS_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
"""What the system says, without naming a file, where no more can be written."""

_LOCKED = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))

_LONGEST_STEM, _LONGEST_SUFFIX = 32, 16  # characters of a temporary name; 255 bytes is what file systems hold


def cache_folder() -> Path:
    """Return the cache folder: ``SPECREC_CACHE``, or the user's cache folder of the platform."""
    chosen = os.environ.get("SPECREC_CACHE")
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("specrec", appauthor=False)


def check_writable(folder: Path) -> None:
    """Make the folder and try it, before hours are spent on what shall go there.

    Raises
    ------
    SpecrecError
        If it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))  # an empty file fits on a full disk
    except OSError as error:
        raise cannot_write(folder, error, into=True) from error


@contextmanager
def written_whole(path: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary path beside `path`, and put it in place when the block ends without an error.

    Parameters and errors are those of `written_together`.
    """
    with written_together(path, overwrite=overwrite) as (temporary,):
        yield temporary


@contextmanager
def written_together(*paths: Path, overwrite: bool = True) -> Iterator[tuple[Path, ...]]:
    """Give temporary paths beside files that belong together, and put them in place when the block ends well.

    All are on the disk before the first is put in place. The last path is the one by which the others are read: its
    old file is taken away first and its new one comes last, so that it never describes files that are not its own.

    Parameters
    ----------
    paths
        Where the files shall be.
    overwrite
        Whether files may be replaced, also such as appear while the block runs.

    Raises
    ------
    SpecrecError
        If the folder cannot be written to, or the disk is full; nothing is left behind. An error of the block that is
        about another file goes through as it is.
    UsageError
        If a file is there that must not be replaced; it stays as it is.
    """
    temporaries: list[Path] = []
    try:
        for path in paths:
            temporaries.append(_temporary(path))
            _unfinished.add(temporaries[-1])
        try:
            yield tuple(temporaries)
        except OSError as error:
            ours = {temporary.name for temporary in temporaries}
            if error.errno in DISK_IS_FULL if error.filename is None else Path(str(error.filename)).name in ours:
                raise cannot_write(paths[-1], error) from error
            raise
        try:
            for temporary in temporaries:
                with temporary.open("r+b") as written:
                    os.fsync(written.fileno())
            if overwrite:
                _replace(temporaries, paths)
            else:
                _place(temporaries, paths)
            for folder in {path.parent for path in paths}:
                sync_folder(folder)
        except OSError as error:
            raise cannot_write(paths[-1], error) from error
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)
            _unfinished.discard(temporary)


def put_in_place(made: Sequence[Path], paths: Sequence[Path], *, overwrite: bool) -> None:
    """Move files that are whole, and on the same disk, to where they shall be: all of them or none.

    Errors are those of `written_together`, and so is the part of the last path.
    """
    try:
        if overwrite:
            _replace(made, paths)
        else:
            _place(made, paths)
            for file in made:
                file.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(paths[-1], error) from None


def drop_unfinished() -> None:
    """Remove what is being written just now: for a process that will end at once, whatever its threads are doing."""
    for temporary in list(_unfinished):
        with suppress(OSError):
            temporary.unlink()


_unfinished: set[Path] = set()


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can: a file put in place lives through a power cut."""
    with suppress(OSError):  # Windows opens no folder, and some file systems do not know the call
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def cannot_write(path: Path, error: OSError, *, into: bool = False) -> SpecrecError:
    """Say in one line that a file cannot be written, or nothing `into` a folder, why, and the way out.

    A full disk, a quota and a lack of permission are what nothing else that writes there gets past:
    `specrec.errors.CannotGoOnError`.
    """
    folder = (path if into else path.parent).absolute()
    reason = os.strerror(error.errno) if error.errno else str(error).partition("\n")[0]
    room = f"make room in {folder}, or " if error.errno in DISK_IS_FULL else ""
    ours = folder.is_relative_to(cache_folder().absolute())
    way_out = "set SPECREC_CACHE to another folder" if ours else "choose another folder"
    words = f"cannot write {'into ' * into}{path}: {reason}; {room}{way_out}"
    return CannotGoOnError(words, str(path)) if error.errno in DISK_IS_FULL | _LOCKED else SpecrecError(words)


def disk_is_full(what: str, error: OSError) -> CannotGoOnError:
    """Say in one line that something met a full disk, wherever that is: the system may not have named the file."""
    place = f" ({error.filename})" if error.filename else ""
    words = f"{what}: {error.strerror}{place}; make room there, and start again"
    return CannotGoOnError(words, str(error.filename or ""))


def _temporary(path: Path) -> Path:
    name = f".{path.stem[:_LONGEST_STEM]}-{secrets.token_hex(4)}{path.suffix[:_LONGEST_SUFFIX]}"
    temporary = path.with_name(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.open("xb").close()
    except OSError as error:
        raise cannot_write(path.parent, error, into=True) from error
    return temporary


def _replace(temporaries: Sequence[Path], paths: Sequence[Path]) -> None:
    if len(paths) > 1:
        paths[-1].unlink(missing_ok=True)
    for temporary, path in zip(temporaries, paths, strict=True):
        temporary.replace(path)


def _place(temporaries: Sequence[Path], paths: Sequence[Path]) -> None:
    """Put all files where none is, or none of them."""
    placed: list[Path] = []
    try:
        for temporary, path in zip(temporaries, paths, strict=True):
            _place_one(temporary, path)
            placed.append(path)
    except BaseException:
        for path in placed:
            path.unlink(missing_ok=True)
        raise


def _place_one(temporary: Path, path: Path) -> None:
    try:
        try:
            os.link(temporary, path)  # unlike a renaming, this replaces nothing
        except FileExistsError:
            raise
        except OSError:  # the file system has no links, but no file is opened as new by two
            path.open("xb").close()
            temporary.replace(path)
    except FileExistsError:
        raise UsageError(f"{path} exists by now; choose another name or pass --overwrite") from None


def check_room(folder: Path, needed: int, what: str, way_out: str = "choose another folder") -> int:
    """Refuse to begin what the disk cannot hold.

    Parameters
    ----------
    folder
        Where it shall go; it, or a folder above it, exists.
    needed
        Bytes.
    what
        For the message, such as ``"the crops of 100 scenes"``.
    way_out
        For the message, beside making room.

    Returns
    -------
    Bytes that are free.

    Raises
    ------
    CannotGoOnError
        If there is less room; the message says how much is needed and how much is free.
    """
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        short = f"{what} need {_size(needed)} and {folder} has {_size(free)} free"
        raise CannotGoOnError(f"{short}; make room, or {way_out}", str(folder))
    return free


def _size(count: int) -> str:
    for least, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= least:
            return f"{count / least:.1f} {unit}"
    return f"{count} bytes"
