"""A first look at a file, by which its reader is found."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Look:
    """A first look at a file.

    Parameters
    ----------
    path
        The file.
    start
        Its first 512 bytes.
    """

    path: Path
    start: bytes

    @cached_property
    def names(self) -> tuple[frozenset[str], frozenset[str]]:
        """Keys and attributes at the top of an HDF5 file (.h5, .nc, .mat v7.3); nothing for other files."""
        import h5py

        try:
            with h5py.File(self.path, "r") as file:
                return frozenset(map(str, file)), frozenset(map(str, file.attrs))
        except Exception:  # damage or another format; its reader will say it
            return frozenset(), frozenset()

    @property
    def keys(self) -> frozenset[str]:
        """Keys at the top of an HDF5 file."""
        return self.names[0]

    @property
    def is_matlab_5(self) -> bool:
        """Whether this is a MATLAB file of version 5: the version and byte order are at its byte 124."""
        return self.start[124:128] in (b"\x00\x01IM", b"\x01\x00MI")

    @property
    def is_matlab(self) -> bool:
        """Whether this is a MATLAB file by its own words, of version 5 or 7.3."""
        return self.is_matlab_5 or self.start.startswith(b"MATLAB 7.3")

    @property
    def attributes(self) -> frozenset[str]:
        """Names of the attributes of an HDF5 file."""
        return self.names[1]
