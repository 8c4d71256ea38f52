"""Numbers that stand for no value: which pixels are missing, and what is said of those that are only in part."""

import numpy as np
import pytest

from specrec.cubes import open_cube, read_cube
from specrec.cubes.conversion import Source, Target, convert
from specrec.cubes.ignored import is_ignored
from specrec.errors import DataError

GRID = [400, 500, 600, 700]


def some_counts():
    counts = np.random.default_rng(0).integers(1, 100, (5, 7, 4)).astype(np.int16)
    counts[1, 2] = counts[4, 6] = -9999
    counts[3, 3, 1] = counts[3, 4, 0] = counts[3, 4, 2] = -9999
    return counts


def write_envi(folder, counts, kind, **fields):
    (folder / "a.img").write_bytes(counts.tobytes())
    said = {
        "samples": 7, "lines": 5, "bands": 4, "data type": kind, "interleave": "bip", "byte order": 0,
        "wavelength": "{400, 500, 600, 700}", "wavelength units": "nm", "quantity": "radiance",
    } | fields  # fmt: skip
    (folder / "a.hdr").write_text("ENVI\n" + "".join(f"{key} = {value}\n" for key, value in said.items()))
    return folder / "a.hdr"


def convert_to_h5(path):
    done = convert(Source(path), Target(path.with_name("b.h5")))
    return read_cube(path.with_name("b.h5")), done.remarks


def check_missing(back, counts, scale=1.0):
    missing = np.zeros((5, 7), dtype=bool)
    missing[1, 2] = missing[4, 6] = True
    np.testing.assert_array_equal(back.mask, ~missing)
    np.testing.assert_allclose(back.cube, np.where(missing[..., np.newaxis], 0, counts * scale), rtol=1e-6)


def test_a_pixel_of_an_envi_file_is_missing_where_every_band_is_and_others_are_counted(tmp_path):
    path = write_envi(tmp_path, some_counts(), 2, **{"data ignore value": -9999})
    back, remarks = convert_to_h5(path)
    check_missing(back, some_counts())
    assert remarks == (
        f"{tmp_path / 'a.img'}: 2 pixels hold -9999, which stands for no value, in some bands only; kept as it is",
    )


def test_dark_bands_of_counts_that_ignore_zero_stay(tmp_path):
    counts = np.abs(some_counts()).astype(np.uint16)
    counts[0, 0, 1] = 0
    back, remarks = convert_to_h5(write_envi(tmp_path, counts, 12, **{"data ignore value": 0}))
    assert back.mask is None
    np.testing.assert_array_equal(back.cube, counts)
    assert remarks == (
        f"{tmp_path / 'a.img'}: 1 pixel holds 0, which stands for no value, in some bands only; kept as it is",
    )


def test_only_the_bands_that_are_kept_count(tmp_path):
    counts = some_counts()
    counts[0, 0, [0, 1, 3]] = -9999
    path = write_envi(tmp_path, counts, 2, **{"data ignore value": -9999, "bbl": "{1, 1, 0, 1}"})
    with open_cube(path) as stored:
        assert not stored.mask[0, 0]
        assert (stored.read()[0, 0] == 0).all()


def test_nan_counts_as_missing_beside_an_ignored_value_and_is_refused_in_some_bands(tmp_path):
    values = some_counts().astype(np.float32)
    values[1, 2] = np.nan
    path = write_envi(tmp_path, values, 4, **{"data ignore value": -9999})
    assert not read_cube(path).mask[1, 2]
    values[1, 2, 0] = 1
    path = write_envi(tmp_path, values, 4, **{"data ignore value": -9999})
    with pytest.raises(DataError, match="NaN or infinity, first at row 1, column 2"):
        read_cube(path)


def test_numbers_are_compared_as_they_are_stored():
    stored = np.array([0.1, -3.4028235e38, 2], dtype=np.float32)
    assert is_ignored(stored, (0.1, -3.4028234663852886e38)).tolist() == [True, True, False]
    assert is_ignored(stored, (1e300,)).tolist() == [False] * 3
    assert not is_ignored(np.array([np.nan], dtype=np.float32), ()).any()
    assert is_ignored(np.array([65535], dtype=np.uint16), (float("nan"), 65535.0)).all()
