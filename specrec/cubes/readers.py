"""Which reader a file belongs to: decided by what is in it, since formats share suffixes.

A reader is one line of `READERS`: the name of the form, the module that reads it, and whether it knows a file by a
first look. The first that knows it reads it, by ``stored(look, wavelengths)`` of its module, which gives a
`StoredCube`; `wavelengths` are the user's, for a file that names none. A file that nobody knows goes to the module of
its suffix, which says what is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.cubes.look import Look
from specrec.cubes.stored import StoredCube
from specrec.errors import DataError, UsageError


@dataclass(frozen=True)
class Reader:
    """One line of the table: the form, its module, and whether a file is of that form."""

    form: str
    module: str
    knows: Callable[[Look], bool]


def _is_tiff(look: Look) -> bool:
    return look.start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _is_netcdf(look: Look) -> bool:
    return not look.attributes.isdisjoint({"_NCProperties", "Conventions"})


def _is_envi(look: Look) -> bool:
    from specrec.cubes import envi

    return envi.is_envi(look)


READERS: list[Reader] = [
    Reader("npy", "specrec.cubes.npy", lambda look: look.start.startswith(b"\x93NUMPY")),
    Reader("tiff", "specrec.cubes.tiff", _is_tiff),
    Reader("netcdf", "specrec.cubes.netcdf", _is_netcdf),
    Reader("mat", "specrec.cubes.mat", lambda look: "rad" in look.keys),
    Reader("hdf5", "specrec.cubes.hdf5", lambda look: "cube" in look.keys and "format_version" in look.attributes),
    Reader(
        "matlab",
        "specrec.cubes.foreign",
        lambda look: look.is_matlab_5 or bool(look.path.suffix.lower() == ".mat" and look.keys),
    ),
    Reader("envi", "specrec.cubes.envi", _is_envi),  # last: data without a mark of their own, by the header beside
]
_OF_MATLAB = ("mat", "matlab")


def find(
    path: Path,
    by_suffix: str | None,
    wavelengths: NDArray[np.float64] | None = None,
    *,
    key: str | None = None,
    layout: str | None = None,
) -> StoredCube:
    """Open a cube file with the reader it belongs to.

    Parameters
    ----------
    path
        The file.
    by_suffix
        The form that its suffix stands for, for a file that no reader knows.
    wavelengths
        nm, for a file that names none.
    key, layout
        The array of a MATLAB file, or its layout, as `specrec.cubes.foreign` takes them; None: told by content.

    Raises
    ------
    UsageError
        Where there is no such file, or `key` or `layout` is given for one that is not MATLAB's.
    DataError
        If it cannot be read, or is nothing that specrec knows.
    """
    try:
        if not path.is_file():
            found = "is a folder" if path.is_dir() else "is no plain file" if path.exists() else ""
            raise UsageError(f"{path} {found}; name a cube file" if found else f"there is no cube file {path}")
        with path.open("rb") as file:
            look = Look(path, file.read(512))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    if key is not None or layout is not None:
        _check_matlab(look)
        foreign: Any = import_module("specrec.cubes.foreign")
        named: StoredCube = foreign.stored(look, wavelengths, key=key, layout=layout)
        return named
    for reader in READERS:
        if reader.knows(look):
            return _stored(reader.module, look, wavelengths)
    if by_suffix is None:
        held = f"it holds {', '.join(sorted(look.keys)[:8])}" if look.keys else "neither by content nor by suffix"
        raise DataError(f"{path} is no cube file that specrec knows ({held})")
    return _stored(f"specrec.cubes.{by_suffix}", look, wavelengths)


def _check_matlab(look: Look) -> None:
    """Refuse the name of an array or a layout for a file that has a form of its own."""
    known = None if look.is_matlab else next((reader for reader in READERS if reader.knows(look)), None)
    if known is not None and known.form not in _OF_MATLAB:
        raise UsageError(
            f"{look.path} is {known.form} and no MATLAB file, for which alone --key and --layout are; leave them out"
        )


def _stored(module: str, look: Look, wavelengths: NDArray[np.float64] | None) -> StoredCube:
    reading: Any = import_module(module)
    stored: StoredCube = reading.stored(look, wavelengths)
    return stored
