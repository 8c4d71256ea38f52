"""What a file from elsewhere may cost: no pipe is waited for, and little does not become much.

What is packed to less than a hundredth of its size, and would be larger than ``SPECREC_MAX_BYTES`` bytes (2 GiB unless
set) unpacked, is refused before it is unpacked: a small file that becomes a huge array is rather a bomb than a cube.
Measured cubes pack to a half or a tenth.
"""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

from specrec.errors import DataError, MemoryShortageError, UsageError
from specrec.memory import available_memory

VARIABLE = "SPECREC_MAX_BYTES"
MAX_BYTES = 2 << 30
"""Bytes that anything may unpack to, however small its file is, unless the environment says another number."""
_LONGEST_JSON = 1 << 28  # bytes
_PACKED_WELL = 100  # times; up to this the file itself has shown that there is much in it


def check_regular(path: Path) -> None:
    """Refuse a pipe, a device or a folder in the place of a file: reading it may never end.

    Raises
    ------
    OSError
        As opening the file would: where there is none, or it is no plain file.
    """
    try:
        is_plain = stat.S_ISREG(path.stat().st_mode)
    except ValueError:  # a zero byte in the name
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
    if not is_plain:
        raise OSError(errno.EINVAL, "it is no plain file", str(path))


def is_there(path: Path) -> bool:
    """Tell whether there is a file of a name, whatever the name is: too long a one, too."""
    try:
        return path.exists()
    except OSError:
        return False


def read_json(path: Path) -> Any:
    """Read a JSON file; errors are those of `read_plain` and `parse_json`."""
    return parse_json(read_plain(path))


def read_plain(path: Path) -> bytes:
    """Read a file that is to be parsed.

    Raises
    ------
    OSError
        If it cannot be read, or is no plain file.
    ValueError
        If it is too long.
    """
    check_regular(path)
    if path.stat().st_size > _LONGEST_JSON:
        raise ValueError("it is too long")
    return path.read_bytes()


def parse_json(content: bytes) -> Any:
    """Parse JSON in UTF-8.

    Raises
    ------
    ValueError
        If it is none, or too deep.
    """
    try:
        return json.loads(content.decode("utf-8"))
    except RecursionError:
        raise ValueError("it is too deep") from None


def max_bytes() -> int:
    """Return the limit: ``SPECREC_MAX_BYTES``, or `MAX_BYTES`.

    Raises
    ------
    UsageError
        If the variable holds something else than a whole number of bytes.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return MAX_BYTES
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise UsageError(f"{VARIABLE} is a number of bytes such as {MAX_BYTES}, not {text[:40]!r}")
    return int(text)


def check_unpacked(path: Path, what: str, unpacked: int, packed: int) -> None:
    """Refuse what would unpack to far more than it takes in its file, before it is unpacked.

    Parameters
    ----------
    path, what
        For the message: the file, and what of it, such as ``"the key 'cube'"``.
    unpacked, packed
        Bytes, as the file says them.

    Raises
    ------
    DataError
        Which says the limit, and how it is raised.
    """
    if unpacked > _PACKED_WELL * packed and unpacked > (most := max_bytes()):
        raise DataError(
            f"{path}: {what} takes {packed:,} bytes in the file and would be {unpacked:,} unpacked, more than is"
            f" unpacked of so little ({most:,}); if it is no trap, set {VARIABLE}={unpacked}"
        )


def check_memory(path: Path, what: str, needed: int) -> None:
    """Refuse to take memory that is not there.

    Raises
    ------
    MemoryShortageError
        Which says how much is needed and how much there is.
    """
    if needed > (free := available_memory()):
        raise MemoryShortageError(
            f"{path}: {what} needs {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are available; end other"
            " programs, or read a smaller part of it"
        )
