"""What lies inside an HDF5 file, and nothing that it leads to elsewhere.

HDF5 lets a file name others: by links, by arrays whose numbers are kept in any file of the system (external storage),
and by arrays put together from other files (virtual ones). A cube that somebody sent must not be made of the files of
whoever reads it, so none of these is followed.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from specrec.errors import DataError, plain_line
from specrec.parameters import Value
from specrec.untrusted import check_memory, check_unpacked

_MOST_PACKED = 2000  # deflate packs to a thousandth at best: a cube that claims more than this is not there


def holds(file: h5py.File, key: str) -> bool:
    """Tell whether there is something of a name at the top of a file, without looking where it leads."""
    return bool(file.id.links.exists(os.fsencode(key)))


def item(file: h5py.File, key: str, path: Path) -> Any:
    """Open what a key at the top of a file names: a dataset, a group or a type.

    Raises
    ------
    DataError
        If there is nothing of that name, or a link to something else.
    """
    if not holds(file, key):
        there = plain_line(", ".join(sorted(file)[:8])) or "nothing"
        raise DataError(f"{path} has no key {key!r}; it holds {there}")
    if file.id.links.get_info(os.fsencode(key)).type != h5py.h5l.TYPE_HARD:
        raise DataError(
            f"{path}: the key {key!r} is a link to elsewhere, and links are not followed; copy what it names"
        )
    return file[key]


def arrays(file: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    """Yield the names and arrays at the top of a file; what is a link to elsewhere is passed by."""
    for key in file:
        if file.id.links.get_info(os.fsencode(key)).type == h5py.h5l.TYPE_HARD:
            found = file[key]
            if isinstance(found, h5py.Dataset):
                yield str(key), found


def numbers(file: h5py.File, key: str, axes: int, path: Path) -> h5py.Dataset:
    """Find an array of real numbers in a file.

    Raises
    ------
    DataError
        If the key is missing, is no array, has another number of axes, is kept elsewhere, is not whole, or is a bomb;
        the message names file and key.
    """
    dataset = item(file, key, path)
    if not isinstance(dataset, h5py.Dataset) or dataset.shape is None or dataset.dtype.kind not in "fiub":
        raise DataError(f"{path}: the key {key!r} holds no array of numbers")
    if len(dataset.shape) != axes or 0 in dataset.shape:
        raise DataError(f"{path}: the key {key!r} has shape {dataset.shape}, where {axes} axes were expected")
    _check_held(dataset, f"the key {key!r}", path)
    return dataset


def _check_held(dataset: h5py.Dataset, what: str, path: Path) -> None:
    """Raise DataError where an array is kept elsewhere, or claims more than its file holds or memory takes."""
    if dataset.external or dataset.is_virtual:
        raise DataError(f"{path}: {what} is kept in other files, which are not read; copy it into one file")
    claimed, held = dataset.nbytes, dataset.id.get_storage_size()
    packed = dataset.chunks is not None and dataset.id.get_create_plist().get_nfilters() > 0
    if claimed > held * (_MOST_PACKED if packed else 1) or held > path.stat().st_size:
        raise DataError(f"{path}: {what} of shape {dataset.shape} is not whole; copy or download it again")
    if packed:
        check_unpacked(path, what, claimed, held)
        # HDF5 unpacks a chunk whole, from one piece of memory into another
        check_memory(
            path, f"one chunk of {what}", 2 * dataset.dtype.itemsize * int(np.prod(dataset.chunks, dtype=object))
        )


def plain_value(value: Any) -> Value:
    """Return an attribute as a plain Python value; what is none of these becomes text."""
    if isinstance(value, np.ndarray) and value.size == 1:  # as NetCDF keeps single numbers
        value = value.reshape(-1)[0]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return value if isinstance(value, bool | int | float | str) else str(value)
