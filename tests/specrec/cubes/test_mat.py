import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.cubes import mat, read_cube, write_cube
from specrec.errors import DataError
from specrec.scenes import Window
from specrec.spectra import WAVELENGTHS


def known_counts(height=9, width=6, bands=31):
    """12-bit counts that differ in every pixel and band, and from their mirror images."""
    return (np.arange(height * width * bands).reshape(height, width, bands) % 4095 + 1).astype(np.uint16)


def write_icvl(path, counts, dtype=np.float64, bands=WAVELENGTHS, **storage):
    """The layout, written from the description np.rot90(rad.T, k=1) and not with specrec."""
    with h5py.File(path, "w") as file:
        file.create_dataset("rad", data=np.rot90(counts, k=-1).T.astype(dtype), **storage)
        if bands is not None:
            file["bands"] = np.reshape(bands, (-1, 1))
    return path


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint16])
@pytest.mark.parametrize("storage", [{}, {"chunks": (1, 4, 4), "compression": "gzip"}, {"chunks": (31, 2, 6)}])
def test_a_known_scene_comes_back_upright_unmirrored_and_to_the_last_count(tmp_path, dtype, storage):
    path = write_icvl(tmp_path / "scene.mat", known_counts(), dtype, **storage)
    contents = read_cube(path)
    np.testing.assert_array_equal(contents.cube, known_counts().astype(np.float32) / np.float32(4095))
    np.testing.assert_array_equal(np.rint(contents.cube * 4095), known_counts())
    assert contents.mask is None
    assert contents.attributes == {"quantity": "radiance"}


@pytest.mark.parametrize("storage", [{}, {"chunks": (1, 4, 4)}, {"chunks": (7, 5, 3), "compression": "gzip"}])
def test_pixels_that_are_zero_in_every_band_are_masked(tmp_path, storage):
    counts = known_counts(9, 11)
    counts[:, 8:] = 0
    counts[4, 5] = 0
    counts[2, 1, :30] = 0
    path = write_icvl(tmp_path / "scene.mat", counts, **storage)
    np.testing.assert_array_equal(mat.read_mask(path), counts.any(axis=2))
    assert mat.read_mask(path).sum() == 9 * 8 - 1


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_window_equals_the_part_of_the_whole(tmp_path_factory, data):
    height, width = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12))
    chunks = data.draw(st.none() | st.tuples(st.integers(1, 31), st.integers(1, height), st.integers(1, width)))
    path = tmp_path_factory.mktemp("windows") / "scene.mat"
    write_icvl(path, known_counts(height, width), chunks=chunks)
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    rows, columns = data.draw(st.integers(1, height - top)), data.draw(st.integers(1, width - left))
    window = Window(top, left, rows, columns)
    values = mat.read_window(path, window)
    np.testing.assert_array_equal(np.rint(values * 4095), known_counts(height, width)[window.slices])


def test_a_file_without_the_key_is_named_with_what_it_holds(tmp_path):
    with h5py.File(tmp_path / "scene.mat", "w") as file:
        file["cube"] = np.zeros((31, 2, 2))
    with pytest.raises(DataError, match=r"scene\.mat has no key 'rad'; it holds cube"):
        read_cube(tmp_path / "scene.mat")


def test_a_cube_with_other_axes_is_named(tmp_path):
    with h5py.File(tmp_path / "scene.mat", "w") as file:
        file["rad"] = np.zeros((31, 2))
    with pytest.raises(DataError, match=r"scene\.mat: the key 'rad' has shape \(31, 2\)"):
        read_cube(tmp_path / "scene.mat")


@pytest.mark.parametrize("content", ["text", np.zeros((31, 2, 2), dtype=complex)])
def test_a_key_that_holds_no_real_numbers_is_named(tmp_path, content):
    with h5py.File(tmp_path / "scene.mat", "w") as file:
        file["rad"] = content
    with pytest.raises(DataError, match="'rad' holds no array of numbers"):
        read_cube(tmp_path / "scene.mat")


def test_bands_that_do_not_match_are_named(tmp_path):
    path = write_icvl(tmp_path / "scene.mat", known_counts(), bands=WAVELENGTHS[:30])
    with pytest.raises(DataError, match=r"scene\.mat: the key 'rad' has 31 bands and the key 'bands' 30 wavelengths"):
        read_cube(path)


def test_bands_that_fall_are_refused(tmp_path):
    path = write_icvl(tmp_path / "scene.mat", known_counts(), bands=WAVELENGTHS[::-1])
    with pytest.raises(DataError, match="key 'bands': wavelengths must increase"):
        read_cube(path)


def test_wavelengths_come_from_the_file(tmp_path):
    path = write_icvl(tmp_path / "scene.mat", known_counts(bands=4), bands=[420, 500.5, 610, 700])
    np.testing.assert_array_equal(read_cube(path).wavelengths, [420, 500.5, 610, 700])


def test_31_bands_without_wavelengths_are_the_standard_ones_and_others_are_not_guessed(tmp_path):
    path = write_icvl(tmp_path / "scene.mat", known_counts(), bands=None)
    np.testing.assert_array_equal(read_cube(path).wavelengths, WAVELENGTHS)
    path = write_icvl(tmp_path / "other.mat", known_counts(bands=28), bands=None)
    with pytest.raises(DataError, match="no key 'bands', and what 28 bands are cannot be guessed"):
        read_cube(path)


def test_nan_in_a_cube_is_named(tmp_path):
    counts = known_counts().astype(float)
    counts[3, 2, 1] = np.nan
    path = write_icvl(tmp_path / "scene.mat", counts)
    with pytest.raises(DataError, match="NaN or infinity, first at row 3, column 2, band 1"):
        read_cube(path)


def test_a_matlab_v5_file_is_told_from_damage(tmp_path):
    scipy.io.savemat(tmp_path / "scene.mat", {"rad": known_counts()})
    with pytest.raises(DataError, match=r"scene\.mat: this is a MATLAB v5 file; a v7.3 file was expected"):
        read_cube(tmp_path / "scene.mat")


@pytest.mark.parametrize(("content", "sentence"), [(b"", "is empty"), (b"a text\n" * 50, "is not an HDF5 file")])
def test_a_file_that_is_no_hdf5_is_told_from_damage(tmp_path, content, sentence):
    (tmp_path / "scene.mat").write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        read_cube(tmp_path / "scene.mat")


def test_a_truncated_file_says_so(tmp_path):
    path = write_icvl(tmp_path / "scene.mat", known_counts())
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match=r"scene\.mat: the file is truncated"):
        read_cube(path)


def test_what_is_written_is_the_layout_as_matlab_has_it(tmp_path):
    path = tmp_path / "scene.mat"
    cube = known_counts() / np.float32(4095)
    write_cube(path, cube, WAVELENGTHS, {"quantity": "radiance"})
    content = path.read_bytes()
    assert content.startswith(b"MATLAB 7.3 MAT-file")
    assert content[124:128] == b"\x00\x02IM"
    assert content[512:520] == b"\x89HDF\r\n\x1a\n"
    assert scipy.io.matlab.matfile_version(str(path)) == (2, 0)
    with h5py.File(path) as file:
        assert file["rad"].attrs["MATLAB_class"] == b"single"
        assert file["bands"].attrs["MATLAB_class"] == b"double"
        assert file["bands"].shape == (1, 31)
        upright = np.rot90(file["rad"][()].T, k=1)
    np.testing.assert_array_equal(np.rint(upright), known_counts())


def test_a_pixel_that_the_mask_leaves_out_is_stored_black(tmp_path):
    mask = np.ones((9, 6), dtype=bool)
    mask[1, 2] = mask[8, 0] = False
    write_cube(tmp_path / "scene.mat", known_counts() / 4095, WAVELENGTHS, {"quantity": "radiance"}, mask)
    contents = read_cube(tmp_path / "scene.mat")
    np.testing.assert_array_equal(contents.mask, mask)
    assert not contents.cube[1, 2].any()
