"""Every form, with every type of numbers that it has: sizes, masks, windows, other readers of the same files."""

import random

import h5py
import numpy as np
import pytest
import tifffile

from specrec.cubes import (
    DTYPES,
    FORMS,
    SPAN,
    SUFFIXES,
    check_form,
    cube_writer,
    open_cube,
    read_cube,
    stored_bytes,
    write_cube,
    written_paths,
)
from specrec.errors import DataError, UsageError
from specrec.scenes import Window
from specrec.spectra import WAVELENGTHS

ATTRIBUTES = {
    "quantity": "reflectance", "units": "1", "scale_min": 0.25, "scale_max": 2.5, "method": "gan",
    "weights_sha256": "12e4" * 16, "rendering": "cie1964-10deg-10nm/E/iec61966-2-1/round8", "camera": 'a {"box"}\n= b',
    "Shots": 3,
}  # fmt: skip
ABSENT = {("mat", "float16"), ("mat", "uint16"), ("envi", "float16"), ("netcdf", "float16"), ("npy", "uint16")}
PAIRS = [(form, dtype) for form in FORMS for dtype in DTYPES if (form, dtype) not in ABSENT]
SIZES = [(1, 1), (1, 13), (13, 1), (67, 71)]


def some_cube(height, width, bands=31):
    return np.random.default_rng(0).random((height, width, bands), dtype=np.float32) * np.float32(1.2) - np.float32(0.1)


def some_mask(height, width):
    mask = np.random.default_rng(1).random((height, width)) > 0.4
    mask[0, 0] = False
    return mask


def expected(form, dtype, cube):
    """What must come back, worked out without the code under test."""
    if dtype == "float16":
        return cube.astype(np.float16).astype(np.float32)
    if dtype == "uint16":
        return (np.rint((cube.astype(np.float64) + 1) * 16384) / 16384 - 1).astype(np.float32)
    return (cube * np.float32(4095)) / np.float32(4095) if form == "mat" else cube


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
@pytest.mark.parametrize(("form", "dtype"), PAIRS)
def test_a_cube_comes_back_to_the_last_bit_with_all_that_its_form_keeps(tmp_path, form, dtype, masked, size):
    cube, path = some_cube(*size), tmp_path / f"cube{SUFFIXES[form]}"
    mask = some_mask(*size) if masked else None
    write_cube(path, cube, WAVELENGTHS, ATTRIBUTES, mask, dtype=dtype)
    assert {entry.name for entry in tmp_path.iterdir()} == {written.name for written in written_paths(path)}
    back = read_cube(path)
    valid = np.ones(size, bool) if mask is None or form == "npy" else mask
    assert back.cube.dtype == np.float32
    np.testing.assert_array_equal(back.cube[valid], expected(form, dtype, cube)[valid])
    np.testing.assert_array_equal(back.wavelengths, WAVELENGTHS)
    if form == "npy":
        assert (back.mask, back.attributes) == (None, {})
        return
    np.testing.assert_array_equal(np.ones(size, bool) if back.mask is None else back.mask, valid)
    kept = {key: back.attributes[key] for key in ATTRIBUTES}
    assert kept == ATTRIBUTES
    assert {key: type(value) for key, value in kept.items()} == {key: type(value) for key, value in ATTRIBUTES.items()}
    assert back.attributes["specrec_version"]


@pytest.mark.parametrize(("form", "dtype"), PAIRS)
def test_windows_are_written_and_read_in_any_order(tmp_path, form, dtype):
    height, width = 67, 71
    cube, mask, path = some_cube(height, width), some_mask(height, width), tmp_path / f"cube{SUFFIXES[form]}"
    windows = [
        Window(top, left, min(19, height - top), min(23, width - left))
        for top in range(0, height, 19)
        for left in range(0, width, 23)
    ]
    random.Random(0).shuffle(windows)
    whole = tmp_path / f"whole{SUFFIXES[form]}"
    write_cube(whole, cube, WAVELENGTHS, ATTRIBUTES, mask, dtype=dtype)
    with cube_writer(path, cube.shape, WAVELENGTHS, ATTRIBUTES, mask, dtype=dtype) as put:
        for window in windows:
            put(window, cube[window.slices])
    np.testing.assert_array_equal(read_cube(path).cube, read_cube(whole).cube)
    with open_cube(path) as stored:
        assert (stored.form, stored.shape, stored.path) == (form, cube.shape, path)
        everything = stored.read()
        for window in windows:
            np.testing.assert_array_equal(stored.read(window), everything[window.slices])
        for step in (2, 7, 100):
            np.testing.assert_array_equal(stored.read(step=step), everything[::step, ::step])
        part = stored.read(Window(3, 5, 60, 61), step=4)
        np.testing.assert_array_equal(part, everything[3:63:4, 5:66:4])
        for outside in (Window(-1, 0, 2, 2), Window(0, 0, 68, 1), Window(0, 70, 1, 2), Window(0, 0, 0, 1)):
            with pytest.raises(ValueError, match="does not lie inside"):
                stored.read(outside)


@pytest.mark.parametrize(("form", "dtype"), PAIRS)
def test_the_size_on_disk_is_known_before(tmp_path, form, dtype):
    path = tmp_path / f"cube{SUFFIXES[form]}"
    write_cube(path, some_cube(67, 71), WAVELENGTHS, ATTRIBUTES, dtype=dtype)
    size = sum(written.stat().st_size for written in written_paths(path))
    assert size == pytest.approx(stored_bytes(path, (67, 71, 31), dtype=dtype), abs=20_000)


@pytest.mark.parametrize("form", [form for form in FORMS if (form, "uint16") in PAIRS])
def test_uint16_takes_a_span_and_refuses_what_lies_outside(tmp_path, form):
    path, cube = tmp_path / f"cube{SUFFIXES[form]}", some_cube(5, 6) * 100
    with pytest.raises(DataError, match=r"cube\..*lies outside -1 to 2.99988.*write float32"):
        write_cube(path, cube, WAVELENGTHS, ATTRIBUTES, dtype="uint16")
    assert list(tmp_path.iterdir()) == []
    span = (float(cube.min()), float(cube.max()))
    write_cube(path, cube, WAVELENGTHS, ATTRIBUTES, some_mask(5, 6), dtype="uint16", span=span)
    back, valid = read_cube(path), some_mask(5, 6)
    np.testing.assert_allclose(back.cube[valid], cube[valid], atol=(span[1] - span[0]) / 65534 * 0.51)
    np.testing.assert_array_equal(back.mask, valid)


def test_the_highest_and_the_lowest_value_of_the_span_are_kept(tmp_path):
    cube = np.broadcast_to(np.float32(SPAN[1]), (1, 2, 31)).copy()
    cube[0, 1] = SPAN[0]
    for form in ("hdf5", "envi", "tiff", "netcdf"):
        path = tmp_path / f"cube{SUFFIXES[form]}"
        write_cube(path, cube, WAVELENGTHS, ATTRIBUTES, np.array([[True, True]]), dtype="uint16")
        back = read_cube(path)
        np.testing.assert_array_equal(back.cube, cube)
        assert back.mask is None or back.mask.all()


@pytest.mark.parametrize(("form", "dtype"), sorted(ABSENT))
def test_a_type_that_a_form_lacks_is_refused_with_a_reason_before_any_work(tmp_path, form, dtype):
    path = tmp_path / f"cube{SUFFIXES[form]}"
    for attempt in (
        lambda: check_form(path, None, dtype),
        lambda: write_cube(path, some_cube(2, 2), WAVELENGTHS, ATTRIBUTES, dtype=dtype),
        lambda: stored_bytes(path, (2, 2, 31), dtype=dtype),
    ):
        with pytest.raises(UsageError, match=rf"cannot be {dtype}: .*write float32"):
            attempt()
    assert list(tmp_path.iterdir()) == []


def test_a_form_is_chosen_by_suffix_or_by_name(tmp_path):
    assert {check_form(tmp_path / f"a{suffix}") for suffix in SUFFIXES.values()} == set(FORMS)
    assert check_form("a.cube", "tiff") == "tiff"
    assert check_form("A.TIFF") == "tiff"
    with pytest.raises(UsageError, match=r"written as hdf5, mat, envi, tiff, netcdf, npy, not as 'png'"):
        check_form("a.h5", "png")
    with pytest.raises(UsageError, match=r"a\.h5 ends like hdf5, and tiff was asked for; tiff ends in \.tif"):
        check_form("a.h5", "tiff")
    write_cube(tmp_path / "cube", some_cube(2, 3), WAVELENGTHS, ATTRIBUTES, form="netcdf")
    np.testing.assert_array_equal(read_cube(tmp_path / "cube").cube, some_cube(2, 3))


@pytest.mark.parametrize("form", [form for form in FORMS if form != "npy"])
def test_what_a_file_is_is_decided_by_its_content(tmp_path, form):
    path = tmp_path / f"cube{SUFFIXES[form]}"
    write_cube(path, some_cube(2, 3), WAVELENGTHS, ATTRIBUTES)
    for suffix in (".dat", ".raw", "") if form == "envi" else (".mat", ".h5", ".tif", ".dat"):
        renamed = tmp_path / f"other{suffix}"
        if form == "envi":
            write_cube(tmp_path / "other.hdr", some_cube(2, 3), WAVELENGTHS, ATTRIBUTES, overwrite=True)
            (tmp_path / "other.img").rename(renamed)
        else:
            renamed.write_bytes(path.read_bytes())
        with open_cube(renamed) as stored:
            assert stored.form == form
            np.testing.assert_allclose(stored.read(), some_cube(2, 3), rtol=2e-7)
        renamed.unlink()


def test_a_damaged_file_is_not_taken_for_the_data_of_a_header_beside_it(tmp_path):
    write_cube(tmp_path / "cube.hdr", some_cube(2, 3), WAVELENGTHS, ATTRIBUTES)
    (tmp_path / "cube.h5").write_bytes(bytes(5000))
    with pytest.raises(DataError, match=r"cube\.h5: this is not an HDF5 file"):
        read_cube(tmp_path / "cube.h5")


def test_envi_data_have_a_name_under_which_readers_look_for_them(tmp_path):
    write_cube(tmp_path / "bare", some_cube(2, 3), WAVELENGTHS, ATTRIBUTES, form="envi")
    np.testing.assert_array_equal(read_cube(tmp_path / "bare.hdr").cube, some_cube(2, 3))
    with pytest.raises(UsageError, match=r"a\.cube has the suffix '\.cube'; ENVI ends in \.hdr"):
        check_form("a.cube", "envi")


def test_a_file_that_nobody_knows_is_named(tmp_path):
    (tmp_path / "cube.xyz").write_bytes(b"something")
    with (
        pytest.raises(DataError, match=r"cube\.xyz is no cube file that specrec knows"),
        open_cube(tmp_path / "cube.xyz"),
    ):
        pass


def test_wavelengths_are_given_for_a_file_that_names_none_and_never_replace_those_of_one_that_does(tmp_path):
    np.save(tmp_path / "bare.npy", some_cube(2, 3, 28))
    with pytest.raises(DataError, match="28 bands"):
        read_cube(tmp_path / "bare.npy")
    np.testing.assert_array_equal(read_cube(tmp_path / "bare.npy", range(450, 450 + 28)).wavelengths, range(450, 478))
    write_cube(tmp_path / "full.tif", some_cube(2, 3), WAVELENGTHS, ATTRIBUTES)
    np.testing.assert_array_equal(read_cube(tmp_path / "full.tif", range(1, 32)).wavelengths, WAVELENGTHS)


@pytest.mark.parametrize("form", [form for form, dtype in PAIRS if dtype == "uint16"])
def test_a_pixel_without_a_value_is_the_level_65535_of_uint16_and_reads_as_0(tmp_path, form):
    path, cube, mask = tmp_path / f"cube{SUFFIXES[form]}", some_cube(5, 6), some_mask(5, 6)
    cube[~mask] = 1e6  # what lies there need not fit the span
    write_cube(path, cube, WAVELENGTHS, ATTRIBUTES, mask, dtype="uint16")
    levels = stored_levels(path, form)
    np.testing.assert_array_equal((levels == 65535).all(axis=2), ~mask)
    np.testing.assert_array_equal((levels == 65535).any(axis=2), ~mask)
    back = read_cube(path)
    np.testing.assert_array_equal(back.mask, mask)
    assert (back.cube[~mask] == 0).all()
    np.testing.assert_allclose(back.cube[mask], cube[mask], atol=2**-15)


def stored_levels(path, form):
    """The numbers of a file as other programs find them, (height, width, bands)."""
    if form == "tiff":
        return np.moveaxis(tifffile.imread(path, key=0), 0, -1)
    if form == "envi":
        return np.fromfile(path.with_suffix(".img"), "<u2").reshape(5, 6, 31)
    with h5py.File(path) as file:
        cube = file["reflectance" if form == "netcdf" else "cube"]
        assert form != "netcdf" or cube.attrs["_FillValue"] == 65535
        return cube[()]
