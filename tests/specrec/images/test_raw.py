"""Camera raw: a DNG made here, of a flat field under a light that the camera took for white."""

import sys

import numpy as np
import pytest
import tifffile

from specrec.errors import DataError
from specrec.images import Photo, read_image
from specrec.rendering import encode_srgb
from specrec.scenes import Window

WHITE = 16000
XYZ_TO_CAMERA = ((2, 1), (-1, 2), (-1, 4), (-1, 2), (3, 2), (1, 4), (0, 1), (0, 1), (1, 1))  # of no real camera


def write_dng(path, levels, neutral=((1, 2), (1, 1), (4, 5)), orientation=1, size=(64, 96)):
    """A Bayer mosaic, red in the corner, that shows `levels` (red, green, blue) everywhere."""
    mosaic = np.empty(size, dtype=np.uint16)
    mosaic[0::2, 0::2], mosaic[1::2, 1::2] = levels[0], levels[2]
    mosaic[0::2, 1::2] = mosaic[1::2, 0::2] = levels[1]
    matrix = [number for fraction in XYZ_TO_CAMERA for number in fraction]
    tags = [
        (274, "H", 1, orientation, True),
        (33421, "H", 2, (2, 2), True),  # the repeat of the pattern
        (33422, "B", 4, bytes([0, 1, 1, 2]), True),  # the pattern
        (50706, "B", 4, bytes([1, 4, 0, 0]), True),  # DNGVersion
        (50707, "B", 4, bytes([1, 1, 0, 0]), True),
        (50708, "s", 0, "A camera", True),
        (50714, "H", 1, 0, True),  # BlackLevel
        (50717, "H", 1, WHITE, True),  # WhiteLevel
        (50721, "2i", 9, matrix, True),  # ColorMatrix1
        (50728, "2I", 3, [number for fraction in neutral for number in fraction], True),  # AsShotNeutral
        (50778, "H", 1, 21, True),  # under D65
    ]
    tifffile.imwrite(path, mosaic, photometric=32803, extratags=tags)


@pytest.mark.parametrize("name", ["photo.dng", "photo.tif"])
def test_a_grey_field_under_the_cameras_white_is_grey_and_linear_light_is_encoded(tmp_path, name):
    pytest.importorskip("rawpy")
    for share in (0.1, 0.4):
        path = tmp_path / name
        write_dng(path, [round(WHITE * share * neutral) for neutral in (0.5, 1.0, 0.8)])
        image = read_image(path)
        assert image.dtype == np.float32
        inside = image[8:-8, 8:-8]
        assert np.ptp(inside, axis=2).max() < 0.01  # grey
        np.testing.assert_allclose(inside, encode_srgb(share), atol=0.02)  # nothing was brightened
        assert "developed from camera raw with the camera's white balance" in Photo(path).remarks


def test_raw_is_linear_in_any_case_and_keeps_16_bits(tmp_path):
    pytest.importorskip("rawpy")
    path = tmp_path / "photo.dng"
    write_dng(path, (1000, 4001, 2303))
    image = read_image(path)
    np.testing.assert_array_equal(read_image(path, linear=True), image)
    assert np.abs(np.rint(image * 255) - image * 255).max() > 0.05


def test_raw_is_turned_upright_and_windows_are_parts_of_it(tmp_path):
    pytest.importorskip("rawpy")
    path = tmp_path / "photo.dng"
    write_dng(path, (2000, 4000, 3200))
    lying = Photo(path).shape
    write_dng(path, (2000, 4000, 3200), orientation=6)
    photo = Photo(path)
    assert photo.shape == lying[::-1]
    window = Window(3, 5, 20, 30)
    np.testing.assert_array_equal(photo.read(window), read_image(path)[window.slices])


def test_raw_of_too_many_pixels_or_too_much_memory_is_refused(tmp_path, monkeypatch):
    pytest.importorskip("rawpy")
    path = tmp_path / "photo.dng"
    write_dng(path, (2000, 4000, 3200))
    with pytest.raises(DataError, match=r"photo\.dng has [56],[0-9]{3} pixels; --max-pixels admits 1,000"):
        read_image(path, 1000)
    monkeypatch.setattr("specrec.images.stored.available_memory", lambda: 50_000)
    with pytest.raises(DataError, match=r"photo\.dng takes 0 MB when decoded"):
        read_image(path)


@pytest.mark.parametrize("content", [b"", b"no raw at all" * 100, b"II*\0\x08\0\0\0", b"FUJIFILMCCD-RAW " + bytes(500)])
def test_a_damaged_raw_file_is_one_sentence(tmp_path, content):
    pytest.importorskip("rawpy")
    path = tmp_path / "photo.nef"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"photo\.nef is (not an image|damaged)[^\n]*$"):
        read_image(path)


def test_a_truncated_raw_file_is_one_sentence(tmp_path):
    pytest.importorskip("rawpy")
    path = tmp_path / "photo.dng"
    write_dng(path, (2000, 4000, 3200))
    content = path.read_bytes()
    for kept in (0.3, 0.9):
        path.write_bytes(content[: int(len(content) * kept)])
        with pytest.raises(DataError, match=r"photo\.dng is damaged"):
            read_image(path)


def test_without_rawpy_one_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    path = tmp_path / "photo.dng"
    write_dng(path, (2000, 4000, 3200))
    with pytest.raises(DataError, match=r'photo\.dng is camera raw; pip install "specrec\[raw\]" to read it$'):
        read_image(path)
