"""How much a packed file may unpack to: a small file that becomes a huge array is a bomb more often than a cube.

What is packed to less than a hundredth of its size, and would be larger than ``SPECREC_MAX_BYTES`` bytes (2 GiB unless
set) unpacked, is refused before it is unpacked. Measured cubes pack to a half or a tenth.
"""

import os
from pathlib import Path

from specrec.errors import DataError, MemoryShortageError, UsageError
from specrec.memory import available_memory

VARIABLE = "SPECREC_MAX_BYTES"
MAX_BYTES = 2 << 30
"""Bytes that anything may unpack to, however small its file is, unless the environment says another number."""
_PACKED_WELL = 100  # times; up to this the file itself has shown that there is much in it


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
