import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.cubes import hdf5, read_cube, write_cube
from specrec.errors import DataError
from specrec.scenes import Window
from specrec.spectra import WAVELENGTHS

ATTRIBUTES = {
    "quantity": "reflectance",
    "units": "1",
    "scale_min": 0.25,
    "scale_max": 2.5,
    "method": "gan",
    "weights_sha256": "ab" * 32,
    "rendering": "cie1964-10deg-10nm/E/iec61966-2-1/round8",
}


def some_cube(height=100, width=90, bands=31):
    return np.random.default_rng(0).random((height, width, bands), dtype=np.float32)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "cube.h5"
    write_cube(path, some_cube(), WAVELENGTHS, ATTRIBUTES, some_cube()[..., 0] > 0.1)
    return path


def test_the_layout_is_the_documented_one(path):
    with h5py.File(path) as file:
        assert set(file) == {"cube", "wavelengths", "mask"}
        assert file["cube"].dtype == np.float32
        assert file["cube"].shape == (100, 90, 31)
        assert file["cube"].chunks == (64, 64, 31)
        assert file["wavelengths"].dtype == np.float64
        assert file["mask"].dtype == np.bool_
        np.testing.assert_array_equal(file["cube"][()], some_cube())
        stored = dict(file.attrs)
    attributes = {key: value.decode() if isinstance(value, bytes) else value for key, value in stored.items()}
    assert attributes.pop("specrec_version")
    assert attributes == ATTRIBUTES | {"format_version": 1}


@pytest.mark.parametrize("suffix", [".h5", ".mat", ".nc"])
def test_texts_have_a_fixed_length_since_damage_to_others_ends_the_process(tmp_path, suffix):
    path = tmp_path / f"cube{suffix}"
    write_cube(path, some_cube()[:3, :4], WAVELENGTHS, ATTRIBUTES | {"method": "gän", "note": ""})
    assert read_cube(path).attributes["method"] == "gän"
    assert read_cube(path).attributes["note"] == ""
    with h5py.File(path) as file:
        holders = [file, *(file[key] for key in file)]
        kinds = {key: holder.attrs.get_id(key).dtype for holder in holders for key in holder.attrs}
    ours = {key: kind for key, kind in kinds.items() if key not in ("DIMENSION_LIST", "REFERENCE_LIST")}
    assert {key for key, kind in ours.items() if kind.kind == "O"} == set()


def test_attributes_come_back_as_plain_values(path):
    attributes = read_cube(path).attributes
    assert attributes["scale_min"] == 0.25
    assert {type(value) for value in attributes.values()} == {str, float, int}


def test_what_nobody_said_has_a_neutral_value(tmp_path):
    write_cube(tmp_path / "cube.h5", some_cube(2, 2), WAVELENGTHS, {"quantity": "radiance", "camera": "a box"})
    attributes = read_cube(tmp_path / "cube.h5").attributes
    assert attributes["camera"] == "a box"
    assert (attributes["scale_min"], attributes["scale_max"]) == (0.0, 1.0)
    assert (attributes["units"], attributes["method"], attributes["rendering"]) == ("1", "", "")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_window_equals_the_part_of_the_whole(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "windows.h5"
    if not path.exists():
        write_cube(path, some_cube(), WAVELENGTHS, ATTRIBUTES)
    top, left = data.draw(st.integers(0, 99)), data.draw(st.integers(0, 89))
    window = Window(top, left, data.draw(st.integers(1, 100 - top)), data.draw(st.integers(1, 90 - left)))
    np.testing.assert_array_equal(hdf5.read_window(path, window), some_cube()[window.slices])


def test_a_window_is_read_without_the_rest_of_the_file(path, tmp_path):
    content = path.read_bytes()
    half = tmp_path / "half.h5"
    half.write_bytes(content)
    with h5py.File(path) as file:
        last = file["cube"].id.get_chunk_info(3)
    with half.open("r+b") as raw:  # NaN in the last chunk alone
        raw.seek(last.byte_offset)
        raw.write(np.full(last.size // 4, np.nan, dtype=np.float32).tobytes())
    np.testing.assert_array_equal(hdf5.read_window(half, Window(0, 0, 64, 64)), some_cube()[:64, :64])
    with pytest.raises(DataError, match="NaN"):
        hdf5.read_window(half, None)


def replace_dataset(file, key, values):
    del file[key]
    file[key] = values


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda file: file.attrs.__delitem__("format_version"), "format_version 1 or 2, this one has none"),
        (lambda file: file.attrs.__setitem__("format_version", 3), "format_version 1 or 2, this one says 3"),
        (lambda file: file.attrs.__delitem__("quantity"), "attribute quantity is None"),
        (lambda file: file.attrs.__setitem__("quantity", "light"), "attribute quantity is 'light'"),
        (lambda file: file.__delitem__("cube"), r"no key 'cube'; it holds mask, wavelengths"),
        (lambda file: file.__delitem__("wavelengths"), "no key 'wavelengths'"),
        (
            lambda file: replace_dataset(file, "wavelengths", np.arange(1.0, 31.0)),
            "31 bands and there are 30 wavelengths",
        ),
        (lambda file: replace_dataset(file, "wavelengths", np.full(31, 500.0)), "wavelengths must increase"),
        (lambda file: replace_dataset(file, "wavelengths", "blue"), "'wavelengths' holds no array of numbers"),
        (lambda file: replace_dataset(file, "cube", np.zeros((4, 31))), r"'cube' has shape \(4, 31\)"),
        (lambda file: replace_dataset(file, "cube", np.zeros((0, 4, 31))), r"'cube' has shape \(0, 4, 31\)"),
        (lambda file: replace_dataset(file, "cube", np.full((100, 90, 31), np.nan)), "NaN or infinity"),
        (lambda file: replace_dataset(file, "mask", np.ones((3, 3), dtype=bool)), r"mask has shape \(3, 3\)"),
        (lambda file: (file.__delitem__("cube"), file.create_group("cube")), "'cube' holds no array of numbers"),
    ],
)
def test_what_is_missing_or_wrong_is_named(path, spoil, sentence):
    with h5py.File(path, "r+") as file:
        spoil(file)
    with pytest.raises(DataError, match=sentence) as caught:
        read_cube(path)
    assert str(path) in str(caught.value)


def test_damage_inside_a_compressed_cube_is_named(path):
    with h5py.File(path, "r+") as file:
        del file["cube"]
        file.create_dataset("cube", data=some_cube(), chunks=(50, 90, 31), compression="gzip", fletcher32=True)
        place = file["cube"].id.get_chunk_info(1).byte_offset
    with path.open("r+b") as raw:
        raw.seek(place + 1000)
        raw.write(bytes(1000))
    with pytest.raises(DataError, match="the file is damaged"):
        read_cube(path)


def test_a_file_without_permission_is_one_sentence(path, monkeypatch):
    def refuse(*_arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(hdf5.h5py, "File", refuse)
    with pytest.raises(DataError, match=r"cannot read .*cube\.h5: Permission denied"):
        hdf5.read_window(path, None)
