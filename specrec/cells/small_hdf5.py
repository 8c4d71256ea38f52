"""A small HDF5 file: made in memory, then written whole or not at all.

HDF5 does not survive a disk that fills up under it: it leaves files that it cannot close, and may end the process.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from specrec.cache import written_whole

if TYPE_CHECKING:
    import h5py


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
