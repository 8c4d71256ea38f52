"""MATLAB files of version 5: where the arrays of real numbers lie, and their values.

scipy reads these files too, but ends the process with a segmentation fault where one byte of a file is damaged; so
the small part that cubes need is read here, with every length checked before it is believed. An array that is not
compressed is read in place, window by window; a compressed one is unpacked whole.

A file is a header of 128 bytes and then elements: a type, a number of bytes, the bytes. An element is a matrix (flags,
dimensions, name, values, each an element again), or one such packed by zlib. Values may be stored in a smaller type
than MATLAB shows them in.

References
----------
The MathWorks, MAT-File Format, chapter "Version 5 MAT-File Format".
"""

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.memory import available_memory
from specrec.untrusted import check_unpacked

_TYPES = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_NUMBERS = range(6, 16)  # the classes double, single, int8 .. uint64; others are cells, structures, text
_COMPLEX = 0x0800
_HEADER = 128
_START = 8192  # bytes of a matrix that hold all but its values
_MOST_PACKED = 1040  # zlib packs to a thousandth at best
_PIECE = 1 << 20


@dataclass(frozen=True)
class Variable:
    """An array of real numbers in a file.

    Parameters
    ----------
    name
        As in MATLAB.
    shape
        In MATLAB's order; values lie in Fortran order.
    dtype
        Of the stored values, with the byte order of the file.
    start
        Where they begin: a byte of the file, or of the unpacked element.
    packed
        Where the packed element lies in the file, its length, and its length unpacked; None: it is not packed.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int
    packed: tuple[int, int, int] | None = None


def variables(path: Path) -> dict[str, Variable]:
    """List the arrays of real numbers in a file, without reading their values.

    Raises
    ------
    DataError
        If the file is damaged.
    """
    try:
        with path.open("rb") as file:
            return {variable.name: variable for variable in _scan(file)}
    except (struct.error, zlib.error, _DamageError) as error:
        raise _damage(path, error) from None


def read(path: Path, variable: Variable) -> NDArray[Any]:
    """Give the values of an array, in MATLAB's order of axes; one that is not packed is mapped, not read.

    Raises
    ------
    DataError
        If the file is damaged, a bomb, or memory does not hold the unpacked array.
    """
    if variable.packed is None:
        return np.memmap(path, variable.dtype, "r", variable.start, variable.shape, order="F")
    at, length, unpacked = variable.packed
    check_unpacked(path, f"the array {variable.name!r}", unpacked, length)
    if unpacked > (free := available_memory()):
        raise DataError(
            f"{path}: the array {variable.name!r} needs {unpacked / 1e9:.1f} GB to unpack and {free / 1e9:.1f} GB are"
            " free; save it as v7.3 in MATLAB (save(..., '-v7.3')), which is read piece by piece"
        )
    content = np.empty(unpacked, dtype=np.uint8)
    try:
        with path.open("rb") as file:
            file.seek(at)
            _unpack(file, length, content.data)
    except (zlib.error, _DamageError) as error:
        raise _damage(path, error) from None
    end = variable.start + math.prod(variable.shape) * variable.dtype.itemsize
    return content[variable.start : end].view(variable.dtype).reshape(variable.shape, order="F")


class _DamageError(Exception):
    """What is wrong with a file."""


def _damage(path: Path, reason: Exception) -> DataError:
    return DataError(f"{path}: the MATLAB v5 file is damaged ({reason}); copy or download it again")


def _scan(file: BinaryIO) -> Iterator[Variable]:
    size = file.seek(0, 2)
    file.seek(0)
    order = "<" if file.read(_HEADER)[126:] == b"IM" else ">"
    at = _HEADER
    while at + 8 <= size:
        file.seek(at)
        kind, length = struct.unpack(order + "II", file.read(8))
        if kind not in (_MATRIX, _COMPRESSED):
            raise _DamageError(f"at byte {at} there is an element of type {kind}")
        if at + 8 + length > size:
            raise _DamageError("it is truncated")
        content = file.read(min(length, _START))
        if kind == _COMPRESSED:
            content = zlib.decompressobj().decompress(content, _START)
            inner, unpacked = struct.unpack(order + "II", content[:8])
            if inner != _MATRIX or unpacked + 8 > length * _MOST_PACKED:
                raise _DamageError(f"the packed element at byte {at} is no whole array")
            packed: tuple[int, int, int] | None = (at + 8, length, unpacked + 8)
            found = _matrix(content[8:], unpacked, order, packed, 8)
        else:
            found = _matrix(content, length, order, None, at + 8)
        if found is not None and found.name:
            yield found
        at += 8 + length


def _matrix(
    content: bytes, length: int, order: str, packed: tuple[int, int, int] | None, offset: int
) -> Variable | None:
    """Read all of a matrix but its values; None: it holds no real numbers."""
    kind, start, stop, after = _element(content, 0, order)
    if kind != _UINT32 or stop - start != 8:
        raise _DamageError("an array has no flags")
    [flags] = struct.unpack(order + "I", content[start : start + 4])
    if flags & 0xFF not in _NUMBERS or flags & _COMPLEX:
        return None
    kind, start, stop, after = _element(content, after, order)
    if kind != _INT32 or (stop - start) % 4 or not 8 <= stop - start <= 128:
        raise _DamageError("an array has no dimensions")
    shape = struct.unpack(f"{order}{(stop - start) // 4}i", content[start:stop])
    kind, start, stop, after = _element(content, after, order)
    if kind != _INT8 or stop > len(content):
        raise _DamageError("an array has no name")
    name = content[start:stop].decode("latin-1")
    if 0 in shape:
        return None
    kind, start, stop, _ = _element(content, after, order)
    if kind not in _TYPES or min(shape) < 0:
        raise _DamageError(f"the values of {name!r} are of type {kind}")
    dtype = np.dtype(order + _TYPES[kind])
    if math.prod(shape) * dtype.itemsize != stop - start or stop > length:
        raise _DamageError(f"{name!r} of {' x '.join(map(str, shape))} has {stop - start} bytes of values")
    return Variable(name, shape, dtype, offset + start, packed)


def _element(content: bytes, at: int, order: str) -> tuple[int, int, int, int]:
    """Read a type and a number of bytes: the type, where the data begin and end, and where the next element begins."""
    [word] = struct.unpack(order + "I", content[at : at + 4])
    if word >> 16:  # up to four bytes of data lie in the tag itself
        return word & 0xFFFF, at + 4, at + 4 + min(word >> 16, 4), at + 8
    [length] = struct.unpack(order + "I", content[at + 4 : at + 8])
    return word, at + 8, at + 8 + length, at + 8 + -(-length // 8) * 8


def _unpack(file: BinaryIO, length: int, content: memoryview) -> None:
    """Fill `content` with what the next bytes of a file unpack to, and check that this is all of it."""
    stream, done = zlib.decompressobj(), 0
    while not stream.eof:
        piece = stream.unconsumed_tail or file.read(min(_PIECE, length))
        length -= 0 if stream.unconsumed_tail else len(piece)
        values = stream.decompress(piece, max(1, min(_PIECE, len(content) - done)))
        if done + len(values) > len(content) or not (piece or values):
            raise _DamageError("an array is not whole")
        content[done : done + len(values)] = values
        done += len(values)
    if done != len(content):
        raise _DamageError("an array is not whole")
