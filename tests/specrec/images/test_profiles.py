"""Embedded ICC profiles become sRGB: against colour-science, at 8 bits and deeper."""

import io

import colour
import numpy as np
import PIL.Image
import pytest
import tifffile
from photo_files import (
    ADOBE,
    ADOBE_GAMMA,
    D65,
    P3,
    PROPHOTO,
    PROPHOTO_WHITE,
    SRGB,
    chunk,
    deep_png,
    gamma_curve,
    grey_profile,
    ink_profile,
    picture,
    profile_chunk,
    rgb_profile,
    srgb_curve,
    table_curve,
)
from PIL import ImageCms

from specrec.errors import DataError
from specrec.images import Photo, read_image
from specrec.rendering import decode_srgb, encode_srgb
from specrec.scenes import Window

PROPHOTO_TABLE = np.linspace(0, 1, 4096) ** 1.8
SPACES = {
    "Adobe RGB (1998)": (
        rgb_profile("Adobe RGB (1998)", ADOBE, D65, gamma_curve(ADOBE_GAMMA)),
        lambda v: v**ADOBE_GAMMA,
    ),
    "Display P3": (rgb_profile("Display P3", P3, D65, srgb_curve()), decode_srgb),
    "ProPhoto RGB": (
        rgb_profile("ProPhoto RGB", PROPHOTO, PROPHOTO_WHITE, table_curve(PROPHOTO_TABLE)),
        lambda v: np.interp(v, np.linspace(0, 1, 4096), PROPHOTO_TABLE),
    ),
}
SRGB_PROFILE = rgb_profile("sRGB by hand", SRGB, D65, srgb_curve())


def by_colour_science(values, name):
    """What the values in 0..1 of a space are in sRGB: linear light, not clipped."""
    spaces = [colour.RGB_COLOURSPACES[one].copy() for one in (name, "sRGB")]
    for space in spaces:
        space.use_derived_transformation_matrices(True)
    matrix = colour.matrix_RGB_to_RGB(*spaces, chromatic_adaptation_transform="Bradford")
    return SPACES[name][1](values) @ matrix.T


def muted(dtype):
    """Colours that most spaces hold: half grey, half anything."""
    values = picture(16, 16, dtype=np.uint16) / 65535
    mixed = 0.25 + 0.5 * (0.6 * values.mean(axis=2, keepdims=True) + 0.4 * values)
    full = np.iinfo(dtype).max
    return np.rint(mixed * full).astype(dtype)


def write(path, values, profile):
    """8 bits as PNG or JPEG, 16 as PNG or TIFF, floating point as TIFF."""
    if path.suffix == ".tif":
        tags = [(34675, 7, len(profile), profile, True)]
        photometric = {1: "minisblack", 3: "rgb", 4: "separated"}[values.shape[2] if values.ndim == 3 else 1]
        tifffile.imwrite(path, values, photometric=photometric, extratags=tags)
    elif values.dtype == np.uint16:
        path.write_bytes(deep_png(values, profile_chunk(profile)))
    else:
        PIL.Image.fromarray(values).save(path, icc_profile=profile)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_8_bits_of_another_space_are_within_two_levels_of_colour_science(tmp_path, name, suffix):
    path, values = tmp_path / f"photo{suffix}", muted(np.uint8)
    write(path, values, SPACES[name][0])
    image = read_image(path)
    expected = encode_srgb(by_colour_science(values / 255, name)) * 255
    assert np.abs(expected - values).max() > 4  # the conversion does something
    assert np.abs(image * 255 - expected).max() <= 2
    np.testing.assert_array_equal(np.rint(image * 255) / np.float32(255), image)  # 8 bits stay 8 bits
    assert f"converted from {name} to sRGB" in Photo(path).remarks


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("form", ["16.png", "16.tif", "32.tif"])
def test_deeper_values_of_another_space_are_colour_sciences_and_not_cut_to_8_bits(tmp_path, name, form):
    path, values = tmp_path / form, muted(np.uint16)
    write(path, (values / 65535).astype(np.float32) if form == "32.tif" else values, SPACES[name][0])
    image = read_image(path)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, encode_srgb(by_colour_science(values / 65535, name)), rtol=0, atol=1e-4)
    assert np.abs(np.rint(image * 255) - image * 255).max() > 0.3
    assert Photo(path).remarks == (f"converted from {name} to sRGB",)


@pytest.mark.parametrize("name", SPACES)
def test_in_linear_light_the_darkest_and_purest_colours_agree_too(tmp_path, name):
    path, values = tmp_path / "deep.png", picture(32, 32, dtype=np.uint16)
    write(path, values, SPACES[name][0])
    expected = np.clip(by_colour_science(values / 65535, name), 0, 1)
    np.testing.assert_allclose(decode_srgb(read_image(path)), expected, rtol=0, atol=1e-4)


def test_what_lies_outside_srgb_is_clipped_and_its_share_said(tmp_path):
    for path, dtype in ((tmp_path / "8.png", np.uint8), (tmp_path / "16.png", np.uint16)):
        values = np.full((10, 20, 3), np.iinfo(dtype).max // 2, dtype=dtype)
        values[:5] = np.array([0, 1, 0]) * np.iinfo(dtype).max  # the green of Adobe RGB
        write(path, values, SPACES["Adobe RGB (1998)"][0])
        np.testing.assert_allclose(read_image(path)[0, 0], (0, 1, 0), atol=1e-6)
        assert Photo(path).remarks == (
            "converted from Adobe RGB (1998) to sRGB",
            "about 50 % of the pixels lie outside sRGB and were clipped to it",
        )


@pytest.mark.parametrize("profile", [SRGB_PROFILE, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_an_srgb_profile_changes_no_bit(tmp_path, profile, suffix):
    stored = PIL.Image.fromarray(picture(32, 24))
    stored.save(tmp_path / f"with{suffix}", icc_profile=profile)
    stored.save(tmp_path / f"without{suffix}")
    with PIL.Image.open(tmp_path / f"with{suffix}") as opened:
        assert opened.info["icc_profile"] == profile
    np.testing.assert_array_equal(read_image(tmp_path / f"with{suffix}"), read_image(tmp_path / f"without{suffix}"))
    assert Photo(tmp_path / f"with{suffix}").remarks == ()


def test_an_srgb_profile_changes_no_bit_of_a_deep_photo(tmp_path):
    write(tmp_path / "with.png", picture(dtype=np.uint16), SRGB_PROFILE)
    (tmp_path / "without.png").write_bytes(deep_png(picture(dtype=np.uint16)))
    np.testing.assert_array_equal(read_image(tmp_path / "with.png"), read_image(tmp_path / "without.png"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_grey_photo_is_converted_by_its_grey_profile(tmp_path, dtype):
    path, full = tmp_path / "grey.tif", np.iinfo(dtype).max
    values = np.linspace(0, full, 256).astype(dtype).reshape(16, 16)
    write(path, values, grey_profile("Grey 1.8", gamma_curve(461 / 256)))
    expected = encode_srgb((values / full) ** (461 / 256))[..., np.newaxis]
    atol = 2 / 255 if dtype == np.uint8 else 3e-4
    np.testing.assert_allclose(read_image(path), np.repeat(expected, 3, axis=2), rtol=0, atol=atol)
    assert Photo(path).remarks == ("converted from Grey 1.8 to sRGB",)


def test_a_grey_photo_with_a_profile_for_rgb_is_converted_as_equal_red_green_and_blue(tmp_path):
    grey, rgb = tmp_path / "grey.png", tmp_path / "rgb.png"
    write(grey, muted(np.uint8)[..., 0], SPACES["ProPhoto RGB"][0])
    write(rgb, np.repeat(muted(np.uint8)[..., :1], 3, axis=2), SPACES["ProPhoto RGB"][0])
    np.testing.assert_array_equal(read_image(grey), read_image(rgb))


def test_a_palette_is_converted(tmp_path):
    stored = PIL.Image.fromarray(muted(np.uint8)).quantize(40)
    stored.save(tmp_path / "palette.png", icc_profile=SPACES["Adobe RGB (1998)"][0])
    stored.convert("RGB").save(tmp_path / "rgb.png", icc_profile=SPACES["Adobe RGB (1998)"][0])
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png"), read_image(tmp_path / "rgb.png"))


INKS = np.zeros((8, 8, 4), dtype=np.uint8)  # no ink is paper white
INKS[:, 4:, 3] = 255  # black ink: a third of the lightness


def lightness(image):
    return 116 * np.cbrt(decode_srgb(image.astype(np.float64)).mean(axis=-1)) - 16


def check_inks(path):
    image = read_image(path)
    np.testing.assert_allclose(image[:, :3], 1, atol=0.02)
    assert np.ptp(image, axis=2).max() < 0.02  # no hue
    assert (lightness(image[:, 5:]) < 45).all()
    assert (lightness(image[:, 5:]) > 10).all()
    assert Photo(path).remarks == ("converted from four inks to sRGB",)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_a_cmyk_image_with_a_profile_is_converted(tmp_path, suffix):
    path = tmp_path / f"print{suffix}"
    PIL.Image.frombytes("CMYK", (8, 8), INKS.tobytes()).save(path, icc_profile=ink_profile("four inks"))
    check_inks(path)


def test_a_cmyk_jpeg_that_is_not_adobes_is_not_stored_upside_down(tmp_path):
    buffer = io.BytesIO()
    inverted = 255 - INKS  # as Pillow stores them
    PIL.Image.frombytes("CMYK", (8, 8), inverted.tobytes()).save(buffer, "JPEG", icc_profile=ink_profile("four inks"))
    content = buffer.getvalue()
    start = content.index(b"\xff\xee")
    length = int.from_bytes(content[start + 2 : start + 4], "big")
    assert content[start + 4 : start + 9] == b"Adobe"
    (tmp_path / "print.jpg").write_bytes(content[:start] + content[start + 2 + length :])
    check_inks(tmp_path / "print.jpg")


def test_a_16_bit_cmyk_tiff_with_a_profile_is_converted(tmp_path):
    path = tmp_path / "print.tif"
    write(path, INKS.astype(np.uint16) * 257, ink_profile("four inks"))
    check_inks(path)


def test_inks_without_a_profile_are_refused(tmp_path):
    path = tmp_path / "print.jpg"
    PIL.Image.fromarray(picture(16, 16)).convert("CMYK").save(path)
    with pytest.raises(DataError, match=r"print\.jpg is a CMYK image without a profile, and only that says"):
        read_image(path)
    PIL.Image.fromarray(picture(16, 16)).convert("CMYK").save(path, icc_profile=SRGB_PROFILE)
    with pytest.raises(DataError, match=r"print\.jpg is a CMYK image without a profile that fits"):
        read_image(path)


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (b"", None),
        (b"no profile", "damaged"),
        (SRGB_PROFILE[:128], "damaged"),
        (SRGB_PROFILE[:300], "damaged"),
        (grey_profile("grey", gamma_curve(1.8)), "one of GRAY, which the picture is not,"),
        (ink_profile("inks"), "one of CMYK, which the picture is not,"),
    ],
)
def test_a_profile_that_is_damaged_or_does_not_fit_is_ignored_and_that_is_said(tmp_path, profile, words):
    path = tmp_path / "photo.tif"
    write(path, picture(), profile or b"\0")
    np.testing.assert_array_equal(np.rint(read_image(path) * 255), picture())
    expected = f"its colour profile is {words or 'damaged'} and was not applied".replace(", and", ", and")
    assert Photo(path).remarks == (expected,)


def test_a_png_profile_that_cannot_be_unpacked_is_ignored_and_that_is_said(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(deep_png(picture(dtype=np.uint16), chunk(b"iCCP", b"a name\0\0not packed")))
    np.testing.assert_allclose(read_image(path) * 65535, picture(dtype=np.uint16), rtol=1e-6)
    assert Photo(path).remarks == ("its colour profile is damaged and was not applied",)


def test_linear_overrides_a_profile_that_is_not_linear_and_keeps_one_that_is(tmp_path):
    path, values = tmp_path / "photo.tif", muted(np.uint16)
    write(path, values, SPACES["ProPhoto RGB"][0])
    np.testing.assert_allclose(read_image(path, linear=True), encode_srgb(values / 65535), rtol=0, atol=1e-6)
    assert Photo(path, linear=True).remarks == (
        "its profile ProPhoto RGB was not applied: its values were taken as linear light",
    )
    write(path, values, rgb_profile("Linear ProPhoto", PROPHOTO, PROPHOTO_WHITE, gamma_curve(1.0)))
    np.testing.assert_array_equal(read_image(path, linear=True), read_image(path))
    assert "converted from Linear ProPhoto to sRGB" in Photo(path, linear=True).remarks


def test_adobe_rgb_that_only_exif_names_is_converted(tmp_path):
    path = tmp_path / "_photo.jpg"
    exif = PIL.Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 0xFFFF
    exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    stored = PIL.Image.fromarray(np.full((16, 16, 3), (90, 140, 100), dtype=np.uint8))
    stored.save(path, exif=exif, quality=100)
    stored.save(tmp_path / "profile.jpg", icc_profile=SPACES["Adobe RGB (1998)"][0], quality=100)
    assert np.abs(read_image(path) - read_image(tmp_path / "profile.jpg")).max() <= 1.01 / 255
    assert Photo(path).remarks[0] == "its EXIF data name Adobe RGB (1998)"


def test_windows_of_a_converted_photo_are_parts_of_the_whole(tmp_path):
    for name, dtype in (("8.png", np.uint8), ("16.png", np.uint16)):
        write(tmp_path / name, picture(20, 30, dtype=dtype), SPACES["Display P3"][0])
        photo, window = Photo(tmp_path / name), Window(3, 5, 7, 11)
        np.testing.assert_array_equal(photo.read(window), read_image(tmp_path / name)[window.slices])
