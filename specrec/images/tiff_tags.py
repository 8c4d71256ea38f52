"""The tags of a TIFF, looked at before a library reads them: a damaged count makes it take all the memory there is."""

import struct
from pathlib import Path

from specrec.errors import DataError

_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Of one value, by the type of the tag; an unknown one is passed over by whoever reads it."""

_MOST_PAGES = 4096  # a chain of more is not followed; each one is read only when it is asked for


def check_tags(path: Path) -> None:
    """Refuse a TIFF with a tag that claims more bytes than the whole file has.

    Raises
    ------
    DataError
        Which names the tag.
    OSError
        If the file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(16)
        order = "<" if start[:2] == b"II" else ">"
        is_big = start[2:4] in (b"+\0", b"\0+")
        entry, number = (f"{order}HHQ", f"{order}Q") if is_big else (f"{order}HHI", f"{order}I")
        count_form = f"{order}Q" if is_big else f"{order}H"
        length = 20 if is_big else 12
        place = start[8:16] if is_big else start[4:8]
        for _ in range(_MOST_PAGES):
            if len(place) < struct.calcsize(number) or not 0 < (offset := struct.unpack(number, place)[0]) < size:
                return
            file.seek(offset)
            head = file.read(struct.calcsize(count_form))
            if len(head) < struct.calcsize(count_form):
                return
            entries = file.read(min(struct.unpack(count_form, head)[0] * length, size))
            for at in range(0, len(entries) - length + 1, length):
                tag, kind, count = struct.unpack_from(entry, entries, at)
                if count * _BYTES.get(kind, 0) > size:
                    raise DataError(
                        f"{path} is damaged: its tag {tag} claims {count:,} values, more than the file holds"
                    )
            place = file.read(struct.calcsize(number))
