import io
import struct
import warnings
import zlib

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specrec.errors import DataError, SpecrecError, UsageError
from specrec.images import Photo, read_image, read_png_header, write_png
from specrec.scenes import Window


def check_sentence(error, file):
    assert str(file) in str(error)
    assert "\n" not in str(error)


def picture(height=5, width=7, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png_bytes(width, height, depth, colour, data):
    """A PNG from the specification, without Pillow: it can hold what Pillow does not write."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "webp"])
def test_a_lossless_file_gives_its_values_over_255(tmp_path, suffix):
    pixels = picture()
    path = tmp_path / f"photo.{suffix}"
    PIL.Image.fromarray(pixels).save(path, **({"lossless": True} if suffix == "webp" else {}))
    image = read_image(path)
    assert image.dtype == np.float32
    assert image.shape == (5, 7, 3)
    np.testing.assert_array_equal(image, pixels.astype(np.float32) / np.float32(255))


def test_a_jpeg_is_read(tmp_path):
    path = tmp_path / "photo.jpg"
    PIL.Image.fromarray(np.full((16, 16, 3), (200, 100, 50), dtype=np.uint8)).save(path, quality=95)
    np.testing.assert_allclose(read_image(path)[8, 8] * 255, (200, 100, 50), atol=3)


def test_the_suffix_does_not_matter(tmp_path):
    path = tmp_path / "photo.jpg"
    PIL.Image.fromarray(picture()).save(path, format="PNG")
    np.testing.assert_array_equal(np.rint(read_image(path) * 255), picture())


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda stored: stored),
        (2, lambda stored: stored[:, ::-1]),
        (3, lambda stored: stored[::-1, ::-1]),
        (4, lambda stored: stored[::-1]),
        (6, lambda stored: np.rot90(stored, -1)),
        (8, lambda stored: np.rot90(stored, 1)),
    ],
)
def test_the_orientation_a_camera_noted_is_applied(tmp_path, orientation, upright):
    path = tmp_path / "photo.png"
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    PIL.Image.fromarray(picture()).save(path, exif=exif)
    np.testing.assert_array_equal(np.rint(read_image(path) * 255), upright(picture()))


def test_alpha_is_dropped_and_not_blended(tmp_path):
    path = tmp_path / "cutout.png"
    pixels = np.dstack([picture(), np.zeros((5, 7), dtype=np.uint8)])
    PIL.Image.fromarray(pixels).save(path)
    np.testing.assert_array_equal(np.rint(read_image(path) * 255), picture())


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1"])
def test_grey_and_palette_images_become_rgb(tmp_path, mode):
    path = tmp_path / "grey.png"
    stored = PIL.Image.fromarray(picture()).convert(mode)
    stored.save(path)
    expected = np.asarray(stored.convert("RGB"))
    np.testing.assert_array_equal(np.rint(read_image(path) * 255), expected)


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_a_16_bit_png_is_refused_rather_than_cut_to_8_bits(tmp_path, colour, channels):
    path = tmp_path / "deep.png"
    path.write_bytes(png_bytes(3, 2, 16, colour, (b"\0" + b"\x12\x34" * 3 * channels) * 2))
    with pytest.raises(DataError, match=r"deep\.png has more than 8 bits"):
        read_image(path)


def test_a_16_bit_tiff_is_refused(tmp_path):
    path = tmp_path / "deep.tif"
    PIL.Image.fromarray(np.full((4, 4), 40000, dtype=np.uint16)).save(path)
    with pytest.raises(DataError, match=r"deep\.tif has more than 8 bits"):
        read_image(path)


def test_a_16_bit_colour_tiff_is_refused(tmp_path):
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
    with pytest.raises(DataError, match=r"deep\.tif has more than 8 bits"):
        read_image(path)


def test_ink_colours_are_refused(tmp_path):
    path = tmp_path / "print.jpg"
    PIL.Image.fromarray(picture(16, 16)).convert("CMYK").save(path)
    with pytest.raises(DataError, match=r"print\.jpg is a CMYK image"):
        read_image(path)


def test_a_text_file_named_png_is_named(tmp_path):
    path = tmp_path / "image.png"
    path.write_text("this is no image\n")
    with pytest.raises(DataError, match=r"image\.png is not an image that can be read \(PNG, JPEG"):
        read_image(path)


def test_an_empty_file_is_named(tmp_path):
    path = tmp_path / "image.png"
    path.touch()
    with pytest.raises(DataError, match=r"image\.png is not an image"):
        read_image(path)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "WEBP"])
def test_a_truncated_image_is_named(tmp_path, form):
    path = tmp_path / "image.png"
    buffer = io.BytesIO()
    PIL.Image.fromarray(picture(64, 64)).save(buffer, format=form)
    path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
    with pytest.raises(DataError, match=r"image\.png"):
        read_image(path)


def test_a_missing_file_and_a_folder_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match=r"there is no image .*absent\.png"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(UsageError, match="is a folder"):
        read_image(tmp_path)


def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_bytes(40_000, 40_000, 8, 2, b""))
    with pytest.raises(DataError, match=r"bomb\.png has 1,600,000,000 pixels; --max-pixels admits 600,000,000"):
        read_image(path)


def test_there_is_one_limit_of_pixels_and_it_is_the_callers(tmp_path, monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 10)
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(picture()).save(path)
    assert read_image(path, max_pixels=35).shape == (5, 7, 3)  # Pillow would warn above 10 and refuse above 20
    with pytest.raises(DataError, match="has 35 pixels; --max-pixels admits 34"):
        read_image(path, max_pixels=34)
    assert PIL.Image.MAX_IMAGE_PIXELS == 10


def test_a_photo_that_memory_does_not_hold_is_one_sentence(tmp_path, monkeypatch):
    for mode in ("RGB", "L"):
        PIL.Image.fromarray(picture(50, 40)).convert(mode).save(tmp_path / f"{mode}.png")
    monkeypatch.setattr("specrec.images.available_memory", lambda: 7_999)
    with pytest.raises(
        DataError, match=r"RGB\.png takes 0 MB when decoded and 0 MB of memory are available; end other"
    ):
        read_image(tmp_path / "RGB.png")
    assert read_image(tmp_path / "L.png").shape == (50, 40, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@given(data=st.data())
def test_any_window_of_a_photo_equals_the_part_of_the_whole_upright(tmp_path_factory, orientation, data):
    path = tmp_path_factory.mktemp("turned") / "photo.png"
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    PIL.Image.fromarray(picture()).save(path, exif=exif)
    upright = np.asarray(PIL.ImageOps.exif_transpose(PIL.Image.open(path)))
    photo = Photo(path)
    assert photo.shape == upright.shape[:2]
    top, left = (data.draw(st.integers(0, side - 1)) for side in photo.shape)
    height, width = data.draw(st.integers(1, photo.shape[0] - top)), data.draw(st.integers(1, photo.shape[1] - left))
    window = Window(top, left, height, width)
    np.testing.assert_array_equal(np.rint(photo.read(window) * 255), upright[window.slices])


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_specrec_errors(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("random") / "image.png"
    path.write_bytes(content)
    with pytest.raises(SpecrecError):
        read_image(path)


@given(st.sampled_from(["PNG", "JPEG", "BMP", "TIFF", "WEBP"]), st.data())
def test_a_damaged_image_is_read_or_refused_in_a_sentence(tmp_path_factory, form, data):
    buffer = io.BytesIO()
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    PIL.Image.fromarray(picture(24, 16)).save(buffer, format=form, exif=exif)
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "image.bin"
    path.write_bytes(content)
    try:
        image = read_image(path, 1 << 20)  # a damaged size can name an image of many megapixels
    except SpecrecError as error:
        check_sentence(error, "image.bin")
    else:
        assert image.dtype == np.float32
        assert image.shape[2] == 3


def test_a_written_png_comes_back(tmp_path):
    path = tmp_path / "new" / "out.png"
    write_png(path, picture())
    np.testing.assert_array_equal(np.rint(read_image(path) * 255), picture())
    assert [file.name for file in path.parent.iterdir()] == ["out.png"]


def test_an_existing_png_is_replaced_only_when_asked(tmp_path):
    path = tmp_path / "out.png"
    write_png(path, picture())
    with pytest.raises(UsageError, match=r"out\.png exists"):
        write_png(path, picture(seed=1))
    np.testing.assert_array_equal(np.rint(read_image(path) * 255), picture())
    write_png(path, picture(seed=1), overwrite=True)
    np.testing.assert_array_equal(np.rint(read_image(path) * 255), picture(seed=1))


def test_a_folder_cannot_be_written_over(tmp_path):
    with pytest.raises(UsageError, match="is a folder"):
        write_png(tmp_path, picture(), overwrite=True)


def test_what_is_no_picture_is_a_callers_bug(tmp_path):
    with pytest.raises(ValueError, match="uint8"):
        write_png(tmp_path / "out.png", np.zeros((2, 2, 3)))


def test_the_header_of_a_png_is_read_without_decoding(tmp_path):
    path = tmp_path / "deep.png"
    path.write_bytes(png_bytes(30, 20, 16, 0, b"")[:40])
    assert read_png_header(path) == (30, 20, 16, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DataError, match="is not a PNG"):
        read_png_header(path)


def test_warnings_of_others_are_left_as_they_were(tmp_path):
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(picture()).save(path)
    read_image(path)
    with pytest.warns(UserWarning, match="still here"):
        warnings.warn("still here", UserWarning, stacklevel=1)
