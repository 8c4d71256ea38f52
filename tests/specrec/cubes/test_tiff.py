import json
import logging
from contextlib import ExitStack

import numpy as np
import pytest
import tifffile

from specrec.cubes import open_cube, read_cube, tiff, write_cube
from specrec.errors import DataError
from specrec.scenes import Window
from specrec.spectra import WAVELENGTHS

RADIANCE = {"quantity": "radiance", "method": "gan"}


def some_cube(height=40, width=30, bands=31):
    return np.random.default_rng(0).random((height, width, bands), dtype=np.float32)


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint16"])
def test_tifffile_opens_our_files_as_planes_to_the_same_numbers(tmp_path, dtype):
    path = tmp_path / "cube.tif"
    write_cube(path, some_cube(), WAVELENGTHS, RADIANCE, dtype=dtype)
    numbers = tifffile.imread(path)
    assert (numbers.shape, numbers.dtype) == ((31, 40, 30), np.dtype(dtype))
    with tifffile.TiffFile(path) as file:
        said, page = json.loads(file.pages[0].description), file.pages[0]
        assert (len(file.pages), page.planarconfig, page.samplesperpixel, page.compression) == (1, 2, 31, 1)
        names = page.tags[42112].value
        assert not file.is_bigtiff
    values = numbers.astype(np.float64) * said.get("scale_factor", 1.0) + said.get("add_offset", 0.0)
    np.testing.assert_array_equal(np.moveaxis(values, 0, -1).astype(np.float32), read_cube(path).cube)
    assert said["wavelengths"] == WAVELENGTHS.tolist()
    assert (said["quantity"], said["method"]) == ("radiance", "gan")
    assert names.count('role="description">') == 31
    assert '<Item name="DESCRIPTION" sample="30" role="description">700 nm</Item>' in names
    assert ('role="scale">6.103515625e-05<' in names) == (dtype == "uint16")


def test_a_mask_is_the_second_page_of_the_kind_that_gdal_knows(tmp_path):
    mask = some_cube()[..., 0] > 0.5
    write_cube(tmp_path / "cube.tif", some_cube(), WAVELENGTHS, RADIANCE, mask)
    with tifffile.TiffFile(tmp_path / "cube.tif") as file:
        assert (len(file.pages), file.pages[1].subfiletype, file.pages[1].photometric) == (2, 4, 4)
        np.testing.assert_array_equal(file.pages[1].asarray(), mask)


def test_strips_are_of_a_size_that_tools_read_well(tmp_path):
    write_cube(tmp_path / "cube.tif", some_cube(4000, 30, 2), [400, 700], RADIANCE)
    with tifffile.TiffFile(tmp_path / "cube.tif") as file:
        page = file.pages[0]
        assert page.rowsperstrip == (1 << 18) // 120
        assert len(page.dataoffsets) == 4
        assert page.is_contiguous


def test_a_file_beyond_four_gigabytes_is_bigtiff_and_its_last_window_is_in_place(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "_CLASSIC", 1000)
    write_cube(tmp_path / "cube.tif", some_cube(), WAVELENGTHS, RADIANCE)
    with tifffile.TiffFile(tmp_path / "cube.tif") as file:
        assert file.is_bigtiff
    np.testing.assert_array_equal(read_cube(tmp_path / "cube.tif").cube, some_cube())


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_files_of_other_makers_are_read_with_wavelengths_given(tmp_path, dtype, order, planar):
    counts = (some_cube(5, 6, 7) * 100).astype(dtype)
    stored = counts if planar == "contig" else np.moveaxis(counts, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="minisblack", planarconfig=planar, byteorder=order)
    np.testing.assert_array_equal(read_cube(tmp_path / "a.tif", range(1, 8)).cube, counts)
    with pytest.raises(DataError, match="says no wavelengths, and what 7 bands are cannot be guessed"):
        read_cube(tmp_path / "a.tif")
    with pytest.raises(DataError, match="7 bands and there are 6 wavelengths"):
        read_cube(tmp_path / "a.tif", range(1, 7))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("one_by_one", [False, True])
def test_equal_grey_pages_are_the_planes_of_a_cube(tmp_path, order, one_by_one):
    counts = (some_cube(5, 6, 31) * 65535).astype(np.uint16)
    with tifffile.TiffWriter(tmp_path / "a.tif", byteorder=order) as file:
        if one_by_one:
            for band in range(31):
                file.write(counts[..., band], photometric="minisblack", contiguous=False, metadata=None)
                if band in (0, 30):  # what is beside the planes
                    file.write(counts[::2, ::2, band], photometric="minisblack", subfiletype=1, metadata=None)
        else:
            file.write(np.moveaxis(counts, -1, 0), photometric="minisblack")
    with open_cube(tmp_path / "a.tif", WAVELENGTHS) as stored:
        np.testing.assert_array_equal(stored.read(), counts)
        np.testing.assert_array_equal(stored.read(Window(1, 2, 3, 4), step=2), counts[1:4:2, 2:6:2])
    with pytest.raises(DataError, match=r"what 31 bands are cannot be guessed; give them \(--wavelengths\)"):
        read_cube(tmp_path / "a.tif")


@pytest.mark.parametrize("how", [{"compression": "zlib"}, {"tile": (16, 16)}])
def test_compressed_and_tiled_files_are_refused_with_the_way_out(tmp_path, how):
    tifffile.imwrite(tmp_path / "a.tif", some_cube(), photometric="minisblack", planarconfig="contig", **how)
    with pytest.raises(DataError, match=r"a\.tif is compressed or in pieces; save it without compression"):
        read_cube(tmp_path / "a.tif", WAVELENGTHS)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"wavelengths": [1, 2, 3]}, "31 bands and there are 3 wavelengths"),
        ({"wavelengths": "blue"}, "wavelengths must be a list of finite numbers in nm"),
        ({"wavelengths": {"a": 1}}, "wavelengths must be a list of finite numbers in nm"),
        ({"wavelengths": None}, "says no wavelengths"),
        ({"scale_factor": "x"}, "must be numbers"),
        ({"scale_factor": 1e300}, "NaN or infinity"),
        ({"quantity": "light"}, "quantity is 'light'"),
    ],
)
def test_a_description_that_cannot_be_is_refused_in_a_sentence(tmp_path, change, sentence):
    said = json.dumps({"quantity": "radiance", "wavelengths": WAVELENGTHS.tolist()} | change)
    planes = np.moveaxis(some_cube(3, 4), -1, 0)
    tifffile.imwrite(
        tmp_path / "a.tif", planes, photometric="minisblack", planarconfig="separate", description=said, metadata=None
    )
    with pytest.raises(DataError, match=sentence):
        read_cube(tmp_path / "a.tif")


def test_a_file_that_claims_more_than_it_holds_costs_no_memory(tmp_path):
    path = tmp_path / "cube.tif"
    write_cube(path, some_cube(), WAVELENGTHS, RADIANCE)
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages[0].tags["ImageLength"].overwrite(2_000_000_000, dtype="I")
    with pytest.raises(DataError, match=r"cube\.tif"):
        read_cube(path)


def test_a_damaged_file_says_nothing_beside_its_sentence(tmp_path, caplog):
    path = tmp_path / "cube.tif"
    write_cube(path, some_cube(), WAVELENGTHS, RADIANCE)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"cube\.tif is damaged: its tag 270 claims [0-9,]+ values, more than the file"):
        read_cube(path)
    assert not caplog.records


def test_files_that_are_open_at_once_leave_the_log_of_the_library_as_it_was(tmp_path):
    write_cube(tmp_path / "cube.tif", some_cube(), WAVELENGTHS, RADIANCE)
    log = logging.getLogger("tifffile")
    with ExitStack() as first, ExitStack() as second:  # as two threads may open and close them
        first.enter_context(tiff._opened(tmp_path / "cube.tif"))
        second.enter_context(tiff._opened(tmp_path / "cube.tif"))
        first.close()
    assert not log.disabled
    assert log.handlers, "without one, its messages are printed where nobody set logging up"
