import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from specrec.cubes import CubeFile, check_form, read_cube, write_cube, written_paths
from specrec.errors import DataError, SpecrecError, UsageError
from specrec.spectra import WAVELENGTHS

RADIANCE = {"quantity": "radiance"}
SUFFIXES = [".h5", ".hdf5", ".mat", ".hdr", ".img", ".tif", ".nc", ".npy"]


def content(path):
    return [written.read_bytes() for written in written_paths(path)]


def check_sentence(error, file):
    assert str(file) in str(error)
    assert "\n" not in str(error)


def some_cube(height=5, width=7, bands=31, seed=0):
    return np.random.default_rng(seed).random((height, width, bands), dtype=np.float32)


shapes = st.tuples(st.integers(1, 70), st.integers(1, 70))
cubes = shapes.flatmap(
    lambda shape: hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64, np.uint8, np.int16]),
        st.just((*shape, 31)),
        elements={"min_value": 0, "max_value": 120},
        fill=st.integers(0, 120),
    )
)


@pytest.mark.parametrize("suffix", [".h5", ".hdr", ".tif", ".nc", ".npy"])
@settings(max_examples=25, deadline=None)
@given(cube=cubes)
def test_any_cube_comes_back_as_the_same_float32(tmp_path_factory, suffix, cube):
    path = tmp_path_factory.mktemp("cubes") / f"cube{suffix}"
    write_cube(path, cube, WAVELENGTHS, RADIANCE)
    back = read_cube(path)
    assert back.cube.dtype == np.float32
    np.testing.assert_array_equal(back.cube, cube.astype(np.float32))
    np.testing.assert_array_equal(back.wavelengths, WAVELENGTHS)
    assert back.mask is None


@settings(max_examples=25, deadline=None)
@given(cube=cubes)
def test_any_cube_comes_back_from_mat_within_one_rounding(tmp_path_factory, cube):
    path = tmp_path_factory.mktemp("cubes") / "cube.mat"
    write_cube(path, cube, WAVELENGTHS, RADIANCE)
    back = read_cube(path)
    assert back.cube.dtype == np.float32
    np.testing.assert_allclose(back.cube, cube.astype(np.float32), rtol=2e-7)
    black = (cube.astype(np.float32) == 0).all(axis=2)
    assert (back.mask is None) == (not black.any())
    if back.mask is not None:
        np.testing.assert_array_equal(back.mask, ~black)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_memory_layout_does_not_matter(tmp_path, suffix):
    cube = some_cube()
    write_cube(tmp_path / f"plain{suffix}", cube, WAVELENGTHS, RADIANCE)
    write_cube(tmp_path / f"strided{suffix}", np.asfortranarray(cube)[::1], WAVELENGTHS, RADIANCE)
    assert content(tmp_path / f"plain{suffix}") == content(tmp_path / f"strided{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_cube_given_is_not_changed(tmp_path, suffix):
    cube = some_cube()
    mask = np.zeros((5, 7), dtype=bool)
    write_cube(tmp_path / f"cube{suffix}", cube, WAVELENGTHS, RADIANCE, mask)
    np.testing.assert_array_equal(cube, some_cube())


@pytest.mark.parametrize("suffix", [".h5", ".mat", ".hdr", ".tif", ".nc"])
def test_wavelengths_and_mask_come_back(tmp_path, suffix):
    wavelengths = np.array([450.5, 520.0, 633.25])
    mask = np.ones((5, 7), dtype=bool)
    mask[:, :2] = False
    write_cube(tmp_path / f"cube{suffix}", some_cube(bands=3), wavelengths, RADIANCE, mask)
    back = read_cube(tmp_path / f"cube{suffix}")
    np.testing.assert_array_equal(back.wavelengths, wavelengths)
    np.testing.assert_array_equal(back.mask, mask)
    np.testing.assert_allclose(back.cube[mask], some_cube(bands=3)[mask], rtol=2e-7)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_existing_file_is_replaced_only_when_asked(tmp_path, suffix):
    path = tmp_path / f"cube{suffix}"
    write_cube(path, some_cube(), WAVELENGTHS, RADIANCE)
    before = content(path)
    with pytest.raises(UsageError, match="exists; choose another name"):
        write_cube(path, some_cube(seed=1), WAVELENGTHS, RADIANCE)
    assert content(path) == before
    write_cube(path, some_cube(seed=1), WAVELENGTHS, RADIANCE, overwrite=True)
    assert content(path) != before


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda cube: np.where(cube == cube[2, 3, 4], np.nan, cube),
            "NaN or infinity, first at row 2, column 3, band 4",
        ),
        (lambda cube: np.where(cube == cube[2, 3, 4], np.inf, cube), "NaN or infinity"),
        (lambda cube: cube[..., :30], "30 bands and there are 31 wavelengths"),
        (lambda cube: cube[..., 0], r"axes \(height, width, bands\)"),
        (lambda cube: cube[:0], "this one has shape"),
        (lambda cube: cube * 1j, "holds real numbers"),
    ],
)
def test_a_cube_that_cannot_be_right_is_not_written(tmp_path, suffix, change, sentence):
    path = tmp_path / f"cube{suffix}"
    with pytest.raises(DataError, match=sentence) as caught:
        write_cube(path, change(some_cube()), WAVELENGTHS, RADIANCE)
    assert str(path) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"cube{suffix}"
    write_cube(path, some_cube(), WAVELENGTHS, RADIANCE)
    before = content(path)

    def full(_path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("specrec.cache.os.fsync", full)
    with pytest.raises(SpecrecError, match="No space left"):
        write_cube(path, some_cube(seed=1), WAVELENGTHS, RADIANCE, overwrite=True)
    assert content(path) == before
    assert set(tmp_path.iterdir()) == set(written_paths(path))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_that_cannot_be_is_one_sentence(tmp_path, suffix):
    (tmp_path / "file").touch()
    with pytest.raises(SpecrecError, match="cannot write into"):
        write_cube(tmp_path / "file" / f"cube{suffix}", some_cube(), WAVELENGTHS, RADIANCE)


@pytest.mark.parametrize("name", ["cube.pt", "cube", "cube.h5.gz"])
def test_an_unknown_suffix_lists_the_valid_ones(tmp_path, name):
    for attempt in (
        lambda path: write_cube(path, some_cube(), WAVELENGTHS, RADIANCE),
        check_form,
    ):
        with pytest.raises(UsageError, match=r"ends in \.h5, \.hdf5, \.mat, \.hdr, \.img, \.tif, \.tiff, \.nc, \.npy"):
            attempt(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_upper_case_suffixes_are_known(tmp_path):
    write_cube(tmp_path / "CUBE.H5", some_cube(), WAVELENGTHS, RADIANCE)
    np.testing.assert_array_equal(read_cube(tmp_path / "CUBE.H5").cube, some_cube())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_file_is_a_usage_error(tmp_path, suffix):
    with pytest.raises(UsageError, match="there is no cube file"):
        read_cube(tmp_path / f"absent{suffix}")


def test_attributes_without_a_quantity_are_a_callers_bug(tmp_path):
    with pytest.raises(ValueError, match="quantity"):
        write_cube(tmp_path / "cube.h5", some_cube(), WAVELENGTHS, {"quantity": "brightness"})
    with pytest.raises(ValueError, match="mask"):
        write_cube(tmp_path / "cube.h5", some_cube(), WAVELENGTHS, RADIANCE, np.ones((7, 5), dtype=bool))


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=300))
def test_random_bytes_raise_nothing_but_data_errors(tmp_path_factory, suffix, content):
    path = tmp_path_factory.mktemp("random") / f"cube{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cube\."):
        read_cube(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_in_a_sentence(tmp_path_factory, suffix, data):
    path = tmp_path_factory.mktemp("damaged") / f"cube{suffix}"
    mask = np.ones((3, 4), dtype=bool)
    mask[1, 2] = False
    write_cube(path, some_cube(3, 4), WAVELENGTHS, RADIANCE, mask)
    content = bytearray(path.read_bytes())
    kept = data.draw(st.integers(0, len(content)), label="kept")
    for _ in range(data.draw(st.integers(1, 5), label="changes")):
        # the first bytes hold the structure, the rest is mostly numbers
        place = data.draw(st.integers(0, min(len(content), 3000) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content if data.draw(st.booleans(), label="whole") else content[:kept])
    try:
        contents = read_cube(path)
    except SpecrecError as error:
        check_sentence(error, str(path))
    else:
        assert isinstance(contents, CubeFile)
        assert np.isfinite(contents.cube).all()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_truncated_file_is_named(tmp_path, suffix):
    path = tmp_path / f"cube{suffix}"
    write_cube(path, some_cube(40, 50), WAVELENGTHS, RADIANCE)
    for written in written_paths(path):
        written.write_bytes(written.read_bytes()[: written.stat().st_size * 2 // 3])
    with pytest.raises(DataError, match=r"cube\."):
        read_cube(path)


def test_the_package_of_formats_costs_no_hdf5_until_one_is_read():
    code = "import sys, specrec.cubes; sys.exit('h5py' in sys.modules or 'PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
