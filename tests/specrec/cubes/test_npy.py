import numpy as np
import pytest

from specrec.cubes import open_cube, read_cube, write_cube
from specrec.errors import DataError, UsageError
from specrec.scenes import Window
from specrec.spectra import WAVELENGTHS


def test_the_file_is_a_plain_float32_array(tmp_path):
    cube = np.random.default_rng(0).random((3, 4, 31))
    write_cube(tmp_path / "cube.npy", cube, WAVELENGTHS, {"quantity": "radiance"}, np.ones((3, 4), dtype=bool))
    back = np.load(tmp_path / "cube.npy")
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, cube.astype(np.float32))


def test_bands_off_the_standard_grid_are_not_written(tmp_path):
    with pytest.raises(UsageError, match=r"keeps no wavelengths, so 3 bands, 400-420 nm cannot be told"):
        write_cube(tmp_path / "cube.npy", np.zeros((2, 2, 3)), [400, 410, 420], {"quantity": "radiance"})
    assert list(tmp_path.iterdir()) == []


def test_another_number_of_bands_is_not_guessed(tmp_path):
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 28)))
    with pytest.raises(DataError, match=r"cube\.npy has 28 bands"):
        read_cube(tmp_path / "cube.npy")


@pytest.mark.parametrize("array", [np.zeros((4, 31)), np.zeros(()), np.zeros((0, 4, 31))])
def test_other_axes_are_named(tmp_path, array):
    np.save(tmp_path / "cube.npy", array)
    with pytest.raises(DataError, match=r"cube\.npy"):
        read_cube(tmp_path / "cube.npy")


def test_nothing_is_unpickled(tmp_path):
    np.save(tmp_path / "cube.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"cube\.npy is not a whole \.npy file of numbers"):
        read_cube(tmp_path / "cube.npy")


def test_nan_is_named(tmp_path):
    np.save(tmp_path / "cube.npy", np.full((2, 2, 31), np.nan))
    with pytest.raises(DataError, match="NaN"):
        read_cube(tmp_path / "cube.npy")


def test_a_shape_larger_than_the_file_costs_no_memory(tmp_path):
    path = tmp_path / "cube.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6, 31)}
        )
    with pytest.raises(DataError, match=r"cube\.npy"):
        read_cube(path)


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<u2", "<f2"])
def test_arrays_in_the_order_of_matlab_are_read_whole_and_in_windows(tmp_path, dtype):
    cube = np.random.default_rng(0).integers(0, 200, (6, 7, 31)).astype(dtype)
    np.save(tmp_path / "cube.npy", np.asfortranarray(cube))
    with open_cube(tmp_path / "cube.npy") as stored:
        np.testing.assert_array_equal(stored.read(), cube)
        np.testing.assert_array_equal(stored.read(Window(1, 2, 4, 5), step=2), cube[1:5:2, 2:7:2])
