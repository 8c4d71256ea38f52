"""Damaged and hostile photos: an image or one sentence, and soon."""

import io
import struct

import numpy as np
import PIL.Image
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from photo_files import ADOBE, D65, deep_png, gamma_curve, ink_profile, picture, png_bytes, profile_chunk, rgb_profile

from specrec.errors import DataError, SpecrecError
from specrec.images import read_image

LIMIT = 1 << 20  # of pixels: a damaged size can name an image of many megapixels, read rightly and slowly
STARTS = [
    b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF89a", b"RIFF\x20\0\0\0WEBPVP8 ", b"II*\0\x08\0\0\0",
    b"MM\0+\0\x08\0\0", b"IIU\0",
]  # fmt: skip


def a_file(form):
    buffer = io.BytesIO()
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    profile = rgb_profile("wide", ADOBE, D65, gamma_curve(2.2))
    if form == "deep PNG":
        return deep_png(picture(24, 16, dtype=np.uint16), profile_chunk(profile))
    if form.startswith("TIFF "):
        values = picture(24, 16, dtype=np.uint16)
        options = {"TIFF float": {"compression": "zlib"}, "TIFF tiles": {"tile": (16, 16), "compression": "lzw"}}
        values = (values / 65535).astype(np.float32) if form == "TIFF float" else values
        tifffile.imwrite(buffer, values, photometric="rgb", **options.get(form, {}))
    elif form == "CMYK":
        PIL.Image.fromarray(picture(24, 16)).convert("CMYK").save(
            buffer, format="JPEG", icc_profile=ink_profile("inks")
        )
    else:
        options = {} if form in ("BMP", "GIF") else {"exif": exif, "icc_profile": profile}
        PIL.Image.fromarray(picture(24, 16)).save(buffer, format=form, **options)
    return buffer.getvalue()


FORMS = ["PNG", "deep PNG", "JPEG", "CMYK", "BMP", "GIF", "TIFF", "TIFF 16", "TIFF float", "TIFF tiles", "WEBP"]
FILES = {form: a_file(form) for form in FORMS}


def check_read_or_refused(path):
    try:
        image = read_image(path, LIMIT)
    except SpecrecError as error:
        assert path.name in str(error)
        assert "\n" not in str(error)
    else:
        assert image.dtype == np.float32
        assert image.shape[2] == 3
        assert np.isfinite(image).all()
        assert image.min() >= 0
        assert image.max() <= 1


@given(st.sampled_from(STARTS), st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_specrec_errors(tmp_path_factory, start, content):
    path = tmp_path_factory.mktemp("random") / "image.png"
    path.write_bytes(start + content)
    check_read_or_refused(path)


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_a_damaged_image_is_read_or_refused_in_a_sentence(tmp_path_factory, form, data):
    content = bytearray(FILES[form])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "image.bin"
    path.write_bytes(content)
    check_read_or_refused(path)


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_a_damaged_header_is_read_or_refused_in_a_sentence(tmp_path_factory, form, data):
    content = bytearray(FILES[form])
    starts = [0] if not form.startswith("TIFF") else [0, struct.unpack("<I", content[4:8])[0]]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(starts)) + data.draw(st.integers(0, 200))
        content[min(place, len(content) - 1)] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "image.bin"
    path.write_bytes(content)
    check_read_or_refused(path)


def test_a_header_that_claims_a_huge_picture_is_refused_at_once(tmp_path):
    path = tmp_path / "lies"
    for depth in (8, 16):
        path.write_bytes(png_bytes(30_000, 33_334, depth, 2, b"\0"))
        with pytest.raises(DataError, match=r"lies has 1,000,020,000 pixels; --max-pixels admits 600,000,000"):
            read_image(path)
    tifffile.imwrite(path, picture(dtype=np.uint16), photometric="rgb")
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        for tag in (256, 257):
            place = file.pages.first.tags[tag].valueoffset
            content[place : place + 4] = (
                struct.pack("<I", 40_000) if file.pages.first.tags[tag].dtype == 4 else b"\xff\xff"
            )
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"lies has [1-9],[0-9,]{11} pixels; --max-pixels"):
        read_image(path)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"exif": "preview"}], ids=str)
def test_a_jpeg_whose_second_half_is_zeros_is_refused(tmp_path, options):
    path = tmp_path / "half.jpg"
    preview = PIL.Image.Exif()
    preview[0x010E] = "\xff\xd9".encode("latin-1") * 4  # as in a preview, whose end is not that of the photo
    options = {"exif": preview} if "exif" in options else options
    PIL.Image.fromarray(picture(64, 64)).save(path, **options)
    content = path.read_bytes()
    assert read_image(path).shape == (64, 64, 3)
    path.write_bytes(content + b"a film of a phone" * 100)
    assert read_image(path).shape == (64, 64, 3)
    path.write_bytes(content[: len(content) // 2].ljust(len(content), b"\0"))
    with pytest.raises(DataError, match=r"half\.jpg is damaged and cannot be decoded: the file ends before"):
        read_image(path)


MODES = [("RGB", {"subsampling": 0}), ("RGB", {"subsampling": 2}), ("RGB", {"restart_marker_blocks": 2}), ("L", {})]


@pytest.mark.parametrize(("mode", "options"), MODES, ids=str)
def test_a_jpeg_that_ends_early_with_an_end_marker_is_refused(tmp_path, mode, options):
    path = tmp_path / "half.jpg"
    PIL.Image.fromarray(picture(64, 64)).convert(mode).save(path, quality=90, **options)
    content = path.read_bytes()
    for kept in (len(content) // 2, len(content) - 64):
        path.write_bytes(content[:kept] + b"\xff\xd9")
        with pytest.raises(DataError, match=r"half\.jpg is damaged and cannot be decoded: the file ends before"):
            read_image(path)


@pytest.mark.parametrize(("mode", "options"), MODES, ids=str)
@pytest.mark.parametrize("tail", [b"", b"\xff", bytes(1000)], ids=["none", "half", "zeros"])
def test_a_jpeg_with_all_pixels_and_no_end_marker_is_read(tmp_path, mode, options, tail):
    path = tmp_path / "whole.jpg"
    for size in (1, 16, 37):
        PIL.Image.fromarray(picture(size, size)).convert(mode).save(path, **options)
        expected, content = read_image(path), path.read_bytes()
        np.testing.assert_array_equal(expected * 255, np.asarray(PIL.Image.open(path).convert("RGB")))
        path.write_bytes(content[:-2] + tail)
        np.testing.assert_array_equal(read_image(path), expected)


def test_a_progressive_jpeg_without_its_last_scans_is_refused(tmp_path):
    path = tmp_path / "half.jpg"
    PIL.Image.fromarray(picture(64, 64)).save(path, progressive=True)
    content = path.read_bytes()
    scans = [place for place in range(len(content)) if content.startswith(b"\xff\xda", place)]
    assert len(scans) > 4
    assert read_image(path).shape == (64, 64, 3)
    for scan in scans[1:]:
        path.write_bytes(content[: scan - 1] + b"\xff\xd9")
        with pytest.raises(DataError, match=r"half\.jpg is damaged and cannot be decoded: the file ends before"):
            read_image(path)


def test_a_truncated_tiff_is_refused_however_it_is_laid_out(tmp_path):
    path = tmp_path / "half.tif"
    for options in ({}, {"rowsperstrip": 4}, {"tile": (16, 16), "compression": "zlib"}, {"planarconfig": "separate"}):
        values = picture(64, 64, dtype=np.uint16)
        stored = np.moveaxis(values, -1, 0) if "planarconfig" in options else values
        tifffile.imwrite(path, stored, photometric="rgb", **options)
        content = path.read_bytes()
        for kept in (len(content) // 2, len(content) - 1):
            path.write_bytes(content[:kept])
            with pytest.raises(DataError, match=r"half\.tif is damaged and cannot be decoded"):
                read_image(path)


@pytest.mark.parametrize("options", [{"rowsperstrip": 4}, {"tile": (16, 16)}, {"compression": "lzw"}], ids=str)
def test_a_tiff_with_a_part_that_was_never_written_is_refused(tmp_path, options):
    path = tmp_path / "hole.tif"
    tifffile.imwrite(path, picture(64, 64, dtype=np.uint16), photometric="rgb", **options)
    with tifffile.TiffFile(path) as file:
        counts = file.pages.first.tags[325 if "tile" in options else 279]
        place, size = counts.valueoffset, {3: 2, 4: 4}[counts.dtype]
    content = path.read_bytes()
    path.write_bytes(content[:place] + bytes(size) + content[place + size :])  # the decoder would fill it with black
    with pytest.raises(DataError, match=r"hole\.tif is damaged and cannot be decoded: the file ends before"):
        read_image(path)
