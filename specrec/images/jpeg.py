"""JPEG: decoded with Pillow, in a way that tells whether all of the picture is there.

A decoder of JPEG makes grey pixels, without a word, of what is missing before the end marker. Two things tell:

- A picture in one scan, as most cameras write, is decoded without its end marker and with 64 bits of ones after it,
  which is no code of any table: the decoder ends happily where all pixels are there, and asks for more where a block
  or two are missing.
- A picture in several scans (progressive) has its end marker, and its scans bring every bit of every coefficient.

References
----------
ITU-T T.81, 1992, annexes B, F and G.
"""

import mmap
import re
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from specrec.errors import DataError
from specrec.images.pillow import open_picture
from specrec.images.stored import Stored
from specrec.untrusted import check_memory

_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")  # within coded pixels, FF 00 is a value and FF D0 to D7 a restart
_END, _SCAN = 0xD9, 0xDA
_WITHOUT_LENGTH = (0x01, 0xD8)
_HUFFMAN, _PROGRESSIVE = (0xC0, 0xC1), (0xC2,)
_FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
_MOST_MARKERS = 1 << 16
_MOST_SCANS = 200  # usual programs write a dozen
_ONES = b"\xff\x00" * 8  # more bits than the decoder looks ahead, fewer than two blocks take
_MISSING = "is damaged and cannot be decoded: the file ends before its pixels do"


@dataclass
class _Frame:
    """What the segments of a picture say: its kind, its components, which bits of them came, and where it ends."""

    kind: int = 0
    components: list[int] = field(default_factory=list)
    lowest: dict[tuple[int, int], int] = field(default_factory=dict)  # bit, by component and coefficient
    in_first_scan: int = 0
    scans: int = 0
    end: int | None = None

    @property
    def is_one_scan(self) -> bool:
        """Whether it is the plain kind, coded by Huffman's tables in one scan of all components."""
        return self.kind in _HUFFMAN and self.in_first_scan == len(self.components)

    @property
    def is_complete(self) -> bool:
        """Whether the scans brought each coefficient of each component to its last bit."""
        return all(self.lowest.get((name, place)) == 0 for name in self.components for place in range(64))


def open_jpeg(path: Path, max_pixels: int) -> Stored:
    """Decode a JPEG; one whose pixels are not all there is refused as far as that can be told."""
    check_memory(path, "the file", path.stat().st_size)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        frame = _look_at(content)
        # a copy that was broken off is often filled up with zeros
        coded = content[:].rstrip(b"\0") if frame.end is None else content[: frame.end]
    if frame.scans > _MOST_SCANS:
        raise DataError(
            f"{path} is no photo: it has more than {_MOST_SCANS} scans, each of which takes the time of one"
        )
    if not frame.is_one_scan:
        if frame.end is None:
            raise DataError(f"{path} is damaged and cannot be decoded: the file ends before its end marker")
        if frame.kind in (*_HUFFMAN, *_PROGRESSIVE) and not frame.is_complete:
            raise DataError(f"{path} {_MISSING}")
        return open_picture(path, "JPEG", max_pixels)
    try:
        return open_picture(path, "JPEG", max_pixels, BytesIO(coded + _ONES))
    except DataError as error:
        if "truncated" in str(error):
            raise DataError(f"{path} {_MISSING}") from None
        raise


def _look_at(content: mmap.mmap) -> _Frame:
    """Go through the segments of the picture that comes first; those of previews lie inside of segments."""
    frame, place = _Frame(), 2
    for _ in range(_MOST_MARKERS):
        found = _MARKER.search(content, place)
        if found is None:
            break
        marker, place = found[1][0], found.end()
        if marker == _END:
            frame.end = found.start()
            break
        if marker in _WITHOUT_LENGTH:
            continue
        length = int.from_bytes(content[place : place + 2], "big")
        segment, place = content[place + 2 : place + length], place + length
        if marker in _FRAMES and not frame.components:
            frame.kind, frame.components = marker, list(segment[6::3])
        elif marker == _SCAN:
            frame.scans += 1
            _note_scan(frame, segment)
    return frame


def _note_scan(frame: _Frame, segment: bytes) -> None:
    """Note which coefficients a scan brings, and down to which bit."""
    if len(segment) < 6:
        return  # the decoder will tell
    names, (first, last, bits) = segment[1:-3:2], segment[-3:]
    frame.in_first_scan = frame.in_first_scan or len(names)
    if frame.kind in _HUFFMAN:
        first, last, bits = 0, 63, 0
    for name in names:
        for place in range(first, min(last, 63) + 1):
            frame.lowest[name, place] = bits & 15
