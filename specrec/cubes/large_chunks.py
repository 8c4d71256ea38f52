"""Windows of an HDF5 array that is packed in large chunks.

HDF5 unpacks a chunk whole for every window that touches it, so that a file of one chunk would be unpacked as often as
it has windows. What was unpacked last is kept instead, one piece in a process.
"""

import math
import threading
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

LARGE = 1 << 25
"""Bytes of a chunk, unpacked; smaller ones are unpacked again each time, which costs little."""
_MOST_CHUNKS = 2  # that are kept; a window over more of them has its own work to do anyway


class _Kept:
    """The last piece, and what it is of."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.key: tuple[Any, ...] | None = None
        self.values: NDArray[Any] | None = None


_kept = _Kept()


def read_part(dataset: h5py.Dataset, part: tuple[slice, ...], path: Path) -> NDArray[Any]:
    """Read a part of an array.

    Parameters
    ----------
    dataset
        An open one that has been checked (`specrec.cubes.inside.numbers`).
    part
        Slices from the first axis on, whose bounds lie inside and whose step is 1 or more.
    path
        Its file.
    """
    chunks = dataset.chunks
    is_packed = chunks is not None and dataset.id.get_create_plist().get_nfilters() > 0
    size = math.prod(chunks or ()) * dataset.dtype.itemsize
    if not is_packed or size < LARGE or chunks is None or not part:
        return np.asarray(dataset[part])
    asked = [one.indices(side) for one, side in zip(part, dataset.shape, strict=False)]
    asked += [(0, side, 1) for side in dataset.shape[len(asked) :]]
    whole = tuple(
        slice(start // chunk * chunk, min(-(-stop // chunk) * chunk, side))
        for (start, stop, _), chunk, side in zip(asked, chunks, dataset.shape, strict=True)
    )
    if math.prod(one.stop - one.start for one in whole) * dataset.dtype.itemsize > _MOST_CHUNKS * size:
        return np.asarray(dataset[part])
    there = path.stat()
    key = (str(path.absolute()), there.st_size, there.st_mtime_ns, str(dataset.name), str(whole))
    with _kept.lock:
        if _kept.key != key or _kept.values is None:
            _kept.key = _kept.values = None  # before there are two of them
            _kept.values, _kept.key = dataset[whole], key
        inside = tuple(
            slice(start - one.start, stop - one.start, step)
            for (start, stop, step), one in zip(asked, whole, strict=True)
        )
        return _kept.values[inside].copy()
