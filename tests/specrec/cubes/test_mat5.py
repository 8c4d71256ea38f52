"""MATLAB files of version 5, against scipy, whole and damaged."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.cubes import mat5, open_cube
from specrec.errors import DataError, SpecrecError

TYPES = ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]


def contents_of(path):
    return {name: np.array(mat5.read(path, found)) for name, found in mat5.variables(path).items()}


@pytest.mark.parametrize("packed", [False, True])
def test_arrays_of_every_type_are_what_scipy_reads(tmp_path, packed):
    rng = np.random.default_rng(0)
    arrays = {f"of_{kind}": (rng.random((3, 4, 5)) * 100).astype(kind) for kind in TYPES}
    arrays |= {"n": 2.5, "a_name_that_is_rather_long_for_an_array": np.arange(7), "flags": np.eye(3) > 0}
    others = {"text": "words", "cell": np.array([1, "a"], dtype=object), "struct": {"a": 1}, "z": np.array([1j, 2])}
    scipy.io.savemat(tmp_path / "a.mat", arrays | others | {"empty": np.zeros((0, 3))}, do_compression=packed)
    found, expected = contents_of(tmp_path / "a.mat"), scipy.io.loadmat(tmp_path / "a.mat")
    assert found.keys() == arrays.keys()
    for name, values in found.items():
        assert values.shape == expected[name].shape
        np.testing.assert_array_equal(values, expected[name])


@settings(max_examples=30)
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
    st.sampled_from(TYPES),
    st.booleans(),
    st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=31),
)
def test_any_shape_and_name_is_read(tmp_path_factory, shape, kind, packed, name):
    path = tmp_path_factory.mktemp("any") / "a.mat"
    values = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    scipy.io.savemat(path, {name: values}, do_compression=packed)
    found = contents_of(path)
    assert list(found) == [name]
    np.testing.assert_array_equal(found[name], values)


def element(kind, content, order):
    return struct.pack(order + "II", kind, len(content)) + content + bytes(-len(content) % 8)


def by_hand(values, stored_as, order, name=b"ref", packed=False):
    """A file written from the description of the format: doubles, stored in a smaller type."""
    kind, dtype = stored_as
    parts = element(6, struct.pack(order + "II", 6, 0), order)
    parts += element(5, struct.pack(order + "3i", *values.shape), order)
    parts += struct.pack(order + "HH" if order == ">" else "<HH", *((len(name), 1) if order == ">" else (1, len(name))))
    parts += name.ljust(4, b"\0")
    parts += element(kind, values.astype(order + dtype).tobytes(order="F"), order)
    matrix = struct.pack(order + "II", 14, len(parts)) + parts
    if packed:
        matrix = zlib.compress(matrix)
        matrix = struct.pack(order + "II", 15, len(matrix)) + matrix
    return b"MATLAB 5.0 MAT-file".ljust(124) + (b"\x00\x01IM" if order == "<" else b"\x01\x00MI") + matrix


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("stored_as", [(2, "u1"), (4, "u2"), (7, "f4"), (9, "f8")])
def test_both_byte_orders_and_values_in_a_smaller_type_are_read(tmp_path, packed, order, stored_as):
    values = np.arange(24.0).reshape(2, 3, 4)
    (tmp_path / "a.mat").write_bytes(by_hand(values, stored_as, order, packed=packed))
    np.testing.assert_array_equal(scipy.io.loadmat(tmp_path / "a.mat")["ref"], values)
    np.testing.assert_array_equal(contents_of(tmp_path / "a.mat")["ref"], values)


def test_a_large_packed_array_is_unpacked_to_the_last_byte(tmp_path):
    values = np.random.default_rng(0).integers(0, 9, (300, 200, 31)).astype(np.float32)
    scipy.io.savemat(tmp_path / "a.mat", {"cube": values}, do_compression=True)
    np.testing.assert_array_equal(contents_of(tmp_path / "a.mat")["cube"], values)


def test_an_array_that_is_not_packed_is_not_loaded(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"cube": np.zeros((3, 4, 5))})
    assert isinstance(mat5.read(tmp_path / "a.mat", mat5.variables(tmp_path / "a.mat")["cube"]), np.memmap)


def test_memory_that_is_not_there_is_not_taken(tmp_path, monkeypatch):
    scipy.io.savemat(tmp_path / "a.mat", {"cube": np.random.default_rng(0).random((30, 40, 50))}, do_compression=True)
    monkeypatch.setattr(mat5, "available_memory", lambda: 400_000)
    with pytest.raises(DataError, match=r"a\.mat: the array 'cube' needs 0\.0 GB to unpack .* save it as v7\.3"):
        contents_of(tmp_path / "a.mat")


def damaged(**changes):
    good = by_hand(np.arange(24.0).reshape(2, 3, 4), (9, "f8"), "<")
    content = bytearray(good)
    for at, value in changes.items():
        content[int(at[1:]) : int(at[1:]) + 4] = struct.pack("<i", value)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (damaged(b128=99), "at byte 128 there is an element of type 99"),
        (damaged(b132=1 << 20), "it is truncated"),
        (damaged()[:-60], "it is truncated"),
        (damaged(b136=7), "an array has no flags"),
        (damaged(b152=7), "an array has no dimensions"),
        (damaged(b160=2_000_000_000), "'ref' of 2000000000 x 3 x 4 has 192 bytes"),
        (damaged(b160=-2), "the values of 'ref'"),
        (damaged(b184=255), "the values of 'ref' are of type 255"),  # scipy ends the process here
        (by_hand(np.zeros((2, 3, 4)), (9, "f8"), "<", packed=True)[:-6], "it is truncated"),
    ],
)
def test_damage_is_told_in_a_sentence(tmp_path, content, sentence):
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(DataError, match=rf"a\.mat: the MATLAB v5 file is damaged \({sentence}"):
        contents_of(tmp_path / "a.mat")


def test_a_packed_array_that_claims_more_than_it_holds_is_refused_before_memory_is_taken(tmp_path):
    matrix = zlib.compress(struct.pack("<II", 14, 1 << 31) + bytes(10_000))
    start = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + struct.pack("<II", 15, len(matrix))
    (tmp_path / "a.mat").write_bytes(start + matrix)
    with pytest.raises(DataError, match="the packed element at byte 128 is no whole array"):
        mat5.variables(tmp_path / "a.mat")


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("originals")
    rng = np.random.default_rng(0)
    arrays = {"ref": rng.random((3, 4, 31)), "lbl": rng.integers(0, 3, (3, 4)), "text": "words"}
    found = []
    for packed in (False, True):
        scipy.io.savemat(folder / "a.mat", arrays, do_compression=packed)
        found.append((folder / "a.mat").read_bytes())
    return found


@settings(max_examples=120)
@given(st.data())
def test_any_damaged_byte_gives_a_cube_or_a_sentence(tmp_path_factory, originals, data):
    content = bytearray(data.draw(st.sampled_from(originals)))
    for _ in range(data.draw(st.integers(1, 3))):
        near = st.integers(128, 340) | st.integers(0, len(content) - 1)  # tags, dimensions and names are at the start
        content[data.draw(near)] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.just(len(content)) | st.integers(0, len(content)))]
    path = tmp_path_factory.mktemp("damage") / "scene.mat"
    path.write_bytes(content)
    try:
        with open_cube(path) as stored:
            assert stored.read().shape == stored.shape
            assert stored.mask is None or stored.mask.shape == stored.shape[:2]
    except SpecrecError as error:
        assert str(path) in str(error)
        assert "\n" not in str(error)
