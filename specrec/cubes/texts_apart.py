"""Texts of variable length in an HDF5 file, read in a process of their own.

They lie in a heap that the HDF5 library follows without a check: one damaged byte there makes it end the process that
reads them, or never come back. Specrec's own files have none; those of xarray and other writers of NetCDF do.
"""

import json
import subprocess
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import h5py

from specrec.cubes.inside import arrays, plain_value
from specrec.errors import DataError
from specrec.processes import ending

TIME_LIMIT = 20.0
"""Seconds that reading the texts of one file may take."""
_MEMORY = 1 << 30  # bytes beside what the process begins with
_LONGEST = 1 << 20  # letters of all texts
_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    "from specrec.cubes.texts_apart import tell; tell(sys.argv[2])"
)

Texts = dict[str, dict[str, str]]


def texts_of(path: Path) -> Texts:
    """Read the attributes of variable length of a file and of what is at its top.

    Returns
    -------
    By the name of their holder in HDF5 (``/`` for the file), then by their own; what is no text is written as one.

    Raises
    ------
    DataError
        If they are damaged, or too long.
    """
    there = path.stat()
    return _texts_of(str(path.absolute()), there.st_size, there.st_mtime_ns)


@lru_cache(maxsize=64)
def _texts_of(path: str, _size: int, _changed: int) -> Texts:
    command = [sys.executable, "-c", _CODE, json.dumps(sys.path), path]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=TIME_LIMIT, check=False)
        why = "" if done.returncode == 0 else ending(done.returncode)
        found: Texts = json.loads(done.stdout) if not why else {}
    except (subprocess.TimeoutExpired, OSError, ValueError) as error:
        why = "no end" if isinstance(error, subprocess.TimeoutExpired) else type(error).__name__
    if why:
        raise DataError(f"{path}: its texts are damaged or too long ({why}); copy or download the file again")
    return found


def tell(path: str) -> None:
    """Print the texts of a file as JSON, in a process made for that."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        held = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + _MEMORY, held + _MEMORY))
    found: Texts = {}
    left = _LONGEST
    with h5py.File(path, "r") as file:
        for holder in (file, *(dataset for _, dataset in arrays(file))):
            for key in holder.attrs:
                kind = holder.attrs.get_id(key).dtype
                if not kind.hasobject or kind.names is not None or h5py.check_ref_dtype(kind):
                    continue
                if h5py.check_vlen_dtype(kind) is not None and h5py.check_ref_dtype(h5py.check_vlen_dtype(kind)):
                    continue  # the lists of dimensions in NetCDF
                text = str(plain_value(holder.attrs[key]))
                left -= len(text)
                if left < 0:
                    sys.exit("too long")
                found.setdefault(str(holder.name), {})[str(key)] = text
    json.dump(found, sys.stdout)
