"""Arrays in the cache, as .npy files; one that is not exactly as expected counts as missing and is made again."""

import io
import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray

from specrec.cache import written_whole
from specrec.untrusted import check_regular


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
        check_regular(path)  # opening a pipe would wait for ever
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
