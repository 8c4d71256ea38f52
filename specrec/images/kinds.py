"""What kind of image a file is, told by its first bytes: names lie."""

from pathlib import Path

from specrec.errors import DataError
from specrec.untrusted import check_regular

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")
"""What is read without an extra, as Pillow names it."""

RAW = "camera raw"
RAW_SUFFIXES = frozenset(
    {
        ".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos", ".mrw",
        ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f",
    }
)  # fmt: skip
_OF_SUFFIX = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".tif": "TIFF", ".tiff": "TIFF",
    ".webp": "WEBP", ".bmp": "BMP", ".gif": "GIF",
}  # fmt: skip
SUFFIXES = frozenset(_OF_SUFFIX) | RAW_SUFFIXES
"""Lower-case suffixes of the files that are photos when a folder is searched."""

UNREAD = {".heic": "HEIC", ".heif": "HEIC", ".hif": "HEIC", ".avif": "AVIF", ".jxl": "JPEG XL"}
"""Lower-case suffixes of pictures as phones and cameras make them that are not read, and their names."""

_STARTS = {
    b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"BM": "BMP", b"GIF87a": "GIF", b"GIF89a": "GIF",
    b"FUJIFILMCCD-RAW": RAW, b"FOVb": RAW, b"IIU\0": RAW, b"IIRO": RAW, b"IIRS": RAW, b"MMOR": RAW, b"\0MRM": RAW,
    b"II*\0": "TIFF", b"MM\0*": "TIFF", b"II+\0": "TIFF", b"MM\0+": "TIFF",
}  # fmt: skip


def kind_of(path: Path) -> str:
    """Name what a file is: one of `FORMATS`, or `RAW`.

    Raises
    ------
    DataError
        If the file cannot be read, is empty, or is none of these.
    """
    try:
        check_regular(path)
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    if not start:
        raise DataError(f"{path} is not an image: the file is empty")
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:12] == b"ftypcrx " or start[8:10] == b"CR":
        return RAW
    kind = next((kind for first, kind in _STARTS.items() if start.startswith(first)), None)
    named_raw = path.suffix.lower() in RAW_SUFFIXES
    if named_raw and kind in (None, "TIFF"):  # most cameras write TIFF with tags of their own
        return RAW
    if kind is None:
        raise DataError(f"{path} is not an image that can be read ({', '.join(FORMATS)} or {RAW})")
    return kind


def wrong_name(path: Path, kind: str) -> str | None:
    """Say so where the suffix of a file names another kind of image than it is."""
    suffix = path.suffix.lower()
    named = RAW if suffix in RAW_SUFFIXES else _OF_SUFFIX.get(suffix)
    return f"read as {kind}, which it is whatever its name says" if named not in (None, kind) else None
