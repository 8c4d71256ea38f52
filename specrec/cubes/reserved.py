"""Room on the disk for an HDF5 file, taken before the library writes into it.

HDF5 does not survive a disk that fills up: it leaves files that it cannot close, and ends the process at exit. So the
file begins as an empty one that is as long as it may become; the library cuts it to what it used when it closes it.
"""

import io
import math
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from specrec.cache import DISK_IS_FULL
from specrec.cubes.stored import Outline

_METADATA = 1 << 20  # bytes for the attributes and the rest
_OF_A_CHUNK = 256  # bytes for its place in the index


def begin(
    path: Path,
    outline: Outline,
    create: Callable[[io.BytesIO], AbstractContextManager[Any]],
    chunks: tuple[int, int, int],
) -> None:
    """Make an empty HDF5 file, to be opened with ``"r+"``, with room for a cube and its mask.

    Parameters
    ----------
    path
        A file that may be written over.
    outline
        What shall be stored.
    create
        Opens a new HDF5 file in memory.
    chunks
        (height, width, bands).

    Raises
    ------
    OSError
        If the disk, a quota or a limit of the system leaves no room. Where the system cannot promise room, none is
        taken.
    """
    empty = io.BytesIO()
    with create(empty):
        pass
    count = math.prod(-(-length // side) for side, length in zip(chunks, outline.shape, strict=True))
    pixel_bytes = outline.coding.itemsize * chunks[2] + 1  # and the mask
    needed = count * (chunks[0] * chunks[1] * pixel_bytes + _OF_A_CHUNK) + _METADATA
    with path.open("wb") as file:
        file.write(empty.getvalue())
        file.flush()
        if not hasattr(os, "posix_fallocate"):  # Windows, macOS
            return
        try:
            os.posix_fallocate(file.fileno(), 0, needed)
        except OSError as error:
            if error.errno in DISK_IS_FULL:
                raise
