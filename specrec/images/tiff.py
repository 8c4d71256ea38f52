"""TIFF: grey, RGB and inks of 8 bits or more and floating point with tifffile, the rest with Pillow.

Source: TIFF, revision 6.0, Adobe 1992.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from specrec.errors import DataError, SpecrecError
from specrec.images.pillow import open_picture
from specrec.images.raw import open_raw
from specrec.images.stored import DROPPED_ALPHA, Stored, check_size, cut_array, damaged, is_transparent
from specrec.images.tiff_tags import check_tags

_WHITE_IS_ZERO, _GREY, _RGB, _PALETTE, _INKS, _LUMA = 0, 1, 2, 3, 5, 6  # photometric interpretations
_COLOURS = {_WHITE_IS_ZERO: 1, _GREY: 1, _RGB: 3, _PALETTE: 1, _INKS: 4, _LUMA: 3}
_UNSIGNED, _FLOATING = 1, 3  # sample formats
_JPEG = (6, 7)  # compressions
_SENSOR = {32803, 34892}  # photometric interpretations of DNG
_DNG_VERSION, _ORIENTATION, _PROFILE = 50706, 274, 34675
_PREMULTIPLIED = 1  # of extra samples
_PAGES = 64  # that are looked at
_NAMES = {2: "signed integers", 5: "complex integers", 6: "complex numbers"}

# tifffile logs what it finds odd in a file; without this, it would print it where nobody set logging up
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def open_tiff(path: Path, max_pixels: int) -> Stored:
    """Decode the first page of a TIFF of any depth."""
    import tifffile

    try:
        check_tags(path)
        with tifffile.TiffFile(path) as file:
            page = file.pages.first
            if _DNG_VERSION in page.tags or page.photometric in _SENSOR:
                return open_raw(path, max_pixels)
            remarks = _look_at(path, page, _pages_like(file, page))
            if _is_for_pillow(page):
                stored = open_picture(path, "TIFF", max_pixels)
                return Stored(
                    stored.shape, stored.cut, 255.0, stored.orientation, stored.profile,
                    remarks=(*remarks, *stored.remarks),
                )  # fmt: skip
            return _decode(path, page, remarks, max_pixels)
    except SpecrecError:
        raise
    except Exception as error:  # damaged tags may raise anything
        raise damaged(path, error) from None


def _is_for_pillow(page: Any) -> bool:
    odd = page.photometric in (_PALETTE, _LUMA) or page.compression in _JPEG
    bits = int(page.bitspersample)
    return page.sampleformat == _UNSIGNED and (bits < 8 or (bits == 8 and odd))


def _look_at(path: Path, page: Any, pages: int) -> list[str]:
    """Refuse what is no photo, and say what is left out of it."""
    single = (page.imagelength, page.imagewidth, page.samplesperpixel, page.bitspersample, page.photometric)
    if not all(isinstance(number, int) for number in single):  # a list, which a large number would multiply
        raise DataError(f"{path} is damaged: a tag that holds one number holds several")
    samples, photometric = page.samplesperpixel, page.photometric
    if photometric not in _COLOURS:
        raise DataError(f"{path} has colours of a kind that is not read ({_name(photometric)}); save it as sRGB first")
    colours = _COLOURS[photometric]
    bands = pages if samples == 1 and pages > 4 else samples
    if bands > colours + 1 and bands != 3:
        raise DataError(
            f"{path} holds {bands} bands, a cube and no photo; see `specrec convert` and `specrec view` for cubes"
        )
    if page.imagedepth != 1:
        raise DataError(f"{path} is a volume of {page.imagedepth} layers, not a photo")
    form, bits = page.sampleformat, page.bitspersample
    if form not in (_UNSIGNED, _FLOATING) or (form == _UNSIGNED and bits > 16):
        kind = _NAMES.get(form, f"{bits}-bit integers")
        raise DataError(f"{path} holds {kind}, which have no agreed white; save it with 8 or 16 bits or floating point")
    if samples < colours:
        raise DataError(f"{path} is damaged: it has {samples} samples per pixel where its colours need {colours}")
    if bits > 8 and photometric in (_PALETTE, _LUMA):
        raise DataError(f"{path} has {_name(photometric)} colours of {bits} bits, which are not read; save it as RGB")
    remarks = [f"the first of its {pages} pages was read"] if pages > 1 else []
    if samples == 3 and colours == 1:
        remarks.append("its three bands, marked as grey, were taken as red, green and blue")
    elif samples > colours and page.extrasamples[:1] not in ((1,), (2,)):
        remarks.append("a band that is no colour was dropped")
    return remarks


def _pages_like(file: Any, first: Any) -> int:
    """Count the pages of the size of the first one; smaller ones are previews of it."""
    more = 0
    for page in file.pages[1:_PAGES]:
        more += page.shape == first.shape and not page.is_reduced
    return 1 + more


def _decode(path: Path, page: Any, remarks: list[str], max_pixels: int) -> Stored:
    height, width, samples = page.imagelength, page.imagewidth, page.samplesperpixel
    check_size(path, (height, width), samples * np.dtype(page.dtype).itemsize, max_pixels)
    _check_whole(path, page)
    values = page.asarray(maxworkers=1)
    if page.planarconfig == 2 and samples > 1:
        values = np.moveaxis(values.reshape(samples, height, width), 0, -1)
    values = values.reshape(height, width, samples)
    floating = page.sampleformat == _FLOATING
    full_scale = 1.0 if floating else float(2**page.bitspersample - 1)
    colours = 3 if samples == 3 else _COLOURS[page.photometric]
    cut = cut_array(
        values[..., :colours], values.dtype.type(full_scale) if page.photometric == _WHITE_IS_ZERO else None
    )
    if page.extrasamples[:1] in ((1,), (2,)) and is_transparent(values[..., colours], full_scale):
        multiplied = page.extrasamples[0] == _PREMULTIPLIED
        remarks.append(DROPPED_ALPHA + ("; its colours had been multiplied by it" if multiplied else ""))
    tags = page.tags
    orientation = int(tags[_ORIENTATION].value) if _ORIENTATION in tags else 1
    profile = tags[_PROFILE].value if _PROFILE in tags else None
    return Stored(
        (height, width), cut, full_scale, orientation, bytes(profile) if profile else None,
        floating=floating, remarks=tuple(remarks),
    )  # fmt: skip


def _check_whole(path: Path, page: Any) -> None:
    """Refuse a file that ends early: tifffile would fill up what is missing."""
    size = path.stat().st_size
    expected = int(np.prod(page.chunked))
    ends = [offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
    if len(ends) < expected or 0 in page.databytecounts or 0 in page.dataoffsets or max(ends, default=0) > size:
        raise DataError(f"{path} is damaged and cannot be decoded: the file ends before its pixels do")


def _name(photometric: Any) -> str:
    return str(getattr(photometric, "name", photometric))
