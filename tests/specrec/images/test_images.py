import io
import threading
import warnings
import zipfile

import numpy as np
import PIL.Image
import pytest
from photo_files import chunk, deep_png, picture, png_bytes

from specrec.errors import DataError, UsageError
from specrec.images import SUFFIXES, Photo, read_image, read_png_header, write_png
from specrec.images.pillow import quiet_pillow


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


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1"])
def test_grey_and_palette_images_become_rgb(tmp_path, mode):
    path = tmp_path / "grey.png"
    stored = PIL.Image.fromarray(picture()).convert(mode)
    stored.save(path)
    expected = np.asarray(stored.convert("RGB"))
    np.testing.assert_array_equal(np.rint(read_image(path) * 255), expected)


def test_a_text_file_named_png_is_named(tmp_path):
    path = tmp_path / "image.png"
    path.write_text("this is no image\n")
    with pytest.raises(DataError, match=r"image\.png is not an image that can be read \(PNG, JPEG"):
        read_image(path)


@pytest.mark.parametrize("kind", ["zip", "pdf", "heic", "one byte"])
def test_a_file_of_another_kind_called_jpg_is_named(tmp_path, kind):
    path = tmp_path / "photo.jpg"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a.txt", "a")
    else:
        path.write_bytes({"pdf": b"%PDF-1.7\n%", "heic": b"\0\0\0\x18ftypheic", "one byte": b"\xff"}[kind])
    with pytest.raises(DataError, match=r"photo\.jpg is not an image that can be read \(PNG, JPEG.* camera raw\)$"):
        read_image(path)


@pytest.mark.parametrize(("form", "suffix"), [("PNG", ".jpg"), ("JPEG", ".png"), ("TIFF", ".png"), ("PNG", ".dng")])
def test_a_file_that_lies_about_its_type_is_read_as_what_it_is(tmp_path, form, suffix):
    path, honest = tmp_path / f"photo{suffix}", tmp_path / "photo"
    PIL.Image.fromarray(picture(16, 16)).save(path, format=form)
    honest.write_bytes(path.read_bytes())
    assert Photo(path).remarks == (f"read as {form}, which it is whatever its name says",)
    assert Photo(honest).remarks == ()
    np.testing.assert_array_equal(read_image(path), read_image(honest))


def test_a_folder_is_searched_for_the_usual_suffixes():
    assert {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".dng", ".nef"} <= SUFFIXES
    assert not {".h5", ".mat", ".npy", ".hdr", ".txt"} & SUFFIXES


def test_an_empty_file_is_named(tmp_path):
    path = tmp_path / "image.png"
    path.touch()
    with pytest.raises(DataError, match=r"image\.png is not an image: the file is empty"):
        read_image(path)


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("form", ["PNG", "deep PNG", "JPEG", "BMP", "TIFF", "LZW", "WEBP", "GIF"])
def test_a_truncated_image_is_one_sentence_and_never_half_grey(tmp_path, form, kept):
    path = tmp_path / "image.png"
    buffer = io.BytesIO()
    if form == "deep PNG":
        buffer.write(deep_png(picture(64, 64, dtype=np.uint16)))
    else:
        lzw = {"compression": "tiff_lzw"} if form == "LZW" else {}
        PIL.Image.fromarray(picture(64, 64)).save(buffer, format="TIFF" if form == "LZW" else form, **lzw)
    path.write_bytes(buffer.getvalue()[: int(kept * len(buffer.getvalue()))])
    with pytest.raises(DataError, match=r"image\.png is (not an image|damaged)[^\n]*$"):
        read_image(path)


def test_a_dark_photo_stays_dark(tmp_path):
    dark = picture() // 64
    PIL.Image.fromarray(dark).save(tmp_path / "8.png")
    (tmp_path / "16.png").write_bytes(deep_png(dark.astype(np.uint16)))
    assert read_image(tmp_path / "8.png").max() == np.float32(3 / 255)
    np.testing.assert_allclose(read_image(tmp_path / "16.png").max(), 3 / 65535, rtol=1e-6)


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_an_animated_image_is_refused(tmp_path, form):
    path = tmp_path / "moving"
    first, *others = (PIL.Image.fromarray(picture(seed=seed)) for seed in range(3))
    first.save(path, format=form, save_all=True, append_images=others)
    with pytest.raises(DataError, match="moving is animated; save the frame you want"):
        read_image(path)


def test_a_gif_of_one_frame_and_a_picture_of_one_pixel_are_read(tmp_path):
    stored = PIL.Image.fromarray(picture()).convert("P")
    stored.save(tmp_path / "one.gif")
    np.testing.assert_array_equal(np.rint(read_image(tmp_path / "one.gif") * 255), np.asarray(stored.convert("RGB")))
    PIL.Image.new("RGB", (1, 1), (1, 2, 3)).save(tmp_path / "dot.png")
    np.testing.assert_array_equal(read_image(tmp_path / "dot.png") * 255, [[[1, 2, 3]]])


def test_the_second_picture_in_a_jpeg_of_a_phone_is_no_second_frame(tmp_path):
    path = tmp_path / "phone.jpg"
    first, second = (PIL.Image.fromarray(picture(16, 16, seed)) for seed in range(2))
    first.save(path, format="MPO", save_all=True, append_images=[second])
    first.save(tmp_path / "single.jpg")
    np.testing.assert_array_equal(read_image(path), read_image(tmp_path / "single.jpg"))
    assert Photo(path).remarks == ()


DROPPED = "alpha was dropped, not blended: some pixels are transparent"


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("opaque", [True, False])
def test_alpha_is_dropped_and_that_is_said_unless_all_is_opaque(tmp_path, form, opaque):
    path = tmp_path / "cutout"
    alpha = np.full((5, 7, 1), 255, dtype=np.uint8)
    alpha[4, 6] = 255 if opaque else 0
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    PIL.Image.fromarray(np.dstack([picture(), alpha])).save(path, format=form, **options)
    np.testing.assert_array_equal(np.rint(read_image(path) * 255), picture())
    assert Photo(path).remarks == (() if opaque else (DROPPED,))


def test_a_transparent_colour_of_a_palette_is_said_where_it_is_used(tmp_path):
    stored = PIL.Image.fromarray(picture()).convert("P")
    used = set(np.asarray(stored).ravel().tolist())
    for index, name in ((min(used), "used"), (min(set(range(256)) - used), "unused")):
        stored.save(tmp_path / f"{name}.png", transparency=index)
    assert Photo(tmp_path / "used.png").remarks == (DROPPED,)
    assert Photo(tmp_path / "unused.png").remarks == ()


def test_what_a_png_says_of_gamma_is_not_applied_and_said(tmp_path):
    def remarks(*chunks):
        path = tmp_path / "noted.png"
        path.write_bytes(png_bytes(1, 1, 8, 2, b"\0\1\2\3", b"".join(chunk(*one) for one in chunks)))
        np.testing.assert_array_equal(np.rint(read_image(path) * 255), [[[1, 2, 3]]])
        return Photo(path).remarks

    srgb = np.array([31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000], dtype=">u4")
    usual, linear = (b"gAMA", (45455).to_bytes(4, "big")), (b"gAMA", (100_000).to_bytes(4, "big"))
    assert remarks(usual, (b"cHRM", srgb.tobytes())) == ()
    assert remarks((b"sRGB", b"\0"), linear) == ()
    assert remarks(linear) == (
        "the gamma 1 that it notes was not applied: it was taken as sRGB; pass --linear for linear light",
    )
    srgb[4] = 21000
    assert remarks((b"cHRM", srgb.tobytes())) == ("the primaries that it notes were not applied: it was taken as sRGB",)
    assert remarks((b"cICP", bytes([1, 13, 0, 1])), linear) == ()
    with pytest.raises(DataError, match=r"noted\.png is not coded as sRGB \(cICP 9/16\)"):
        remarks((b"cICP", bytes([9, 16, 0, 1])))


def test_many_threads_read_at_once_and_leave_pillow_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 10)
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(picture()).save(path)
    filters = list(warnings.filters)
    failures = []

    def read():
        try:
            for _ in range(20):
                np.testing.assert_array_equal(np.rint(read_image(path) * 255), picture())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    with quiet_pillow():
        for thread in threads:
            thread.start()
        assert PIL.Image.MAX_IMAGE_PIXELS is None
    for thread in threads:
        thread.join()
    assert failures == []
    assert PIL.Image.MAX_IMAGE_PIXELS == 10
    assert list(warnings.filters) == filters


def test_a_missing_file_and_a_folder_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match=r"there is no image .*absent\.png"):
        read_image(tmp_path / "absent.png")
    with pytest.raises(UsageError, match="is a folder"):
        read_image(tmp_path)


@pytest.mark.parametrize("depth", [8, 16])
def test_an_image_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path, depth):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_bytes(40_000, 40_000, depth, 2, b""))
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
    monkeypatch.setattr("specrec.images.stored.available_memory", lambda: 7_999)
    with pytest.raises(
        DataError, match=r"RGB\.png takes 0 MB when decoded and 0 MB of memory are available; end other"
    ):
        read_image(tmp_path / "RGB.png")
    assert read_image(tmp_path / "L.png").shape == (50, 40, 3)


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
