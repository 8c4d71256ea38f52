"""Cubes from file to file: through every format and back, other grids, counts of other makers, nothing half written."""

import itertools
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.cubes import FORMS, SUFFIXES, conversion, open_cube, read_cube, write_cube
from specrec.cubes.conversion import Source, Target, convert
from specrec.cubes.stored import StoredCube
from specrec.errors import DataError, SpecrecError, UsageError
from specrec.resampling import resampling
from specrec.spectra import WAVELENGTHS

HARVARD = np.arange(420.0, 721, 10)
ICVL = np.linspace(397.32, 1003.58, 519)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def some(height=9, width=7, bands=31, seed=0):
    return np.random.default_rng(seed).random((height, width, bands), dtype=np.float32)


def some_mask(height=9, width=7):
    mask = np.ones((height, width), dtype=bool)
    mask[2, 3] = mask[8, 0] = False
    return mask


def made(path, cube=None, grid=WAVELENGTHS, mask=None, **options):
    attributes = {"quantity": "reflectance", "method": "gan", "note": "of a leaf"}
    write_cube(path, some(bands=len(grid)) if cube is None else cube, grid, attributes, mask, **options)
    return path


def to(source, target, progress=None, *, of=None, **options):
    return convert(Source(source, **(of or {})), Target(target, **options), progress)


def write_envi(stem, counts, interleave="bil", order="<", **fields):
    """An ENVI file of another maker, written from the description of the format."""
    height, width, bands = counts.shape
    axes = {"bip": (0, 1, 2), "bil": (0, 2, 1), "bsq": (2, 0, 1)}[interleave]
    stem.with_suffix(".raw").write_bytes(counts.transpose(axes).astype(order + "u2").tobytes())
    lines = {"samples": width, "lines": height, "bands": bands, "data type": 12, "interleave": interleave}
    lines |= {"byte order": int(order == ">"), "header offset": 0} | {
        key.replace("_", " "): v for key, v in fields.items()
    }
    text = [f"{key} = {{{', '.join(map(str, v))}}}" if np.ndim(v) else f"{key} = {v}" for key, v in lines.items()]
    stem.with_suffix(".hdr").write_text("ENVI\n" + "\n".join(text) + "\n")
    return stem.with_suffix(".hdr")


def counts_of(bands=519, seed=0):
    return np.random.default_rng(seed).integers(0, 4096, (8, 6, bands), dtype=np.uint16)


@pytest.mark.parametrize(("first", "second"), list(itertools.product(FORMS, FORMS)))
def test_a_cube_goes_through_any_two_formats_to_the_same_numbers(here, first, second):
    made(here / "a.h5")
    one, two = here / f"one{SUFFIXES[first]}", here / f"two{SUFFIXES[second]}"
    to(here / "a.h5", one)
    to(one, two, of={"quantity": "reflectance"})
    to(two, here / "b.h5", of={"quantity": "reflectance"})
    back = read_cube(here / "b.h5")
    rounding = 2e-7 * ((first == "mat") + (second == "mat"))  # .mat stores 4095 times the value
    np.testing.assert_allclose(back.cube, some(), rtol=rounding, atol=0)
    np.testing.assert_array_equal(back.wavelengths, WAVELENGTHS)
    assert back.attributes["quantity"] == "reflectance"
    if "npy" not in (first, second):
        assert back.attributes["method"] == "gan"
        assert back.attributes["note"] == "of a leaf"


@pytest.mark.parametrize("form", [form for form in FORMS if form != "npy"])
def test_other_grids_and_masks_survive_every_format_that_holds_them(here, form):
    grid, mask = np.linspace(450.5, 650.25, 12), some_mask()
    made(here / "a.h5", grid=grid, mask=mask)
    to(here / "a.h5", here / f"b{SUFFIXES[form]}")
    to(here / f"b{SUFFIXES[form]}", here / "c.h5")
    back = read_cube(here / "c.h5")
    np.testing.assert_array_equal(back.wavelengths, grid)
    np.testing.assert_array_equal(back.mask, mask)
    np.testing.assert_allclose(back.cube[mask], some(bands=12)[mask], rtol=2e-7)


@settings(max_examples=60)
@given(st.data())
def test_windows_of_any_size_give_the_cube_of_one_pass(data):
    height, width = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    cube, mask, grid = some(height, width, 28), some(height, width, 28)[..., 0] > 0.3, np.linspace(400, 700, 28)
    stored = StoredCube(Path("a"), "made", cube.shape, grid, {}, lambda rows, columns: cube[rows, columns])
    way, target, told = resampling(grid, WAVELENGTHS), Target(Path("b"), scale=0.5), []
    tell = conversion._Teller(lambda done, _words: told.append(done), height * width)
    expected, found = way.apply(cube) / 2, np.full((height, width, 31), np.nan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion, "_SIDE", data.draw(st.integers(1, 5)))
        patch.setattr(conversion, "_AT_A_TIME", data.draw(st.integers(1, 4 * 31 * 40)))
        for window, values in conversion._values(stored, way, target, tell, "writing"):
            assert np.isnan(found[window.slices]).all()
            found[window.slices] = values
        if mask.any():
            span = conversion._span(stored, way, target, mask, tell)
            assert span == (expected[mask].min(), expected[mask].max())
    np.testing.assert_array_equal(found, expected)
    assert told == sorted(told)


@pytest.mark.parametrize(("interleave", "order"), list(itertools.product(["bip", "bil", "bsq"], "<>")))
def test_the_originals_of_icvl_become_31_bands_of_counts_scaled_as_asked(here, interleave, order):
    units = {"wavelength": ICVL / 1000, "wavelength_units": "Micrometers"} if order == ">" else {"wavelength": ICVL}
    header = write_envi(here / "scene", counts_of(), interleave, order, **units)
    done = to(header, here / "b.h5", grid=WAVELENGTHS, scale=1 / 4095, of={"quantity": "radiance"})
    assert (done.shape, done.way.method) == ((8, 6, 31), "mean")
    back = read_cube(here / "b.h5")
    expected = counts_of().astype(float) @ resampling(ICVL, WAVELENGTHS).weights / 4095
    np.testing.assert_allclose(back.cube, expected, rtol=1e-6)
    assert (back.attributes["scale_min"], back.attributes["scale_max"]) == (0.0, 4095.0)
    assert "scene.hdr (envi)" in back.attributes["history"]
    assert "519 bands, 397.32-1003.58 nm to 31 bands, 400-700 nm by the method mean" in back.attributes["history"]
    assert "multiplied by 0.000244200244" in back.attributes["history"]


def test_counts_are_never_scaled_unasked(here):
    header = write_envi(here / "scene", counts_of(31), wavelength=WAVELENGTHS)
    to(header, here / "b.h5", of={"quantity": "radiance"})
    np.testing.assert_array_equal(read_cube(here / "b.h5").cube, counts_of(31))


def test_a_header_without_wavelengths_takes_the_users(here):
    header = write_envi(here / "scene", counts_of(4))
    with pytest.raises(DataError, match=r"scene\.hdr says no wavelengths; .* or give them \(--wavelengths\)"):
        to(header, here / "b.h5")
    grid = np.array([450.0, 500, 600, 650])
    to(header, here / "b.h5", of={"quantity": "radiance", "wavelengths": grid})
    np.testing.assert_array_equal(read_cube(here / "b.h5").wavelengths, grid)


def test_bad_bands_of_an_envi_file_are_left_out_with_a_remark(here):
    counts = counts_of(6)
    counts[..., 2] = 7777  # the ignored value, in a band that does not count
    grid, bbl = np.arange(400, 460, 10), [1, 1, 0, 1, 0, 1]
    gains = {"data_gain_values": np.arange(1.0, 7.0), "data_ignore_value": 7777}
    header = write_envi(here / "scene", counts, wavelength=grid, bbl=bbl, **gains)
    done = to(header, here / "b.h5", of={"quantity": "radiance"})
    back = read_cube(here / "b.h5")
    np.testing.assert_array_equal(back.wavelengths, [400, 410, 430, 450])
    np.testing.assert_array_equal(back.cube, counts[..., [0, 1, 3, 5]] * np.array([1, 2, 4, 6]))
    assert back.mask is None
    assert done.remarks == (f"{header}: 2 of 6 bands are not read, as its bad-bands list bbl says",)
    for wrong, words in (([1, 0], "has 6 bands and the bad-bands list bbl 2"), ([0] * 6, "gives up every band")):
        with pytest.raises(DataError, match=words):
            read_cube(write_envi(here / "wrong", counts, wavelength=grid, bbl=wrong))


def test_wavelengths_that_do_not_increase_are_refused_in_an_envi_file(here):
    header = write_envi(here / "scene", counts_of(3), wavelength=[500, 450, 600])
    with pytest.raises(DataError, match=r"scene\.hdr: wavelengths must increase"):
        to(header, here / "b.h5")


def test_what_was_done_is_said_in_the_history(here):
    scipy.io.savemat(here / "a.mat", {"ref": some(), "lbl": np.ones((9, 7))})
    to(here / "a.mat", here / "b.h5", grid=WAVELENGTHS, extrapolate="nearest", of={"quantity": "reflectance"})
    back = read_cube(here / "b.h5")
    assert back.attributes["extrapolated"] == "400, 410"
    assert back.attributes["history"] == (
        "converted from a.mat (harvard), called reflectance instead of radiance, resampled from 31 bands, 420-720 nm to"
        " 31 bands, 400-700 nm by the method linear, 400, 410 nm repeat the nearest band"
    )
    np.testing.assert_array_equal(back.cube[..., 2:], some()[..., :29])
    np.testing.assert_array_equal(back.cube[..., 0], some()[..., 0])
    to(here / "b.h5", here / "c.tif")
    attributes = read_cube(here / "c.tif").attributes
    assert attributes["history"].endswith("repeat the nearest band; converted from b.h5 (hdf5)")
    assert attributes["extrapolated"] == "400, 410"
    for form in ("netcdf", "envi", "mat"):
        to(here / "c.tif", here / f"d{SUFFIXES[form]}")
        kept = read_cube(here / f"d{SUFFIXES[form]}").attributes["history"]
        assert kept == attributes["history"] + "; converted from c.tif (tiff)"


def test_nothing_is_extrapolated_unasked_and_the_common_grid_is_a_way_out(here):
    made(here / "a.h5", grid=HARVARD)
    with pytest.raises(UsageError, match=r"a\.h5 covers 420-720 nm, and the grid asks for 400, 410 nm, too"):
        to(here / "a.h5", here / "b.h5", grid=WAVELENGTHS)
    assert not (here / "b.h5").exists()
    done = to(here / "a.h5", here / "b.h5", grid="common")
    np.testing.assert_array_equal(read_cube(here / "b.h5").cube, some()[..., :29])
    assert done.shape == (9, 7, 29)


def test_an_npy_says_which_grid_it_needs(here):
    made(here / "a.h5", grid=HARVARD, mask=some_mask())
    with pytest.raises(UsageError, match=r"b\.npy: an \.npy keeps no wavelengths, .* add --grid 400:10:700 or write"):
        to(here / "a.h5", here / "b.npy")
    done = to(here / "a.h5", here / "b.npy", grid=WAVELENGTHS, extrapolate="nearest")
    assert "keeps no mask; the 2 pixels without a value stay" in done.remarks[0]
    np.testing.assert_array_equal(np.load(here / "b.npy")[..., 2:], some()[..., :29])


@pytest.mark.parametrize("suffix", [".h5", ".hdr", ".tif", ".nc"])
def test_uint16_spreads_the_true_range_and_comes_back_within_half_a_step(here, suffix):
    cube, mask = some() * np.float32(40) - np.float32(7), some_mask()
    cube[~mask] = 1e6  # does not count
    made(here / "a.h5", cube, mask=mask)
    to(here / "a.h5", here / f"b{suffix}", dtype="uint16")
    back = read_cube(here / f"b{suffix}")
    valid = cube[mask].astype(float)
    step = (valid.max() - valid.min()) / 65534
    assert abs(back.cube[mask] - valid).max() < 0.51 * step + 4e-6  # and the rounding to float32
    np.testing.assert_array_equal(back.mask, mask)
    assert back.cube[mask].max() == pytest.approx(valid.max(), abs=4e-6)


@pytest.mark.parametrize(
    "cube",
    [
        np.random.default_rng(0).integers(0, 65535, (9, 7, 31)).astype(np.float32),
        np.random.default_rng(0).integers(0, 65535, (9, 7, 31)).astype(np.float32) / 2**14 - 1,
        np.full((9, 7, 31), 0.3, dtype=np.float32),
    ],
    ids=["counts", "the usual span", "constant"],
)
def test_uint16_is_exact_where_it_can_be(here, cube):
    made(here / "a.h5", cube)
    to(here / "a.h5", here / "b.h5", dtype="uint16")
    to(here / "b.h5", here / "c.hdr", dtype="uint16")
    np.testing.assert_array_equal(read_cube(here / "c.hdr").cube, cube)


def test_uint16_needs_a_valid_pixel_and_float16_room(here):
    made(here / "a.h5", mask=np.zeros((9, 7), dtype=bool))
    with pytest.raises(DataError, match="no pixel of the cube is valid"):
        to(here / "a.h5", here / "b.h5", dtype="uint16")
    made(here / "c.h5", some() * 1e6)
    with pytest.raises(DataError, match="float16 holds values up to 65504"):
        to(here / "c.h5", here / "b.h5", dtype="float16")
    assert sorted(path.name for path in here.iterdir()) == ["a.h5", "c.h5"]


def test_a_file_is_not_converted_onto_itself(here):
    made(here / "a.h5")
    (here / "link.h5").symlink_to("a.h5")
    made(here / "e.hdr")
    (here / "hard.h5").hardlink_to(here / "a.h5")
    for source, target in [
        ("a.h5", "a.h5"),
        ("a.h5", "link.h5"),
        ("a.h5", "hard.h5"),
        ("e.img", "e.hdr"),
        ("e.hdr", "e.img"),
    ]:
        with pytest.raises(UsageError, match=rf"{source} would be converted onto itself"):
            to(here / source, here / target, overwrite=True)
    np.testing.assert_array_equal(read_cube(here / "a.h5").cube, some())


def test_existing_files_are_replaced_only_when_asked(here):
    made(here / "a.h5")
    (here / "b.img").write_text("mine")
    with pytest.raises(UsageError, match=r"b\.img exists"):
        to(here / "a.h5", here / "b.hdr")
    assert (here / "b.img").read_text() == "mine"
    to(here / "a.h5", here / "b.hdr", overwrite=True)
    np.testing.assert_array_equal(read_cube(here / "b.hdr").cube, some())


@pytest.mark.parametrize("error", [KeyboardInterrupt, SpecrecError])
@pytest.mark.parametrize("name", ["b.h5", "b.hdr", "b.tif", "b.nc", "b.mat", "b.npy"])
def test_an_interrupted_conversion_leaves_nothing(here, monkeypatch, name, error):
    monkeypatch.setattr(conversion, "_SIDE", 2)
    monkeypatch.setattr(conversion, "_AT_A_TIME", 1)
    made(here / "a.h5")

    def stop(done, _words):
        if done > 0.5:
            raise error

    with pytest.raises(error):
        to(here / "a.h5", here / name, stop)
    assert [path.name for path in here.iterdir()] == ["a.h5"]


def test_progress_rises_to_the_end_over_both_passes(here):
    made(here / "a.h5")
    told = []
    to(here / "a.h5", here / "b.h5", lambda done, words: told.append((done, words)), dtype="uint16")
    assert told == [(0.5, "finding the range"), (1.0, "writing")]


def test_a_file_that_does_not_say_its_quantity_needs_the_users(here):
    np.save(here / "a.npy", some())
    with pytest.raises(UsageError, match=r"a\.npy does not say whether its values are radiance or reflectance; add"):
        to(here / "a.npy", here / "b.h5")
    to(here / "a.npy", here / "b.h5", of={"quantity": "radiance"})
    assert read_cube(here / "b.h5").attributes["quantity"] == "radiance"
    with pytest.raises(UsageError, match="a quantity is radiance or reflectance, not 'light'"):
        to(here / "a.npy", here / "c.h5", of={"quantity": "light"})


def test_wavelengths_for_a_file_that_says_its_own_are_refused(here):
    made(here / "a.h5", grid=HARVARD)
    with pytest.raises(UsageError, match=r"a\.h5 says its own wavelengths \(31 bands, 420-720 nm\); leave"):
        to(here / "a.h5", here / "b.h5", of={"wavelengths": WAVELENGTHS})
    to(here / "a.h5", here / "b.h5", of={"wavelengths": HARVARD})


def test_a_rad_of_unknown_origin_is_read_as_icvl_with_a_remark(here):
    counts = np.random.default_rng(0).integers(1, 4096, (9, 7, 31)).astype(float)
    with h5py.File(here / "site.mat", "w") as file:
        file["rad"] = np.rot90(counts, k=-1).T
    done = to(here / "site.mat", here / "b.h5")
    assert "those of NTIRE 2018 are upright (--layout ntire2018)" in done.remarks[0]
    np.testing.assert_allclose(read_cube(here / "b.h5").cube, counts / 4095, rtol=1e-6)
    to(here / "b.h5", here / "own.mat")
    assert to(here / "own.mat", here / "c.h5").remarks == ()
    with h5py.File(here / "upright.mat", "w") as file:
        file["rad"] = counts.T
    done = to(here / "upright.mat", here / "d.h5", of={"layout": "ntire2018"})
    assert done.remarks == ()
    np.testing.assert_allclose(read_cube(here / "d.h5").cube, counts / 4095, rtol=1e-6)


def test_what_cannot_be_read_or_written_is_a_sentence(here):
    made(here / "a.h5")
    (here / "empty.h5").write_bytes(b"")
    (here / "notes.txt").write_text("stray")
    for source, target, words in [
        ("absent.h5", "b.h5", "there is no cube file"),
        ("empty.h5", "b.h5", "the file is empty"),
        ("notes.txt", "b.h5", "is no cube file that specrec knows"),
        ("a.h5", "b.png", "has the suffix '.png'"),
    ]:
        with pytest.raises(SpecrecError, match=words) as error:
            to(here / source, here / target)
        assert "\n" not in str(error.value)
    with pytest.raises(
        UsageError, match=r"^--scale 1e\+300 makes 0\.99\d+ too large for float32; give a smaller factor$"
    ):
        to(here / "a.h5", here / "b.h5", scale=1e300)
    with pytest.raises(UsageError, match="a scale is a positive factor, not -1"):
        to(here / "a.h5", here / "b.h5", scale=-1.0)


def test_room_on_the_disk_is_checked_first(here, monkeypatch):
    made(here / "a.h5")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": 100})())
    with pytest.raises(SpecrecError, match=r"of b\.h5 need"):
        to(here / "a.h5", here / "b.h5")
    assert not (here / "b.h5").exists()


def test_a_cube_opened_by_key_is_read_only_where_asked(here):
    with h5py.File(here / "big.mat", "w") as file:
        file.create_dataset("S", shape=(4, 600, 500), dtype="f4", chunks=(4, 50, 50))
        file["S"][:, 10, 20] = [1, 2, 3, 4]
    with open_cube(here / "big.mat", [400, 500, 600, 700], key="S") as stored:
        assert stored.shape == (500, 600, 4)
