import numpy as np
import pytest
import spectral
from hypothesis import given, settings
from hypothesis import strategies as st
from spectral.io import envi

from specrec.cubes import open_cube, read_cube, write_cube, written_paths
from specrec.errors import DataError, SpecrecError, UsageError
from specrec.scenes import Window
from specrec.spectra import WAVELENGTHS

RADIANCE = {"quantity": "radiance", "method": "gan", "weights_sha256": "ab" * 32}
KINDS = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4", 14: "i8", 15: "u8"}
AXES = {"bip": (0, 1, 2), "bil": (0, 2, 1), "bsq": (2, 0, 1)}


def some_cube(height=5, width=7, bands=31):
    return np.random.default_rng(0).random((height, width, bands), dtype=np.float32)


def some_counts(height=5, width=7, bands=4):
    return np.random.default_rng(0).integers(1, 120, (height, width, bands))


def write_foreign(folder, counts, kind=12, interleave="bil", order=0, start=0, data="foreign.img", **fields):
    """Write an ENVI file by hand, as another maker would."""
    height, width, bands = counts.shape
    dtype = np.dtype(KINDS[kind]).newbyteorder("<" if order == 0 else ">")
    numbers = np.ascontiguousarray(counts.transpose(AXES[interleave]).astype(dtype))
    (folder / data).write_bytes(bytes(start) + numbers.tobytes())
    nm = ", ".join(str(400 + 10 * band) for band in range(bands))
    said = {
        "samples": width, "lines": height, "bands": bands, "header offset": start, "data type": kind,
        "interleave": interleave, "byte order": order, "wavelength": f"{{{nm}}}", "wavelength units": "Nanometers",
    } | {key.replace("__", " "): value for key, value in fields.items()}  # fmt: skip
    text = "".join(f"{key} = {value}\n" for key, value in said.items() if value is not None)
    header = folder / "foreign.hdr"
    header.write_text(f"ENVI\ndescription = {{made by\nanother hand}}\n{text}", encoding="utf-8")
    return header


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_the_library_spectral_opens_our_files_with_wavelengths_to_the_same_numbers(tmp_path, dtype):
    path = tmp_path / "cube.hdr"
    write_cube(path, some_cube(), WAVELENGTHS, RADIANCE, dtype=dtype)
    image = spectral.open_image(str(path))
    assert image.bands.centers == WAVELENGTHS.tolist()
    assert image.bands.band_unit == "Nanometers"
    assert image.metadata["method"] == "gan"
    assert image.metadata["weights_sha256"] == "ab" * 32
    numbers = np.asarray(image.open_memmap()).astype(np.float64)
    if dtype == "uint16":
        gain, offset = (np.array(image.metadata[f"data {what} values"], float) for what in ("gain", "offset"))
        numbers = numbers * gain + offset
    np.testing.assert_array_equal(numbers.astype(np.float32), read_cube(path).cube)
    np.testing.assert_allclose(numbers, some_cube(), atol=0 if dtype == "float32" else 2**-15)  # half a step


@pytest.mark.parametrize("interleave", sorted(AXES))
@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64, np.int16])
def test_files_of_spectral_come_back(tmp_path, interleave, dtype):
    counts = some_counts().astype(dtype)
    said = {"wavelength": [0.4, 0.41, 0.57, 0.7], "wavelength units": "Micrometers"}
    envi.save_image(str(tmp_path / "cube.hdr"), counts, interleave=interleave, metadata=said, dtype=dtype)
    back = read_cube(tmp_path / "cube.hdr")
    np.testing.assert_array_equal(back.cube, counts)
    np.testing.assert_array_equal(back.wavelengths, [400.0, 410.0, 570.0, 700.0])
    assert "quantity" not in back.attributes


@pytest.mark.parametrize("interleave", sorted(AXES))
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_type_interleave_and_byte_order_is_read_whole_and_in_windows(tmp_path, kind, order, interleave):
    counts = some_counts()
    header = write_foreign(tmp_path, counts, kind, interleave, order, start=13)
    with open_cube(header) as stored:
        np.testing.assert_array_equal(stored.read(), counts)
        np.testing.assert_array_equal(stored.read(Window(1, 2, 3, 4)), counts[1:4, 2:6])
        np.testing.assert_array_equal(stored.read(Window(1, 1, 4, 6), step=3), counts[1:5:3, 1:7:3])


@pytest.mark.parametrize("data", ["foreign", "foreign.raw", "foreign.DAT", "foreign.bil", "foreign.img"])
def test_header_and_data_find_each_other(tmp_path, data):
    header = write_foreign(tmp_path, some_counts(), data=data)
    for path in (header, tmp_path / data):
        np.testing.assert_array_equal(read_cube(path).cube, some_counts())
    longer = tmp_path / f"{data}.hdr"
    header.rename(longer)
    for path in (longer, tmp_path / data):
        np.testing.assert_array_equal(read_cube(path).cube, some_counts())


def test_the_data_file_of_the_right_length_is_taken(tmp_path):
    header = write_foreign(tmp_path, some_counts(), data="foreign.raw")
    (tmp_path / "foreign.img").write_bytes(b"a thumbnail")
    np.testing.assert_array_equal(read_cube(header).cube, some_counts())


def test_gain_offset_scale_factor_and_ignored_values_are_applied(tmp_path):
    counts = some_counts()
    gained = {"data__gain__values": "{2, 3, 4, 5}", "data__offset__values": "{-1, 0, 1, 2}"}
    header = write_foreign(tmp_path, counts, **gained, reflectance__scale__factor=7)
    np.testing.assert_array_equal(read_cube(header).cube, counts * [2, 3, 4, 5] + [-1, 0, 1, 2])
    header = write_foreign(tmp_path, counts, reflectance__scale__factor="10000.0", quantity="reflectance")
    back = read_cube(header)
    np.testing.assert_allclose(back.cube, counts / 10000, rtol=1e-7)
    assert (back.mask, back.attributes) == (None, {"quantity": "reflectance"})
    counts[2, 3] = 200
    back = read_cube(write_foreign(tmp_path, counts, data__ignore__value=200))
    assert not back.mask[2, 3]
    assert back.mask.sum() == 34
    assert (back.cube[2, 3] == 0).all()
    np.testing.assert_array_equal(back.cube[back.mask], counts[back.mask])


def test_wavelengths_without_a_unit_are_nm_or_micrometres_by_their_size(tmp_path):
    micrometres = {"wavelength": "{0.4, 0.45, 0.5, 1}"}
    for unit in (None, "Unknown"):
        header = write_foreign(tmp_path, some_counts(), **micrometres, wavelength__units=unit)
        with open_cube(header) as stored:
            assert stored.wavelengths.tolist() == [400, 450, 500, 1000]
            assert stored.remarks == (f"{header}: its wavelengths have no unit and were taken for micrometres",)
    with open_cube(write_foreign(tmp_path, some_counts(), wavelength__units=None)) as stored:
        assert (stored.wavelengths.tolist(), stored.remarks) == ([400, 410, 420, 430], ())
    header = write_foreign(tmp_path, some_counts(), wavelength="{40, 41, 42, 43}", wavelength__units=None)
    with pytest.raises(DataError, match=r"the wavelength units are ''; nanometers were expected \(or .* --wavelengths"):
        read_cube(header)


@pytest.mark.parametrize("fields", [{"wavelength__units": None}, {"wavelength__units": "Index"}], ids=str)
def test_the_users_wavelengths_win_over_those_without_a_unit_that_is_read(tmp_path, fields):
    header = write_foreign(tmp_path, some_counts(), wavelength="{0.4, 0.5, 0.6, 0.7}", **fields)
    with open_cube(header, [410, 420, 430, 440]) as stored:
        assert (stored.wavelengths.tolist(), stored.remarks) == ([410, 420, 430, 440], ())
    header = write_foreign(tmp_path, some_counts())
    assert read_cube(header, [410, 420, 430, 440]).wavelengths.tolist() == [400, 410, 420, 430]


def test_a_large_mask_is_found_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("specrec.cubes.envi._BLOCK", 100)
    counts = some_counts()
    counts[4, 6] = 200
    assert np.argwhere(~read_cube(write_foreign(tmp_path, counts, data__ignore__value=200)).mask).tolist() == [[4, 6]]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"samples": None}, "no key 'samples'"),
        ({"lines": "-5"}, "key 'lines' is '-5'; a whole number from 1 on"),
        ({"bands": "0"}, "key 'bands' is '0'"),
        ({"lines": "9" * 15}, "is 280 bytes long, and"),
        ({"lines": "9" * 5000}, "key 'lines'"),
        ({"header__offset": "1000"}, "is 280 bytes long, and"),
        ({"data__type": "6"}, "data type is 6"),
        ({"data__type": None}, "data type is none"),
        ({"Interleave": "tiled"}, "key 'interleave' is 'tiled', not one of bip, bil, bsq"),
        ({"byte__order": "2"}, "key 'byte order' is '2'"),
        ({"wavelength": None}, "says no wavelengths"),
        ({"wavelength": "{400, 410, 420}"}, "4 bands and there are 3 wavelengths"),
        ({"wavelength": "{400, 410, 405, 420}"}, "must increase"),
        ({"wavelength": "{400, 410, blue, 420}"}, "'wavelength' holds something else than numbers"),
        ({"wavelength": "{400, 410, nan, 420}"}, "'wavelength' holds numbers that are not finite"),
        ({"wavelength__units": "Wavenumber"}, "wavelength units are 'Wavenumber'"),
        ({"wavelength__units": "Unknown", "wavelength": "{1, 2, 3, 4}"}, "wavelength units are 'Unknown'"),
        ({"data__gain__values": "{1, 2}"}, "4 bands and there are 2 data gain values"),
        ({"reflectance__scale__factor": "0"}, "reflectance scale factor is 0"),
        ({"file__compression": "1"}, "'file compression' is not 0"),
        ({"file__type": "ENVI Spectral Library"}, "header of a spectral library"),
        ({"quantity": "brightness"}, "quantity is 'brightness'"),
        ({"further_attributes": "json {"}, "'further_attributes' is damaged"),
        ({"map__info": "{never closed"}, "not a whole ENVI header"),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_is_refused_in_a_sentence(tmp_path, fields, sentence):
    header = write_foreign(tmp_path, some_counts(), **fields)
    with pytest.raises(DataError, match=sentence) as caught:
        read_cube(header)
    assert "foreign." in str(caught.value)


def test_missing_units_are_nanometres_where_they_cannot_be_another(tmp_path):
    header = write_foreign(tmp_path, some_counts(), wavelength__units=None)
    np.testing.assert_array_equal(read_cube(header).wavelengths, [400, 410, 420, 430])
    header = write_foreign(tmp_path, some_counts(), wavelength=None)
    np.testing.assert_array_equal(read_cube(header, [1, 2, 3, 4]).wavelengths, [1, 2, 3, 4])


def test_a_header_without_data_and_data_without_header_are_named(tmp_path):
    header = write_foreign(tmp_path, some_counts())
    (tmp_path / "foreign.img").rename(tmp_path / "elsewhere.img")
    with pytest.raises(UsageError, match=r"no data file beside the header, such as foreign, foreign\.img"):
        read_cube(header)
    with pytest.raises(DataError, match=r"there is no header elsewhere\.hdr beside it"):
        read_cube(tmp_path / "elsewhere.img")


def test_a_header_in_the_letters_of_the_nineties_is_read(tmp_path):
    header = write_foreign(tmp_path, some_counts(), sensor__type="caméra")
    header.write_bytes(header.read_text("utf-8").encode("latin-1"))
    np.testing.assert_array_equal(read_cube(header).cube, some_counts())


@settings(max_examples=100)
@given(data=st.data())
def test_a_damaged_header_is_read_or_refused_in_a_sentence(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "cube.hdr"
    write_cube(path, some_cube(2, 3), WAVELENGTHS, RADIANCE, np.eye(2, 3) > 0, dtype="uint16")
    text = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.one_of(st.integers(0, 255), st.integers(45, 57)))
    path.write_bytes(text[: data.draw(st.integers(len(text) // 2, len(text)))])
    try:
        assert np.isfinite(read_cube(path).cube).all()
    except SpecrecError as error:
        assert "cube." in str(error)
        assert "\n" not in str(error)


def test_header_and_data_are_put_in_place_together_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "cube.hdr"
    assert written_paths(path) == written_paths(tmp_path / "cube.img") == (path, tmp_path / "cube.img")
    write_cube(path, some_cube(), WAVELENGTHS, RADIANCE)
    before = {entry: entry.read_bytes() for entry in tmp_path.iterdir()}
    synced = []

    def full(handle):
        synced.append(handle)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("specrec.cache.os.fsync", full)
    with pytest.raises(SpecrecError, match="No space left"):
        write_cube(path, 1 - some_cube(), WAVELENGTHS, RADIANCE, overwrite=True)
    assert {entry: entry.read_bytes() for entry in tmp_path.iterdir()} == before


def test_no_old_header_ever_lies_beside_new_data(tmp_path, monkeypatch):
    path = tmp_path / "cube.hdr"
    write_cube(path, some_cube(), WAVELENGTHS, RADIANCE)
    kind, seen = type(path), []
    plain = kind.replace
    monkeypatch.setattr(
        kind, "replace", lambda self, target: (seen.append((target.suffix, path.exists())), plain(self, target))[1]
    )
    write_cube(path, some_cube(9, 9), WAVELENGTHS, RADIANCE, overwrite=True)
    assert seen == [(".img", False), (".hdr", False)]


@pytest.mark.parametrize("taken", ["cube.hdr", "cube.img"])
def test_either_file_is_replaced_only_when_asked(tmp_path, taken):
    (tmp_path / taken).write_bytes(b"mine")
    with pytest.raises(UsageError, match=rf"{taken} exists"):
        write_cube(tmp_path / "cube.hdr", some_cube(), WAVELENGTHS, RADIANCE)
    assert [entry.name for entry in tmp_path.iterdir()] == [taken]


def test_a_name_of_a_method_cannot_break_the_header(tmp_path):
    attributes = {"quantity": "radiance", "method": "}\nsamples = 9 {", "note": "}\nlines = 9"}
    write_cube(tmp_path / "cube.hdr", some_cube(), WAVELENGTHS, attributes)
    back = read_cube(tmp_path / "cube.hdr")
    assert {key: back.attributes[key] for key in attributes} == attributes
    np.testing.assert_array_equal(back.cube, some_cube())
