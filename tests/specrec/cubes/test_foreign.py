"""The MATLAB layouts of other makers, in files written with scipy and h5py and not with specrec."""

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.cubes import open_cube, read_cube, write_cube
from specrec.cubes.layouts import LAYOUTS, NAMES
from specrec.errors import DataError, UsageError
from specrec.scenes import Window
from specrec.spectra import WAVELENGTHS


def some(height=5, width=4, bands=31, seed=0):
    return np.random.default_rng(seed).random((height, width, bands))


def write5(path, arrays, packed=True):
    scipy.io.savemat(path, arrays, do_compression=packed)
    return path


def write73(path, arrays):
    """As MATLAB does: HDF5 behind a header, the axes from the last to the first."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            file[name] = np.atleast_2d(array).T
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    return path


writers = pytest.mark.parametrize("write", [write5, write73])


@writers
def test_harvard_has_420_to_720_nm_and_moved_pixels_are_masked(tmp_path, write):
    labels = np.array([[1, 2, 0, 1]] * 4 + [[7, 1, 1, 1]])
    write(tmp_path / "imgd3.mat", {"ref": some(), "lbl": labels})
    with open_cube(tmp_path / "imgd3.mat") as stored:
        assert (stored.form, stored.shape, stored.attributes) == ("harvard", (5, 4, 31), {"quantity": "radiance"})
        np.testing.assert_array_equal(stored.wavelengths, np.arange(420, 721, 10))
        np.testing.assert_array_equal(stored.mask, labels != 0)
        np.testing.assert_array_equal(stored.read(), some().astype(np.float32))
    write(tmp_path / "still.mat", {"ref": some(), "lbl": labels + 1})
    assert read_cube(tmp_path / "still.mat").mask is None


@writers
@pytest.mark.parametrize(("bands", "first", "last"), [(33, 400, 720), (32, 400, 710), (31, 410, 710)])
def test_fosters_wavelengths_follow_from_the_number_of_bands(tmp_path, write, bands, first, last):
    contents = read_cube(write(tmp_path / "scene4.mat", {"reflectances": some(bands=bands)}))
    np.testing.assert_array_equal(contents.wavelengths, np.arange(first, last + 1, 10))
    assert contents.attributes == {"quantity": "reflectance"}
    np.testing.assert_array_equal(contents.cube, some(bands=bands).astype(np.float32))


@writers
@pytest.mark.parametrize("marks", [{"bands": WAVELENGTHS}, {"norm_factor": 0.25}])
def test_arad_is_read_upright_from_both_versions_and_keeps_its_factor(tmp_path, write, marks):
    contents = read_cube(write(tmp_path / "ARAD_1K_0001.mat", {"cube": some(6, 8), **marks}))
    np.testing.assert_array_equal(contents.cube, some(6, 8).astype(np.float32))
    np.testing.assert_array_equal(contents.wavelengths, WAVELENGTHS)
    assert contents.attributes == {"quantity": "radiance"} | {k: v for k, v in marks.items() if k == "norm_factor"}


def test_arad_as_h5py_sees_it_is_bands_first(tmp_path):
    """The description of the data set: h5py gives (31, 512, 482), which is transposed to (482, 512, 31)."""
    seen = np.random.default_rng(0).random((31, 8, 6))
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["cube"], file["bands"] = seen, WAVELENGTHS[:, np.newaxis]
    np.testing.assert_array_equal(read_cube(tmp_path / "a.mat").cube, np.transpose(seen).astype(np.float32))


@writers
@pytest.mark.parametrize("key", ["img", "cast", "data_slice", "img_hs"])
def test_wavelengths_of_cassi_sets_are_never_assumed(tmp_path, write, key):
    path = write(tmp_path / "scene.mat", {key: some(bands=28)})
    with pytest.raises(DataError, match=rf"scene\.mat: '{key}' has 28 bands and nothing says their wavelengths; add"):
        read_cube(path)
    grid = np.linspace(450, 650, 28) ** 1.001
    contents = read_cube(path, grid)
    np.testing.assert_array_equal(contents.wavelengths, grid)
    np.testing.assert_array_equal(contents.cube, some(bands=28).astype(np.float32))
    assert contents.attributes == {}  # nor is the quantity
    with pytest.raises(DataError, match=r"5 x 4 x 28, which does not fit 31 wavelengths"):
        read_cube(path, WAVELENGTHS)


@writers
@pytest.mark.parametrize("key", ["lambda", "wavelength", "wavelengths", "bands"])
def test_wavelengths_inside_the_file_go_first(tmp_path, write, key):
    grid = np.linspace(450, 660, 28)
    path = write(tmp_path / "scene.mat", {"img": some(bands=28), key: grid[:, np.newaxis]})
    np.testing.assert_array_equal(read_cube(path).wavelengths, grid)
    np.testing.assert_array_equal(read_cube(path, np.arange(400, 401 + 27)).wavelengths, grid)


@writers
def test_a_list_that_is_no_wavelengths_is_told_and_the_users_serve(tmp_path, write):
    path = write(tmp_path / "scene.mat", {"img": some(bands=28), "bands": np.arange(1, 29)})
    with pytest.raises(DataError, match=r"scene\.mat, key 'bands': 1 to 28 are no wavelengths in nm"):
        read_cube(path)
    grid = np.linspace(450, 660, 28)
    np.testing.assert_array_equal(read_cube(path, grid).wavelengths, grid)
    path = write(tmp_path / "other.mat", {"img": some(bands=28), "lambda": np.arange(400, 420)})
    with pytest.raises(DataError, match="'lambda' lists 20 wavelengths and the cube has 28 bands"):
        read_cube(path)


@writers
def test_bands_in_another_order_are_sorted_with_a_remark(tmp_path, write):
    path = write(tmp_path / "scene.mat", {"img": some(bands=3), "lambda": [650, 450, 550]})
    with open_cube(path) as stored:
        np.testing.assert_array_equal(stored.wavelengths, [450, 550, 650])
        np.testing.assert_array_equal(stored.read(), some(bands=3)[..., [1, 2, 0]].astype(np.float32))
        assert stored.remarks == (f"{path}: its bands are not in the order of their wavelengths and were sorted",)
    with pytest.raises(DataError, match="must increase"):
        read_cube(write(tmp_path / "twice.mat", {"img": some(bands=3), "lambda": [650, 450, 450]}))


def upright_counts():
    return (np.arange(7 * 5 * 31).reshape(7, 5, 31) % 4095).astype(np.float64)


@writers
def test_rad_is_upright_or_as_on_the_site_and_the_user_says_which(tmp_path, write):
    expected = upright_counts().astype(np.float32) / np.float32(4095)
    path = write(tmp_path / "upright.mat", {"rad": upright_counts()})
    with open_cube(path, layout="ntire2018") as stored:
        np.testing.assert_array_equal(stored.read(), expected)
        assert stored.attributes == {"quantity": "radiance"}
    path = write(tmp_path / "site.mat", {"rad": np.rot90(upright_counts(), k=-1)})
    with open_cube(path, layout="icvl") as stored:
        np.testing.assert_array_equal(stored.read(), expected)
        np.testing.assert_array_equal(stored.read(step=3), expected[::3, ::3])
        np.testing.assert_array_equal(stored.read(Window(2, 1, 4, 3), step=2), expected[2:6:2, 1:4:2])


def test_rad_in_version_5_is_not_guessed(tmp_path):
    with pytest.raises(DataError, match=r"add --layout ntire2018 \(it is\) or --layout icvl"):
        read_cube(write5(tmp_path / "scene.mat", {"rad": upright_counts()}))


@writers
def test_any_other_array_is_read_by_its_name(tmp_path, write):
    path = write(tmp_path / "own.mat", {"S": some(bands=12), "note": np.eye(3)})
    with pytest.raises(DataError, match=r"it holds S \(5 x 4 x 12\), note \(3 x 3\), which is no layout that is known"):
        read_cube(path)
    grid = np.arange(400, 520, 10)
    with open_cube(path, grid, key="S") as stored:
        np.testing.assert_array_equal(stored.read(), some(bands=12).astype(np.float32))
        assert stored.attributes == {}
    with pytest.raises(UsageError, match=r"own\.mat has no array 'T'; it holds S"), open_cube(path, grid, key="T"):
        pass
    with pytest.raises(DataError, match="'note' is 3 x 3, and a cube has three axes"), open_cube(path, key="note"):
        pass
    with pytest.raises(UsageError, match="has no key ref, as layout harvard has"), open_cube(path, layout="harvard"):
        pass
    with pytest.raises(UsageError, match="no layout 'havard'; there are harvard"), open_cube(path, layout="havard"):
        pass


def test_bands_on_the_first_axis_are_turned_with_a_remark(tmp_path):
    grid = np.arange(400, 520, 10)
    bands_first = np.moveaxis(some(bands=12), -1, 0)
    path = write5(tmp_path / "v5.mat", {"S": bands_first, "lambda": grid})
    with open_cube(path, key="S") as stored:
        np.testing.assert_array_equal(stored.read(), some(bands=12).astype(np.float32))
        assert stored.remarks == (f"{path}: the bands are the first axis of 'S', so the axes were turned",)
    with h5py.File(tmp_path / "h5py.mat", "w") as file:
        file["S"], file["lambda"] = some(bands=12), grid
    with open_cube(tmp_path / "h5py.mat", key="S") as stored:
        np.testing.assert_array_equal(stored.read(), some(bands=12).astype(np.float32))
        assert len(stored.remarks) == 1


@settings(max_examples=40)
@given(st.data())
def test_any_window_and_step_equal_the_part_of_the_whole(tmp_path_factory, data):
    height, width = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    write = data.draw(st.sampled_from([write5, write73, lambda path, arrays: write5(path, arrays, packed=False)]))
    layout = data.draw(st.sampled_from(["ntire2018", "icvl"]))
    cube = some(height, width)
    path = tmp_path_factory.mktemp("windows") / "scene.mat"
    write(path, {"rad": cube * 4095 if layout == "ntire2018" else np.rot90(cube * 4095, k=-1)})
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    window = Window(top, left, data.draw(st.integers(1, height - top)), data.draw(st.integers(1, width - left)))
    step = data.draw(st.integers(1, 4))
    with open_cube(path, layout=layout) as stored:
        expected = cube[window.slices][::step, ::step]
        np.testing.assert_allclose(stored.read(window, step), expected, rtol=3e-7)


@writers
def test_nan_and_masks_that_do_not_fit_are_named(tmp_path, write):
    cube = some()
    cube[2, 1, 3] = np.nan
    with pytest.raises(DataError, match="NaN or infinity, first at row 2, column 1, band 3"):
        read_cube(write(tmp_path / "nan.mat", {"reflectances": cube}))
    with pytest.raises(DataError, match=r"the mask 'lbl' is 4 x 5 and the cube 5 x 4 pixels"):
        read_cube(write(tmp_path / "mask.mat", {"ref": some(), "lbl": np.ones((4, 5))}))
    with pytest.raises(DataError, match="'reflectances' is 5 x 4, and a cube has three axes"):
        read_cube(write(tmp_path / "flat.mat", {"reflectances": np.eye(5)[:, :4]}))


def test_text_is_no_array(tmp_path):
    with pytest.raises(DataError, match=r"has no key 'rad'; it holds no array of numbers"):
        read_cube(write5(tmp_path / "scene.mat", {"reflectances": "words"}))


def test_the_table_names_each_layout_once_and_says_the_wavelengths_it_promises():
    assert len(set(NAMES)) == len(NAMES) == len(LAYOUTS)
    assert all(len(grid) == bands for layout in LAYOUTS for bands, grid in layout.grids.items())


@pytest.mark.parametrize("name", ["a.h5", "a.nc", "a.tif", "a.npy", "a.hdr"])
@pytest.mark.parametrize("named", [{"key": "cube"}, {"layout": "arad"}], ids=str)
def test_a_key_or_a_layout_is_refused_for_what_is_no_matlab_file(tmp_path, name, named):
    dtype = "float32" if name == "a.npy" else "uint16"
    write_cube(tmp_path / name, some(bands=31).astype(float), WAVELENGTHS, {"quantity": "radiance"}, dtype=dtype)
    words = rf"{name} is \w+ and no MATLAB file, for which alone --key and --layout are; leave them out"
    with pytest.raises(UsageError, match=words), open_cube(tmp_path / name, **named):
        pass


def test_a_key_serves_for_any_hdf5_that_no_reader_knows_and_for_what_says_it_is_matlab(tmp_path):
    with h5py.File(tmp_path / "own.h5", "w") as file:
        file["S"] = some(bands=4).T
    np.testing.assert_array_equal(read_by_key(tmp_path / "own.h5", "S"), some(bands=4).astype(np.float32))
    with h5py.File(tmp_path / "own.mat", "w", userblock_size=512) as file:
        file["cube"], file["wavelengths"] = some(bands=4).T, np.arange(400, 440, 10)
        file.attrs["format_version"] = 1
    content = (tmp_path / "own.mat").read_bytes()
    (tmp_path / "own.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(128) + content[128:])
    np.testing.assert_array_equal(read_by_key(tmp_path / "own.mat", "cube"), some(bands=4).astype(np.float32))


def read_by_key(path, key):
    with open_cube(path, np.arange(400, 440, 10), key=key) as stored:
        return stored.read()
