"""Wavelengths that are none are refused by every reader, and very many of them cost no memory."""

import json

import h5py
import numpy as np
import pytest
import tifffile

from specrec.cubes import open_cube, read_cube, write_cube
from specrec.cubes.conversion import Source, Target, convert
from specrec.errors import DataError
from specrec.report.colours import on_standard_grid
from specrec.resampling import resampling
from specrec.spectra import WAVELENGTHS, check_wavelengths

CUBE = np.random.default_rng(0).random((3, 4, 31), dtype=np.float32)
GRIDS = {
    "negative": WAVELENGTHS - 1000,
    "zero": WAVELENGTHS - 400,
    "not a number": np.where(WAVELENGTHS == 500, np.nan, WAVELENGTHS),
    "infinite": np.where(WAVELENGTHS == 700, np.inf, WAVELENGTHS),
    "huge": WAVELENGTHS * 1e10,
    "near the largest number": WAVELENGTHS * 1e305,
    "tiny": WAVELENGTHS * 1e-9,
    "falling": WAVELENGTHS[::-1],
    "all the same": np.full(31, 500.0),
}


def hdf5(path, grid):
    with h5py.File(path, "w") as file:
        file.attrs.update(format_version=1, quantity=np.bytes_("reflectance"))
        file["cube"], file["wavelengths"] = CUBE, grid


def mat(path, grid):
    with h5py.File(path, "w") as file:
        file["rad"], file["bands"] = CUBE.transpose(2, 1, 0), grid[:, np.newaxis]


def foreign(path, grid):
    with h5py.File(path, "w") as file:
        file["ref"], file["lbl"], file["wavelengths"] = CUBE.transpose(2, 1, 0), np.ones((4, 3)), grid


def netcdf(path, grid):
    write_cube(path, CUBE, WAVELENGTHS, {"quantity": "reflectance"})
    with h5py.File(path, "r+") as file:
        file["wavelength"][...] = grid


def envi(path, grid, unit="nanometers"):
    write_cube(path, CUBE, WAVELENGTHS, {"quantity": "reflectance"})
    lines = path.read_text().splitlines()
    lines = [line for line in lines if not line.startswith("wavelength")]
    said = [f"wavelength units = {unit}", f"wavelength = {{{', '.join(map(str, grid))}}}"]
    path.write_text("\n".join([*lines, *said]) + "\n")


def envi_in_micrometres(path, grid):
    envi(path, grid, "micrometers")


def tiff(path, grid):
    said = json.dumps({"wavelengths": grid.tolist(), "quantity": "reflectance"})
    with tifffile.TiffWriter(path) as file:
        for band in range(31):
            file.write(CUBE[..., band], description=said, metadata=None)


FORMS = [
    (hdf5, ".h5"), (mat, ".mat"), (foreign, ".mat"), (netcdf, ".nc"), (envi, ".hdr"), (envi_in_micrometres, ".hdr"),
    (tiff, ".tif"),
]  # fmt: skip
SORTED = {(foreign, "falling")}  # the layouts of other makers may list their bands in any order
IN_OTHER_UNITS = {(envi_in_micrometres, "tiny")}


@pytest.mark.parametrize("name", GRIDS)
@pytest.mark.parametrize(("write", "suffix"), FORMS)
def test_wavelengths_that_are_none_are_refused_in_every_form(tmp_path, write, suffix, name):
    path = tmp_path / f"cube{suffix}"
    write(path, GRIDS[name])
    if (write, name) in SORTED:
        assert read_cube(path).wavelengths[0] == 400
        return
    with pytest.raises(DataError, match="wavelength"), open_cube(path):
        pass


def test_wavelengths_from_extreme_ultraviolet_to_far_infrared_are_read(tmp_path):
    for low, high in ((1.0, 50.0), (380.0, 2500.0), (7_500.0, 14_000.0), (999_000.0, 1_000_000.0)):
        hdf5(tmp_path / "cube.h5", np.linspace(low, high, 31))
        assert read_cube(tmp_path / "cube.h5").wavelengths[-1] == high
    with pytest.raises(DataError, match=r"here: 0\.5 to 700 are no wavelengths in nm, which lie in 1 to 1,000,000"):
        check_wavelengths([0.5, 700.0], "here")


def test_a_cube_of_very_many_bands_is_converted_without_a_table_of_all_pairs(tmp_path):
    grid = np.linspace(400.0, 700.0, 40_000)
    write_cube(tmp_path / "a.h5", np.zeros((1, 1, grid.size)), grid, {"quantity": "reflectance"})
    convert(Source(tmp_path / "a.h5"), Target(tmp_path / "b.tif"))
    assert resampling(grid, grid).weights.nbytes == 0
    spectrum = np.linspace(0.0, 1.0, grid.size, dtype=np.float32).reshape(1, 1, -1)
    shown = on_standard_grid(spectrum, grid)
    np.testing.assert_allclose(shown[0, 0], np.linspace(0.0, 1.0, 31), atol=1e-6)


def test_a_chunk_is_unpacked_once_for_all_its_windows(tmp_path, monkeypatch):
    from specrec.cubes import large_chunks
    from specrec.scenes import Window

    monkeypatch.setattr(large_chunks, "LARGE", 1000)
    cube = np.random.default_rng(0).random((7, 8, 31), dtype=np.float32)
    read = []
    get = h5py.Dataset.__getitem__

    def counted(self, part):
        read.append(part)
        return get(self, part)

    for number, chunks in enumerate([(7, 8, 31), (3, 8, 31), (2, 3, 31), (7, 8, 5)]):
        path = tmp_path / f"{number}.h5"
        with h5py.File(path, "w") as file:
            file.attrs.update(format_version=1, quantity=np.bytes_("reflectance"))
            file["wavelengths"] = WAVELENGTHS
            file.create_dataset("cube", data=cube, chunks=chunks, compression="gzip")
        with open_cube(path) as stored, monkeypatch.context() as patch:
            patch.setattr(h5py.Dataset, "__getitem__", counted)
            read.clear()
            for top in range(7):
                np.testing.assert_array_equal(stored.read(Window(top, 2, 1, 5)), cube[top : top + 1, 2:7])
            if number == 0:
                assert len(read) == 1
            np.testing.assert_array_equal(stored.read(Window(1, 0, 6, 8), 3), cube[1::3, ::3])
            stored.read()[...] = 0.0  # what is kept is nobody's to change
            np.testing.assert_array_equal(stored.read(), cube)
        with h5py.File(path, "r+") as file:
            file["cube"][...] = 1 - cube
        with open_cube(path) as stored:
            np.testing.assert_array_equal(stored.read(Window(0, 2, 1, 5)), 1 - cube[:1, 2:7])
