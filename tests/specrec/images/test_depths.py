"""Every format at every depth, upright in every orientation, to the exact value."""

import struct
import warnings

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from photo_files import chunk, deep_png, picture

from specrec.errors import DataError
from specrec.images import Photo, read_image
from specrec.rendering import encode_srgb
from specrec.scenes import Window

DEEP = picture(dtype=np.uint16)
FLOAT_REMARK = "its floating-point values were taken as sRGB; pass --linear for linear light"
UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: np.rot90(stored, 1),
}


def check(path, expected):
    image = read_image(path)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, np.broadcast_to(expected, (*expected.shape[:2], 3)), rtol=0, atol=1e-7)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_16_bit_png_gives_its_values_over_65535(tmp_path, channels):
    path = tmp_path / "deep.png"
    values = np.dstack([DEEP, DEEP[..., :1]])[..., :channels]
    path.write_bytes(deep_png(values))
    check(path, values[..., : channels - 1 if channels in (2, 4) else channels] / 65535)
    assert len(Photo(path).remarks) == (channels in (2, 4))


def test_a_16_bit_png_of_one_transparent_colour_keeps_its_colours(tmp_path):
    path = tmp_path / "deep.png"
    path.write_bytes(deep_png(DEEP, chunk(b"tRNS", DEEP[0, 0].astype(">u2").tobytes())))
    check(path, DEEP / 65535)
    assert "alpha was dropped" in Photo(path).remarks[0]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"bigtiff": True},
        {"rowsperstrip": 2},
        {"tile": (16, 16)},
        {"compression": "lzw"},
        {"compression": "zlib", "predictor": True},
        {"compression": "zstd", "tile": (16, 16)},
        {"compression": "packbits"},
        {"compression": "jpeg2000"},
        {"compression": "lerc"},
    ],
    ids=str,
)
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_gives_its_values_over_full_scale(tmp_path, options, planar, dtype):
    path = tmp_path / "photo.tif"
    values = picture(20, 35, dtype=dtype)
    stored = np.moveaxis(values, -1, 0) if planar == "separate" else values
    tifffile.imwrite(path, stored, photometric="rgb", planarconfig=planar, **options)
    check(path, values / np.iinfo(dtype).max)
    assert Photo(path).remarks == ()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "predictor": True}], ids=str)
def test_a_floating_point_tiff_gives_its_values(tmp_path, dtype, options):
    path = tmp_path / "photo.tif"
    values = (DEEP / 65535).astype(dtype)
    tifffile.imwrite(path, values, photometric="rgb", **options)
    check(path, values.astype(np.float64))
    assert Photo(path).remarks == (FLOAT_REMARK,)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_tiffs_are_read_and_white_may_be_zero(tmp_path, dtype):
    values = picture(dtype=dtype)[..., 0]
    for photometric in ("minisblack", "miniswhite"):
        tifffile.imwrite(tmp_path / f"{photometric}.tif", values, photometric=photometric)
    full = np.iinfo(dtype).max
    check(tmp_path / "minisblack.tif", values[..., np.newaxis] / full)
    check(tmp_path / "miniswhite.tif", (full - values[..., np.newaxis]) / full)


def test_tiffs_of_one_bit_and_of_a_palette_are_read(tmp_path):
    bits = picture()[..., 0] > 100
    tifffile.imwrite(tmp_path / "bits.tif", bits, photometric="minisblack")
    check(tmp_path / "bits.tif", bits[..., np.newaxis].astype(float))
    colours = np.random.default_rng(1).integers(0, 256, (3, 256), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "palette.tif", picture()[..., 0], photometric="palette", colormap=colours * 257)
    check(tmp_path / "palette.tif", colours.T[picture()[..., 0]] / 255)


def test_a_tiff_of_12_bits_has_its_own_white(tmp_path):
    path = tmp_path / "photo.tif"
    tifffile.imwrite(path, DEEP >> 4, photometric="rgb", bitspersample=12)
    with tifffile.TiffFile(path) as file:
        assert file.pages.first.bitspersample == 12
    check(path, (DEEP >> 4) / 4095)


def test_a_tiff_with_jpeg_inside_is_what_pillow_makes_of_it(tmp_path):
    path = tmp_path / "photo.tif"
    smooth = PIL.Image.fromarray(picture()).resize((48, 32))
    smooth.save(path, compression="jpeg", quality=95)
    with PIL.Image.open(path) as opened:
        check(path, np.asarray(opened.convert("RGB")) / 255)


@pytest.mark.parametrize(
    ("dtype", "words"),
    [(np.uint32, "32-bit integers"), (np.int16, "signed integers"), (np.int8, "signed integers"),
     (np.complex64, "complex numbers")],
)  # fmt: skip
def test_numbers_without_an_agreed_white_are_refused(tmp_path, dtype, words):
    path = tmp_path / "counts.tif"
    tifffile.imwrite(path, np.ones((4, 4), dtype), photometric="minisblack")
    with pytest.raises(DataError, match=rf"counts\.tif holds {words}, which have no agreed white; save it"):
        read_image(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_float_photo_with_a_hole_is_refused(tmp_path, value):
    path = tmp_path / "hole.tif"
    values = np.full((4, 4, 3), 0.5, dtype=np.float32)
    values[3, 3, 2] = value
    tifffile.imwrite(path, values, photometric="rgb")
    with pytest.raises(DataError, match=r"hole\.tif holds NaN or infinite values"):
        Photo(path)


def test_float_values_beyond_white_are_clipped_and_their_share_is_said(tmp_path):
    path = tmp_path / "bright.tif"
    values = np.full((10, 10, 3), 0.5, dtype=np.float32)
    values[0] = 7.0
    values[1, 0] = -0.1
    tifffile.imwrite(path, values, photometric="rgb")
    np.testing.assert_array_equal(read_image(path), np.clip(values, 0, 1))
    assert Photo(path).remarks == (
        FLOAT_REMARK,
        "11 % of the values lie below 0 (black) or above 1 (white) and were clipped",
    )
    tifffile.imwrite(path, np.full((10, 10, 3), 7.0, dtype=np.float32), photometric="rgb")
    assert Photo(path).remarks[1].startswith("100 % of the values lie")


@pytest.mark.parametrize("shape", [(31, 8, 9), (8, 9, 31), (6, 8, 9)])
def test_a_tiff_of_many_bands_is_a_cube_and_no_photo(tmp_path, shape):
    path = tmp_path / "cube.tif"
    planar = "contig" if shape[2] == 31 else None
    tifffile.imwrite(path, np.ones(shape, np.float32), photometric="minisblack", planarconfig=planar)
    with pytest.raises(DataError, match=rf"cube\.tif holds {max(shape[0], 6) if planar is None else 31} bands, a cube"):
        read_image(path)


def test_further_bands_and_pages_are_said(tmp_path):
    def remarks(values, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tifffile.imwrite(tmp_path / "a.tif", values, **options)
        check(tmp_path / "a.tif", DEEP / 65535)
        return Photo(tmp_path / "a.tif").remarks

    four = np.dstack([DEEP, DEEP[..., 0]])
    assert remarks(np.stack([DEEP] * 3), photometric="rgb") == ("the first of its 3 pages was read",)
    assert remarks(four, photometric="rgb", extrasamples=[0]) == ("a band that is no colour was dropped",)
    assert "multiplied" in remarks(four, photometric="rgb", extrasamples=[1])[0]
    assert remarks(DEEP, photometric="minisblack", planarconfig="contig") == (
        "its three bands, marked as grey, were taken as red, green and blue",
    )


def test_a_small_preview_beside_a_photo_is_no_page(tmp_path):
    path = tmp_path / "photo.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(DEEP, photometric="rgb")
        writer.write(DEEP[::2, ::2], photometric="rgb", subfiletype=1)
    check(path, DEEP / 65535)
    assert Photo(path).remarks == ()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_linear_light_is_encoded(tmp_path, dtype):
    path = tmp_path / "linear.tif"
    values = DEEP / 65535 if dtype is np.float32 else picture(dtype=dtype)
    tifffile.imwrite(path, values.astype(dtype), photometric="rgb")
    expected = encode_srgb(values / (1 if dtype is np.float32 else np.iinfo(dtype).max))
    np.testing.assert_allclose(read_image(path, linear=True), expected, rtol=0, atol=1e-6)
    assert Photo(path, linear=True).remarks == ()


def write_turned(path, form, orientation):
    """Write a photo with an orientation, and give what is stored, as levels in 0..1."""
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    if form == "PNG16":
        path.write_bytes(deep_png(DEEP, chunk(b"eXIf", exif.tobytes()[6:])))
        return DEEP / 65535
    if form == "TIFF16":
        tifffile.imwrite(path, DEEP, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
        return DEEP / 65535
    options = {"WEBP": {"lossless": True}, "TIFF-JPEG": {"compression": "jpeg"}}.get(form, {})
    stored = PIL.Image.fromarray(picture())
    stored.save(path, format=form.partition("-")[0], exif=exif, **options)
    if form in ("JPEG", "TIFF-JPEG"):
        plain = path.with_name("plain")
        stored.save(plain, format=form.partition("-")[0], **options)
        return np.asarray(PIL.Image.open(plain).convert("RGB")) / 255
    return picture() / 255


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "TIFF-JPEG", "PNG16", "TIFF16"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_a_camera_noted_is_applied(tmp_path, form, orientation):
    path = tmp_path / "turned"
    stored = write_turned(path, form, orientation)
    check(path, UPRIGHT[orientation](stored))


@pytest.mark.parametrize("form", ["PNG", "TIFF16"])
@given(orientation=st.integers(1, 8), data=st.data())
def test_any_window_of_a_photo_equals_the_part_of_the_whole_upright(tmp_path_factory, form, orientation, data):
    path = tmp_path_factory.mktemp("turned") / "photo"
    upright = UPRIGHT[orientation](write_turned(path, form, orientation))
    photo = Photo(path)
    assert photo.shape == upright.shape[:2]
    top, left = (data.draw(st.integers(0, side - 1)) for side in photo.shape)
    height, width = data.draw(st.integers(1, photo.shape[0] - top)), data.draw(st.integers(1, photo.shape[1] - left))
    window = Window(top, left, height, width)
    np.testing.assert_allclose(photo.read(window), upright[window.slices], rtol=0, atol=1e-7)


def test_a_16_bit_tiff_that_pillow_would_cut_to_8_bits_is_read_whole(tmp_path):
    path = tmp_path / "deep.tif"
    entries = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 3, 200), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 300)]
    entries += [(277, 3, 1, 3), (278, 3, 1, 1), (279, 4, 1, 6)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    content = (b"II*\0" + struct.pack("<I", 8) + directory + bytes(4)).ljust(200, b"\0") + struct.pack(
        "<3H", 16, 16, 16
    )
    path.write_bytes(content.ljust(300, b"\0") + struct.pack("<3H", 1000, 2000, 3000))
    with PIL.Image.open(path) as opened:
        assert opened.mode == "RGB"  # what Pillow would make of it: 8 bits, and no word
    check(path, np.array([[[1000, 2000, 3000]]]) / 65535)
