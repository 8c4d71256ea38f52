"""A small HDF5 file that a cell keeps: made in memory, written whole or not at all, and read whoever has made it.

HDF5 does not survive a disk that fills up under it: it leaves files that it cannot close, and may end the process.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from specrec.cache import written_whole
from specrec.errors import DataError, SpecrecError, in_a_line
from specrec.untrusted import check_regular

if TYPE_CHECKING:
    import h5py

_LONGEST = 1 << 16  # bytes of an attribute, which HDF5 keeps where specrec has it keep them


@contextmanager
def small_hdf5(path: Path) -> Iterator["h5py.File"]:
    """Give an empty HDF5 file in memory, and write it to `path` when the block ends without an error.

    Raises
    ------
    SpecrecError
        If it cannot be written; what was there before stays.
    """
    import h5py

    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        yield file
    with written_whole(path) as temporary:
        temporary.write_bytes(memory.getbuffer())


def texts(**texts: str) -> dict[str, Any]:
    """Return attributes for texts, which may have bytes of an older encoding in them, as `kept_hdf5` gives them back.

    They are of fixed length, since the HDF5 library follows those of variable length without a check.
    """
    return {key: np.array(text.encode("utf-8", "surrogateescape") or b"\0") for key, text in texts.items()}


@contextmanager
def kept_hdf5(path: Path) -> Iterator[tuple["h5py.File", dict[str, Any]]]:
    """Open a small file for reading, with its attributes; whatever damage raises in the block becomes a sentence.

    Texts of variable length, which specrec wrote until 0.5, are read in a process of their own.

    Raises
    ------
    DataError
        If it is not there, is no plain file, or is damaged.
    """
    import h5py

    try:
        check_regular(path)
        with h5py.File(path, "r") as file:
            yield file, _attributes(file, path)
    except SpecrecError:
        raise
    except Exception as error:  # HDF5 answers damage with whatever its layers raise
        raise DataError(f"{path} cannot be read: {in_a_line(error)}") from None


def _attributes(file: "h5py.File", path: Path) -> dict[str, Any]:
    from specrec.cubes.texts_apart import texts_of

    found: dict[str, Any] = {}
    for key in file.attrs:
        held = file.attrs.get_id(key)
        if held.get_storage_size() > _LONGEST:
            raise DataError(f"{path} cannot be read: its attribute {key!r} is too long")
        value = texts_of(path)["/"][key] if held.dtype.hasobject else file.attrs[key]
        found[key] = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
    return found
