"""The one folder where specrec keeps what it can make again, and how a file gets there whole or not at all.

Arrays are kept as .npy files; one that is not exactly as expected counts as missing and is made again.
"""

import io
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from specrec.errors import SpecrecError

CROPS, SURVEYS, SYNTHETIC = "crops", "surveys", "synthetic"
PARTS = (CROPS, SURVEYS, SYNTHETIC)
"""The folders inside the cache folder: prepared training scenes, surveys of data sets, synthetic scenes."""


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
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SpecrecError(f"cannot write into {folder}: {error.strerror}; choose another folder") from None


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, and put it in place when the block ends without an error.

    Raises
    ------
    SpecrecError
        If the folder cannot be written to; nothing is left behind.
    """
    with written_together(path) as (temporary,):
        yield temporary


@contextmanager
def written_together(*paths: Path) -> Iterator[tuple[Path, ...]]:
    """Give temporary paths beside files that belong together, and put them in place when the block ends well.

    All are on the disk before the first is put in place. The last path is the one by which the others are read: its
    old file is taken away first and its new one comes last, so that it never describes files that are not its own.

    Raises
    ------
    SpecrecError
        If the folder cannot be written to; nothing is left behind.
    """
    temporaries: list[Path] = []
    try:
        for path in paths:
            temporaries.append(_temporary(path))
        yield tuple(temporaries)
        for temporary in temporaries:
            with temporary.open("r+b") as written:
                os.fsync(written.fileno())
            temporary.chmod(0o666 & ~_umask())
        if len(paths) > 1:
            paths[-1].unlink(missing_ok=True)
        for temporary, path in zip(temporaries, paths, strict=True):
            temporary.replace(path)
    except OSError as error:
        raise SpecrecError(f"cannot write {paths[-1]}: {error.strerror or error}") from None
    finally:
        for temporary in temporaries:
            temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise SpecrecError(f"cannot write into {path.parent}: {error.strerror}; choose another folder") from None
    os.close(handle)
    return Path(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


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
    SpecrecError
        If there is less room; the message says how much is needed and how much is free.
    """
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        unit, name = (1e9, "GB") if needed >= 1e8 else (1e6, "MB")
        raise SpecrecError(
            f"{what} need {needed / unit:.1f} {name} and {folder} has {free / unit:.1f} {name} free;"
            f" make room, or {way_out}"
        )
    return free


def _header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    buffer = io.BytesIO()
    fields = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(buffer, fields)
    return buffer.getvalue()


def stored_array(
    path: Path, shape: tuple[int, ...], dtype: DTypeLike, mode: Literal["r", "c"] = "r"
) -> NDArray[Any] | None:
    """Map a stored array into memory without reading it, or return None if it has to be made.

    The header and the length of the file are compared with what `write_array` gives, so that a truncated or
    foreign file is never read, let alone unpickled. What is written to an array of mode ``"c"`` stays in memory.
    """
    kind = np.dtype(dtype)
    header = _header(shape, kind)
    try:
        with path.open("rb") as file:
            same = file.read(len(header)) == header
            length = file.seek(0, io.SEEK_END)
        if not same or length != len(header) + math.prod(shape) * kind.itemsize:
            return None
        return np.memmap(path, dtype=kind, mode=mode, offset=len(header), shape=shape)
    except OSError:
        return None


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write a C-ordered array as .npy, whole or not at all.

    Raises
    ------
    SpecrecError
        If the folder cannot be written to.
    """
    with written_whole(path) as temporary, temporary.open("wb") as file:
        file.write(_header(array.shape, array.dtype))
        file.write(np.ascontiguousarray(array).data)
