"""Multi-band TIFF: one plane per band, in strips, uncompressed; BigTIFF where it grows beyond 4 GB.

``PlanarConfiguration`` is 2: the planes follow each other, each in rows from the top, little-endian, so that a window
can be written into its place, and so that tifffile and GDAL, hence QGIS, open the file. ``SampleFormat`` says float32,
float16 or uint16. A mask is a second page, the kind that GDAL takes for the mask of the first.

``ImageDescription`` is JSON: ``wavelengths`` in nm, the attributes of `specrec.cubes.hdf5`, and for uint16
``scale_factor`` and ``add_offset``: value = stored * scale_factor + add_offset. ``GDAL_METADATA`` (tag 42112) names
each band by its wavelength, and says the same scale and offset in GDAL's way.

Read are such files, and multi-band TIFF of other makers if it is uncompressed in one piece and the caller knows the
wavelengths; planes or pixels may follow each other, and each plane may be a grey page of its own.
"""

import json
import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from specrec.cache import written_whole
from specrec.cubes.coding import decode, decode_own
from specrec.cubes.look import Look
from specrec.cubes.raw import Layout
from specrec.cubes.stored import QUANTITIES, Outline, PutStored, StoredCube
from specrec.errors import DataError, SpecrecError, plain_line
from specrec.images.tiff_tags import check_tags
from specrec.parameters import Value
from specrec.scenes import Mask, Window
from specrec.spectra import check_wavelengths

dtypes: Mapping[str, str] = {"float32": "", "float16": "", "uint16": ""}

_GDAL_METADATA = 42112
_MASK_OF_ANOTHER_PAGE = 4  # NewSubfileType
_STRIP = 1 << 18  # bytes
_CLASSIC = (1 << 32) - (1 << 26)  # bytes that a classic TIFF holds, with room for its tags

# tifffile logs what it finds odd in a file; without this, it would print it where nobody set logging up
logging.getLogger("tifffile").addHandler(logging.NullHandler())


@contextmanager
def writer(path: Path, outline: Outline, *, overwrite: bool) -> Iterator[PutStored]:
    """Write a cube window by window; quick where windows are as wide as the cube."""
    import tifffile

    height, width, bands = outline.shape
    description = _description(outline)
    dtype = np.dtype(outline.coding.dtype).newbyteorder("<")
    with written_whole(path, overwrite=overwrite) as temporary:
        big = stored_bytes(outline.shape, dtype.itemsize) > _CLASSIC
        with tifffile.TiffWriter(temporary, bigtiff=big, byteorder="<", shaped=False) as file:
            placed = file.write(
                shape=(bands, height, width) if bands > 1 else (height, width),
                dtype=dtype,
                photometric="minisblack",
                planarconfig="separate" if bands > 1 else None,
                rowsperstrip=min(height, max(1, _STRIP // (width * dtype.itemsize))),
                description=description,
                metadata=None,
                software="specrec",
                extratags=[(_GDAL_METADATA, "s", 0, _gdal_metadata(outline), True)],
                returnoffset=True,
            )
            if outline.mask is not None:
                file.write(outline.mask, photometric="mask", subfiletype=_MASK_OF_ANOTHER_PAGE, metadata=None)
        start, _length = cast(tuple[int, int], placed)  # what is not compressed always has a place
        layout = Layout(outline.shape, dtype, "bsq", start)
        with temporary.open("r+b") as raw:

            def put(window: Window, values: NDArray[np.generic]) -> None:
                layout.write(raw, window, values)

            yield put
        if (said := _description(outline)) != description:  # some attributes are known only now
            with tifffile.TiffFile(temporary, mode="r+") as written:
                written.pages.first.tags["ImageDescription"].overwrite(said)


def stored_bytes(shape: tuple[int, int, int], itemsize: int) -> int:
    """Count the bytes of the planes and their mask; the tags are small."""
    return itemsize * math.prod(shape) + shape[0] * shape[1] // 8


def stored(look: Look, wavelengths: NDArray[np.float64] | None) -> StoredCube:
    """Open a file whose windows are read when asked for."""
    path = look.path
    with _opened(path) as file:
        planes = _planes(file, path)
        said = _said(file.pages[0].description, path)
        masked = len(file.pages) > 1 and file.pages[1].subfiletype == _MASK_OF_ANOTHER_PAGE
    for plane in planes:
        plane.check_file(path)
    height, width, bands = planes[0].shape
    bands *= len(planes)
    named, is_scaled = said.pop("wavelengths", None), "scale_factor" in said
    if named is None and wavelengths is None:
        raise DataError(
            f"{path} says no wavelengths, and what {bands} bands are cannot be guessed; give them (--wavelengths)"
        )
    try:
        grid = check_wavelengths(named if wavelengths is None or named is not None else wavelengths, str(path))
        scale, offset = (float(said.pop(key, neutral)) for key, neutral in (("scale_factor", 1.0), ("add_offset", 0.0)))
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{path}: wavelengths, scale_factor and add_offset must be numbers") from None
    if grid.size != bands:
        raise DataError(f"{path}: the cube has {bands} bands and there are {grid.size} wavelengths")
    if said.get("quantity", QUANTITIES[0]) not in QUANTITIES:
        raise DataError(f"{path}: the quantity is {said['quantity']!r}, not {' or '.join(QUANTITIES)}")
    attributes: dict[str, Value] = {
        key: value if isinstance(value, bool | int | float | str) else str(value) for key, value in said.items()
    }

    decoding = decode_own if is_scaled else decode

    def fetch(rows: slice, columns: slice) -> NDArray[np.generic]:
        bands_read = [plane.read(path, rows, columns) for plane in planes]
        stored = bands_read[0] if len(planes) == 1 else np.concatenate(bands_read, axis=2)
        return decoding(stored, scale, offset)

    shape = height, width, bands
    fetch_mask = partial(_mask, path, shape) if masked else lambda: None
    return StoredCube(path, "tiff", shape, grid, attributes, fetch, fetch_mask)


def _description(outline: Outline) -> str:
    said: dict[str, Any] = {**outline.attributes, "wavelengths": outline.wavelengths.tolist()}
    if outline.coding.is_scaled:
        said |= {"scale_factor": outline.coding.scale, "add_offset": outline.coding.offset}
    return json.dumps(said)


def _gdal_metadata(outline: Outline) -> str:
    items = []
    for band, nm in enumerate(outline.wavelengths.tolist()):
        named = [("DESCRIPTION", "description", f"{nm:.10g} nm")]
        if outline.coding.is_scaled:
            named += [
                ("OFFSET", "offset", repr(outline.coding.offset)),
                ("SCALE", "scale", repr(outline.coding.scale)),
            ]
        items += [
            f'  <Item name="{name}" sample="{band}" role={quoteattr(role)}>{text}</Item>' for name, role, text in named
        ]
    return "\n".join(["<GDALMetadata>", *items, "</GDALMetadata>", ""])


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file; whatever the library raises on a damaged one becomes a sentence."""
    import tifffile

    try:
        check_tags(path)
        with tifffile.TiffFile(path) as file:
            yield file
    except SpecrecError:
        raise
    except Exception as error:
        reason = plain_line(str(error), 200)
        raise DataError(f"{path} is not a whole TIFF file ({reason}); copy or download it again") from None


def _planes(file: Any, path: Path) -> list[Layout]:
    """Find the one page of all bands, or the grey pages of one band each that are like the first."""
    first = _layout(file.pages[0], path)
    if first.shape[2] > 1:
        return [first]
    pages = [_layout(page, path) for page in file.pages[1:] if page.shape == first.shape[:2] and not _is_aside(page)]
    return [first, *(page for page in pages if page.shape == first.shape and page.dtype == first.dtype)]


def _is_aside(page: Any) -> bool:
    """Tell whether a page is a preview or a mask of another."""
    return bool(page.is_reduced or page.subfiletype & _MASK_OF_ANOTHER_PAGE)


def _layout(page: Any, path: Path) -> Layout:
    height, width, bands = int(page.imagelength), int(page.imagewidth), int(page.samplesperpixel)
    if min(height, width, bands) < 1 or page.imagedepth != 1:
        raise DataError(f"{path}: a cube of {height} x {width} pixels and {bands} bands cannot be")
    if page.dtype is None or page.dtype.kind not in "fiu" or page.bitspersample != page.dtype.itemsize * 8:
        raise DataError(f"{path}: its numbers of {page.bitspersample} bits cannot be read; write float32")
    if page.compression != 1 or page.predictor != 1 or page.fillorder != 1 or not page.is_contiguous or page.is_tiled:
        raise DataError(
            f"{path} is compressed or in pieces; save it without compression, in strips"
            " (gdal_translate -co COMPRESS=NONE -co TILED=NO)"
        )
    interleave = "bsq" if page.planarconfig == 2 else "bip"
    dtype = np.dtype(page.dtype).newbyteorder(page.parent.byteorder)
    return Layout((height, width, bands), dtype, interleave, int(page.dataoffsets[0]))


def _said(description: str, path: Path) -> dict[str, Any]:
    """Read a description of ours; another maker's says nothing."""
    if not description.startswith("{"):
        return {}
    try:
        said = json.loads(description)
    except (ValueError, RecursionError):
        raise DataError(f"{path}: its ImageDescription is damaged JSON; copy or download it again") from None
    return {str(key): value for key, value in said.items()}


def _mask(path: Path, shape: tuple[int, int, int]) -> Mask:
    with _opened(path) as file:
        page = file.pages[1]
        bits = sum(page.databytecounts)
        if page.shape != shape[:2] or page.compression != 1 or bits < shape[0] * shape[1] // 8:
            raise DataError(f"{path}: the mask has shape {page.shape} and the cube {shape}")
        return np.asarray(page.asarray()).astype(np.bool_)
