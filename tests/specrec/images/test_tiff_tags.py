import struct

import numpy as np
import pytest
import tifffile

from specrec.cubes import read_cube
from specrec.errors import DataError
from specrec.images import read_image
from specrec.images.tiff_tags import check_tags


@pytest.mark.parametrize(
    "options", [{}, {"bigtiff": True}, {"byteorder": ">"}, {"byteorder": ">", "bigtiff": True}], ids=str
)
@pytest.mark.parametrize("tag", [270, 273])
def test_a_tag_that_claims_more_than_the_file_holds_is_named_before_memory_is_taken(tmp_path, options, tag):
    path = tmp_path / "lies.tif"
    pages = np.zeros((2, 8, 8), dtype=np.uint16)
    tifffile.imwrite(path, pages, photometric="minisblack", description="two pages", metadata=None, **options)
    check_tags(path)
    order, big = options.get("byteorder", "<"), options.get("bigtiff", False)
    with tifffile.TiffFile(path) as file:
        for page in file.pages:
            if tag in page.tags:  # only the first page has a description
                place = page.tags[tag].offset + 4
    with path.open("r+b") as raw:
        raw.seek(place)
        raw.write(struct.pack(f"{order}{'Q' if big else 'I'}", 3_000_000_000))
    for read in (check_tags, read_image, lambda path: read_cube(path, range(400, 402))):
        with pytest.raises(
            DataError, match=rf"lies\.tif is damaged: its tag {tag} claims 3,000,000,000 values, more than"
        ):
            read(path)


@pytest.mark.parametrize(
    "content", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", b"MM\0+" + bytes(12)]
)
def test_what_has_no_tags_is_left_to_the_reader(tmp_path, content):
    path = tmp_path / "short.tif"
    path.write_bytes(content)
    check_tags(path)


@pytest.mark.parametrize("tag", [256, 257, 277])
def test_a_size_that_is_a_list_is_refused_before_it_is_multiplied(tmp_path, tag):
    path = tmp_path / "list.tif"
    tifffile.imwrite(path, np.zeros((8, 8), dtype=np.uint16), photometric="minisblack")
    with tifffile.TiffFile(path) as file:
        place = file.pages.first.tags[tag].offset
    with path.open("r+b") as raw:
        raw.seek(place + 4)
        raw.write(struct.pack("<I", 2))
    with pytest.raises(DataError, match=r"list\.tif is damaged"):
        read_image(path, 1 << 20)
