"""JPEG: decoded with Pillow, after a look whether all of the file is there.

Source: ITU-T T.81, 1992, annex B.
"""

import mmap
import re
from pathlib import Path

from specrec.errors import DataError
from specrec.images.pillow import open_picture
from specrec.images.stored import Stored

_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")  # within coded pixels, FF 00 is a value and FF D0 to D7 a restart
_END = b"\xd9"
_WITHOUT_LENGTH = (b"\x01", b"\xd8")
_MOST_MARKERS = 1 << 16


def open_jpeg(path: Path, max_pixels: int) -> Stored:
    """Decode a JPEG.

    A copy that was broken off is often filled up with zeros, of which the decoder makes grey pixels without a word.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if not _has_an_end(content):
            raise DataError(f"{path} is damaged and cannot be decoded: the file ends before its pixels do")
    return open_picture(path, "JPEG", max_pixels)


def _has_an_end(content: mmap.mmap) -> bool:
    """Tell whether the picture that comes first has its end marker; those of previews lie inside of segments."""
    place = 2
    for _ in range(_MOST_MARKERS):
        found = _MARKER.search(content, place)
        if found is None:
            return False
        if found[1] == _END:
            return True
        place = found.end()
        if found[1] not in _WITHOUT_LENGTH:
            place += int.from_bytes(content[place : place + 2], "big")
    return True  # the decoder may tell
