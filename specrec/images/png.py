"""PNG: its header, the chunks about colour, and the decoding of 16 bits, which Pillow cuts down to 8.

Source: Portable Network Graphics, third edition, W3C 2025.
"""

import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from specrec.errors import DataError
from specrec.images.pillow import ORIENTATION, open_picture
from specrec.images.stored import DROPPED_ALPHA, Stored, check_size, cut_array, damaged, is_transparent
from specrec.untrusted import check_regular

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WANTED = {b"acTL", b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf"}
_LARGEST = 1 << 24  # bytes of a chunk that is kept, and of a profile; those of printers have two megabytes
_MOST_CHUNKS = 1 << 20
_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
_SRGB_CODES = {(1, 13), (1, 1)}  # of cICP: the primaries of BT.709 with the curve of sRGB, or of BT.709 itself
_SRGB_CHROMATICITIES = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)


class PngHeader(NamedTuple):
    """What the first 26 bytes of a PNG say."""

    width: int
    height: int
    depth: int
    """Bits per channel."""
    colour: int
    """0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA."""


def read_png_header(path: Path) -> PngHeader:
    """Read size, depth and colour type without decoding.

    Raises
    ------
    DataError
        If the file cannot be read or is no PNG.
    """
    try:
        check_regular(path)
        with path.open("rb") as file:
            start = file.read(26)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    if len(start) < 26 or not start.startswith(_SIGNATURE) or start[12:16] != b"IHDR":
        raise DataError(f"{path} is not a PNG image")
    width, height = int.from_bytes(start[16:20], "big"), int.from_bytes(start[20:24], "big")
    return PngHeader(width, height, start[24], start[25])


def open_png(path: Path, max_pixels: int) -> Stored:
    """Decode a PNG of any depth."""
    header = read_png_header(path)
    chunks = _read_chunks(path)
    if int.from_bytes(chunks.get(b"acTL", b"")[:4], "big") > 1:
        raise DataError(f"{path} is animated; save the frame you want as an image of its own")
    profile, remarks = _colours(path, chunks)
    stored = _decode_deep(path, header, max_pixels) if header.depth == 16 else open_picture(path, "PNG", max_pixels)
    orientation = _orientation(chunks) if header.depth == 16 else stored.orientation
    return Stored(
        stored.shape,
        stored.cut,
        stored.full_scale,
        orientation,
        profile,
        remarks=(*stored.remarks, *remarks),
    )


def _decode_deep(path: Path, header: PngHeader, max_pixels: int) -> Stored:
    import imagecodecs

    if header.colour not in _CHANNELS:
        raise DataError(f"{path} is damaged: a PNG of 16 bits per channel has no palette")
    # one channel more: a transparent colour is decoded into alpha; and the file as it is
    file_bytes = path.stat().st_size / max(1, header.width * header.height)
    shape = (header.height, header.width)
    check_size(path, shape, 2 * (_CHANNELS[header.colour] + 1) + file_bytes, max_pixels)
    try:
        values = imagecodecs.png_decode(path.read_bytes())
    except Exception as error:  # a decoder may raise anything on damaged bytes
        raise damaged(path, error) from None
    values = values.reshape(*shape, -1)
    if values.dtype != np.uint16:
        raise DataError(f"{path} is damaged: its header says 16 bits per channel, its pixels have {values.dtype}")
    colours = values.shape[2] - (values.shape[2] in (2, 4))
    dropped = colours < values.shape[2] and is_transparent(values[..., -1], 65535)
    return Stored(
        shape, cut_array(values[..., :colours]), full_scale=65535.0, remarks=(DROPPED_ALPHA,) if dropped else ()
    )


def _read_chunks(path: Path) -> dict[bytes, bytes]:
    """Read the chunks about colour, orientation and animation; pixels are skipped."""
    found: dict[bytes, bytes] = {}
    with path.open("rb") as file:
        file.seek(len(_SIGNATURE))
        for _ in range(_MOST_CHUNKS):
            start = file.read(8)
            if len(start) < 8 or start[4:] == b"IEND":
                break
            length, kind = int.from_bytes(start[:4], "big"), start[4:]
            if kind in _WANTED and kind not in found and length <= _LARGEST:
                body = file.read(length)
                if file.read(4) == zlib.crc32(kind + body).to_bytes(4, "big"):
                    found[kind] = body
            else:
                file.seek(length + 4, 1)
    return found


def _orientation(chunks: dict[bytes, bytes]) -> int:
    import PIL.Image

    exif = PIL.Image.Exif()
    try:
        exif.load(chunks.get(b"eXIf", b""))
        return int(exif.get(ORIENTATION, 1))
    except Exception:  # damaged metadata may raise anything
        return 1


def _colours(path: Path, chunks: dict[bytes, bytes]) -> tuple[bytes | None, list[str]]:
    """Find the profile, and say what else the file tells of its colours and is not used."""
    code = tuple(chunks.get(b"cICP", b"")[:2])
    if code in _SRGB_CODES:
        return None, []
    profile = _profile(chunks[b"iCCP"]) if b"iCCP" in chunks else None
    if profile is not None:
        return profile, []
    if code:
        raise DataError(f"{path} is not coded as sRGB (cICP {code[0]}/{code[-1]}); save it as sRGB first")
    remarks = ["its colour profile is damaged and was not applied"] if b"iCCP" in chunks else []
    if b"sRGB" in chunks:
        return None, remarks
    gamma = int.from_bytes(chunks.get(b"gAMA", b""), "big") / 100_000
    if gamma and abs(gamma * 2.2 - 1) > 0.05:
        hint = "; pass --linear for linear light" if abs(gamma - 1) < 0.05 else ""
        remarks.append(f"the gamma {gamma:g} that it notes was not applied: it was taken as sRGB{hint}")
    noted = np.frombuffer(chunks.get(b"cHRM", b"")[:32].ljust(32, b"\0"), dtype=">u4") / 100_000
    if noted.any() and np.abs(noted - _SRGB_CHROMATICITIES).max() > 0.01:
        remarks.append("the primaries that it notes were not applied: it was taken as sRGB")
    return None, remarks


def _profile(chunk: bytes) -> bytes | None:
    """Unpack an iCCP chunk: a name, a zero, a zero for the method, and the profile as zlib packs it."""
    packed = chunk.partition(b"\0")[2][1:]
    try:
        unpacking = zlib.decompressobj()
        profile = unpacking.decompress(packed, _LARGEST)
    except zlib.error:
        return None
    return profile if unpacking.eof else None
