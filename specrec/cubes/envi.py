"""ENVI: a text header ``.hdr`` and beside it a data file ``.img`` of plain numbers.

What `writer` makes: band interleaved by pixel, float32 or uint16, little-endian, no offset; in the header
``wavelength`` in nanometers, and the attributes of `specrec.cubes.hdf5` as keys of their own
(`specrec.cubes.envi_header`). uint16 has ``data gain values`` and ``data offset values``, one per band: value =
stored * gain + offset. A pixel that the mask leaves out holds the ``data ignore value``, NaN or 65535, in every band,
and comes back as 0.

What is read: any of the three interleaves, either byte order, integers and floating-point numbers of any size; the
data file is found from the header and the header from the data file. A pixel with the ignored value, or NaN, in every
band that is read counts as left out. Gains and offsets are applied; else the values are divided by the ``reflectance
scale factor`` where there is one. Bands that the bad-bands list ``bbl`` marks with 0 are not read. A header that says
no quantity leaves it open.

References
----------
ENVI Header Files, https://www.nv5geospatialsoftware.com/docs/ENVIHeaderFiles.html
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specrec.cache import written_together
from specrec.cubes.coding import NO_VALUE, decode
from specrec.cubes.envi_header import Header, read_header, write_header
from specrec.cubes.ignored import clear_missing, is_ignored, say_some
from specrec.cubes.look import Look
from specrec.cubes.raw import Layout
from specrec.cubes.stored import Outline, PutStored, StoredCube
from specrec.errors import DataError, UsageError
from specrec.scenes import Mask, Window
from specrec.untrusted import check_regular

dtypes: Mapping[str, str] = {
    "float32": "",
    "float16": "ENVI knows no half precision; write float32 or uint16",
    "uint16": "",
}

_DATA_SUFFIXES = ("", ".img", ".dat", ".raw", ".bin", ".bip", ".bil", ".bsq", ".hyspex")
_BLOCK = 1 << 26  # bytes read at once while the mask is looked for


@contextmanager
def writer(path: Path, outline: Outline, *, overwrite: bool) -> Iterator[PutStored]:
    """Write a cube window by window; header and data are put in place together."""
    header, data = paths(path)
    coding, mask = outline.coding, outline.mask
    dtype = np.dtype(coding.dtype).newbyteorder("<")
    layout = Layout(outline.shape, dtype, "bip")
    ignored = None if mask is None else NO_VALUE if coding.is_scaled else float("nan")
    with written_together(data, header, overwrite=overwrite) as (temporary, temporary_header):
        with temporary.open("wb") as file:

            def put(window: Window, values: NDArray[np.generic]) -> None:
                if mask is not None:
                    missing = np.asarray(ignored).astype(dtype)
                    values = np.where(mask[window.slices][..., np.newaxis], values, missing)
                layout.write(file, window, values)

            yield put
        write_header(temporary_header, outline, ignored)  # some attributes are known only now


def stored_bytes(shape: tuple[int, int, int], itemsize: int) -> int:
    """Count the bytes of the data file; the header is small."""
    return itemsize * math.prod(shape)


def paths(path: Path) -> tuple[Path, Path]:
    """Return the header and the data file of a cube written to `path`, which is either of them.

    Raises
    ------
    UsageError
        For a suffix under which no reader would look for the data.
    """
    if path.suffix.lower() == ".hdr":
        return path, path.with_suffix(".img")
    if path.suffix.lower() not in _DATA_SUFFIXES:
        names = ", ".join(_DATA_SUFFIXES[1:])
        raise UsageError(
            f"{path} has the suffix {path.suffix!r}; ENVI ends in .hdr, and its data in {names} or nothing"
        )
    return path.with_suffix(".hdr"), path


def is_envi(look: Look) -> bool:
    """Tell whether this is an ENVI header, or a file with one beside it and a suffix of ENVI's data or none."""
    if look.start.startswith(b"ENVI"):
        return True
    return look.path.suffix.lower() in _DATA_SUFFIXES and _header_of(look.path) is not None


def stored(look: Look, wavelengths: NDArray[np.float64] | None) -> StoredCube:
    """Open a header, or a data file with its header, whose windows are read when asked for."""
    is_header = look.start.startswith(b"ENVI")
    found = look.path if is_header else _header_of(look.path)
    if found is None:
        beside = look.path.with_suffix(".hdr").name
        raise DataError(f"{look.path}: this is no ENVI header, and there is no header {beside} beside it")
    header = read_header(found, wavelengths)
    data = _data_of(found, header.layout) if is_header else look.path
    header.layout.check_file(data)
    height, width, bands = header.layout.shape
    given_up = bands - header.wavelengths.size
    noticed: list[str] = []
    bad = f"{found}: {given_up} of {bands} bands are not read, as its bad-bands list bbl says"
    return StoredCube(
        look.path,
        "envi",
        (height, width, header.wavelengths.size),
        header.wavelengths,
        header.attributes,
        partial(_fetch, header, data),
        partial(_mask, header, data, noticed),
        (*header.remarks, bad) if given_up else header.remarks,
        noticed,
    )


def _fetch(header: Header, data: Path, rows: slice, columns: slice) -> NDArray[np.generic]:
    numbers = _numbers(header, data, rows, columns)
    values = decode(numbers, header.scale, header.offset)
    return values if header.ignored is None else clear_missing(values, numbers, (header.ignored,))


def _numbers(header: Header, data: Path, rows: slice, columns: slice) -> NDArray[np.generic]:
    numbers = header.layout.read(data, rows, columns)
    return numbers if header.kept is None else numbers[..., header.kept]


def _mask(header: Header, data: Path, noticed: list[str]) -> Mask | None:
    if header.ignored is None:
        return None
    height, width, bands = header.layout.shape
    step = max(1, _BLOCK // (width * bands * header.layout.dtype.itemsize))
    valid, some = np.empty((height, width), dtype=np.bool_), 0
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        ignored = is_ignored(_numbers(header, data, rows, slice(0, width)), (header.ignored,))
        valid[rows] = ~ignored.all(axis=-1)
        some += int(np.count_nonzero(ignored.any(axis=-1) & valid[rows]))
    noticed.extend(say_some(some, (header.ignored,), str(data)))
    return None if valid.all() else valid


def data_files(header: Path) -> list[Path]:
    """List the files beside a header that may hold its data; it is not read."""
    suffixes = [*_DATA_SUFFIXES, *(suffix.upper() for suffix in _DATA_SUFFIXES[1:])]
    return [path for suffix in suffixes if (path := header.with_suffix(suffix)).is_file() and path != header]


def _data_of(header: Path, layout: Layout) -> Path:
    """Find the data file of a header: the first name that exists, rather one that is as long as it must be."""
    there = data_files(header)
    if not there:
        names = ", ".join(header.with_suffix(suffix).name for suffix in _DATA_SUFFIXES[:4])
        raise UsageError(f"{header}: there is no data file beside the header, such as {names}")
    fitting = [path for path in there if path.stat().st_size == layout.start + layout.nbytes]
    return (fitting or there)[0]


def _header_of(data: Path) -> Path | None:
    """Find the header of a data file: its name with .hdr instead of the suffix, or after it."""
    for name in (data.stem, data.name):
        for suffix in (".hdr", ".HDR"):
            header = data.parent / f"{name}{suffix}"
            try:
                check_regular(header)
                with header.open("rb") as file:
                    if file.read(4) == b"ENVI":
                        return header
            except OSError:  # there is none of this name
                continue
    return None
