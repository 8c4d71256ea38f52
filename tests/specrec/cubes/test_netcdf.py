import sys

import h5py
import numpy as np
import pytest
import xarray

from specrec.cubes import open_cube, read_cube, write_cube
from specrec.errors import DataError, UsageError
from specrec.spectra import WAVELENGTHS

REFLECTANCE = {"quantity": "reflectance", "method": "gan", "units": "1"}


def some_cube(height=6, width=5, bands=31):
    return np.random.default_rng(0).random((height, width, bands), dtype=np.float32)


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_xarray_opens_our_files_with_the_wavelength_coordinate_to_the_same_numbers(tmp_path, dtype):
    path, mask = tmp_path / "cube.nc", some_cube()[..., 0] > 0.5
    write_cube(path, some_cube(), WAVELENGTHS, REFLECTANCE, mask, dtype=dtype)
    with xarray.open_dataset(path, engine="h5netcdf") as found:
        cube = found["reflectance"]
        assert cube.dims == ("y", "x", "wavelength")
        assert cube.dtype.kind == "f"
        seen = mask[..., np.newaxis] | (dtype == "float32")
        np.testing.assert_array_equal(np.isnan(cube.values), np.broadcast_to(~seen, cube.shape))
        expected = np.where(seen, read_cube(path).cube, np.nan)
        np.testing.assert_array_equal(cube.values.astype(np.float32), expected)
        np.testing.assert_array_equal(cube["wavelength"].values, WAVELENGTHS)
        np.testing.assert_array_equal(cube.sel(wavelength=550).values, cube.values[..., 15])
        said = found["wavelength"].attrs
        assert (said["units"], said["standard_name"]) == ("nm", "radiation_wavelength")
        assert (cube.attrs["units"], cube.attrs["long_name"]) == ("1", "spectral reflectance")
        assert cube.attrs["ancillary_variables"] == "valid"
        assert found["valid"].attrs["flag_meanings"] == "invalid valid"
        assert found["valid"].attrs["flag_values"].tolist() == [0, 1]
        np.testing.assert_array_equal(found["valid"].values == 1, mask)
        assert found.attrs["Conventions"].startswith("CF-1.")
        assert found.attrs["method"] == "gan"
        assert {"title", "source", "history"} <= set(found.attrs)


@pytest.mark.parametrize("order", [("y", "x", "wavelength"), ("wavelength", "y", "x")])
@pytest.mark.parametrize("unit", ["nm", "micrometer", "m"])
def test_files_of_xarray_come_back_with_bands_first_or_last(tmp_path, order, unit):
    factor = {"nm": 1.0, "micrometer": 1e-3, "m": 1e-9}[unit]
    said = {"units": unit, "standard_name": "radiation_wavelength"}
    coordinate = xarray.DataArray(WAVELENGTHS * factor, dims="band", attrs=said)
    cube = xarray.DataArray(some_cube(), dims=("y", "x", "band"), coords={"band": coordinate}, name="values")
    order = tuple("band" if axis == "wavelength" else axis for axis in order)
    cube.transpose(*order).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    back = read_cube(tmp_path / "a.nc")
    np.testing.assert_array_equal(back.cube, some_cube())
    np.testing.assert_array_equal(back.wavelengths, WAVELENGTHS)
    assert "quantity" not in back.attributes


def holding_fills():
    """Counts in which -9999 fills two pixels, and two further ones in part."""
    counts = np.random.default_rng(0).integers(1, 10_000, (6, 5, 31)).astype(np.int16)
    counts[1, 2] = counts[5, 4] = -9999
    counts[0, 0, 3] = counts[0, 1, :30] = -9999
    return counts


@pytest.mark.parametrize("chunks", [None, (2, 5, 31), (4, 3, 7)])
@pytest.mark.parametrize("bands_first", [False, True])
@pytest.mark.parametrize("key", ["_FillValue", "missing_value"])
def test_fill_values_make_the_mask_before_scale_and_offset(tmp_path, key, bands_first, chunks):
    path, counts = tmp_path / "a.nc", holding_fills()
    with h5py.File(path, "w") as file:
        file.attrs["Conventions"] = "CF-1.8"
        file["wavelength"] = WAVELENGTHS
        file["wavelength"].attrs["units"] = "nm"
        cut = None if chunks is None else chunks[::-1] if bands_first else chunks
        stored = np.moveaxis(counts, -1, 0) if bands_first else counts
        cut = None if cut is None else tuple(min(pair) for pair in zip(cut, stored.shape, strict=True))
        cube = file.create_dataset("reflectance", data=stored, chunks=cut)
        cube.dims[0 if bands_first else 2].attach_scale(file["wavelength"])
        cube.attrs.update({"scale_factor": 1e-4, "add_offset": 0.5, key: np.array([-9999], dtype=np.int16)})
    missing = np.zeros((6, 5), dtype=bool)
    missing[1, 2] = missing[5, 4] = True
    with open_cube(path) as back:
        np.testing.assert_array_equal(back.mask, ~missing)
        expected = np.where(missing[..., np.newaxis], 0, counts * 1e-4 + 0.5)
        np.testing.assert_allclose(back.read(), expected, rtol=1e-6)
        assert back.noticed == [
            f"{path}: 2 pixels hold -9999, which stands for no value, in some bands only; kept as it is"
        ]


def test_nan_of_xarray_is_a_fill_value_where_it_is_in_every_band(tmp_path):
    cube = xarray.DataArray(some_cube(), dims=("y", "x", "wavelength"), coords={"wavelength": WAVELENGTHS})
    cube["wavelength"].attrs["units"] = "nm"
    cube[2, 3] = np.nan
    cube.to_dataset(name="values").to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    back = read_cube(tmp_path / "a.nc")
    assert np.argwhere(~back.mask).tolist() == [[2, 3]]
    assert (back.cube[2, 3] == 0).all()
    cube[0, 1, 4] = np.nan
    cube.to_dataset(name="values").to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(DataError, match="NaN or infinity, first at row 0, column 1, band 4"):
        read_cube(tmp_path / "a.nc")


def test_without_h5netcdf_writing_says_what_to_install_and_reading_goes_on(tmp_path, monkeypatch):
    write_cube(tmp_path / "cube.nc", some_cube(), WAVELENGTHS, REFLECTANCE)
    monkeypatch.setitem(sys.modules, "h5netcdf", None)
    np.testing.assert_array_equal(read_cube(tmp_path / "cube.nc").cube, some_cube())
    with pytest.raises(UsageError, match=r'pip install "specrec\[netcdf\]"'):
        write_cube(tmp_path / "other.nc", some_cube(), WAVELENGTHS, REFLECTANCE)
    assert [entry.name for entry in tmp_path.iterdir()] == ["cube.nc"]


def replace(file, key, values):
    attributes = dict(file[key].attrs)
    del file[key]
    file[key] = values
    return attributes


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda file: file.__delitem__("reflectance"), "one variable with three axes was expected.*there is none"),
        (lambda file: file.create_dataset("radiance", data=np.zeros((2, 2, 31))), "there is radiance, reflectance"),
        (lambda file: file["wavelength"].attrs.__setitem__("units", "Hz"), "wavelength units are 'Hz'"),
        (lambda file: file.attrs.__setitem__("quantity", "light"), "quantity is 'light'"),
        (lambda file: file["reflectance"].attrs.__setitem__("scale_factor", "big"), "must be numbers"),
        (lambda file: file["reflectance"].attrs.__setitem__("missing_value", "none"), "missing_value of .* a number"),
        (lambda file: replace(file, "valid", np.ones((3, 3), np.int8)), r"mask has shape \(3, 3\)"),
        (lambda file: file["wavelength"].write_direct(np.full(31, 500.0)), "must increase"),
    ],
)
def test_what_is_missing_or_wrong_is_named(tmp_path, spoil, sentence):
    path = tmp_path / "cube.nc"
    write_cube(path, some_cube(), WAVELENGTHS, REFLECTANCE, some_cube()[..., 0] > 0.5)
    with h5py.File(path, "r+") as file:
        spoil(file)
    with pytest.raises(DataError, match=sentence) as caught:
        read_cube(path)
    assert str(path) in str(caught.value)


def test_lists_of_variable_length_are_not_read_since_damage_to_them_may_never_end(tmp_path, monkeypatch):
    path = tmp_path / "a.nc"
    grid = [400, 500, 600, 700, 710, 720]
    cube = xarray.DataArray(some_cube(), dims=("wavelength", "y", "x"), coords={"wavelength": grid})
    cube["wavelength"].attrs["units"] = "nm"
    cube.to_dataset(name="values").to_netcdf(path, engine="h5netcdf")
    read, plain = [], h5py.AttributeManager.__getitem__
    monkeypatch.setattr(h5py.AttributeManager, "__getitem__", lambda self, key: (read.append(key), plain(self, key))[1])
    with open_cube(path) as stored:
        assert stored.shape == (5, 31, 6)
    assert "REFERENCE_LIST" in read
    assert {"DIMENSION_LIST", "_NCProperties"}.isdisjoint(read)


def test_netcdf_3_is_named(tmp_path):
    (tmp_path / "old.nc").write_bytes(b"CDF\x01" + bytes(100))
    with pytest.raises(DataError, match="is NetCDF 3; make it NetCDF 4"):
        read_cube(tmp_path / "old.nc")


def test_a_cube_that_claims_more_than_the_file_holds_costs_no_memory(tmp_path):
    path = tmp_path / "cube.nc"
    write_cube(path, some_cube(), WAVELENGTHS, REFLECTANCE)
    with h5py.File(path, "r+") as file:
        del file["reflectance"]
        cube = file.create_dataset("reflectance", (1_000_000, 1_000_000, 31), np.float32, chunks=(64, 64, 31))
        cube.dims[2].attach_scale(file["wavelength"])
    with pytest.raises(DataError, match=r"key 'reflectance' of shape .* is not whole"):
        read_cube(path)
