"""Tables of colour-science come from the cache folder to the bit, and anew where a file is not what was written."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specrec import colour_tables
from specrec.colour_tables import colour_table
from specrec.errors import SpecrecError
from specrec.robustness.camera import CAMERAS, taken
from specrec.robustness.observer import OBSERVERS, observed
from specrec.stored_arrays import write_array

TABLE = np.array([[0.1, -0.0, 1e-300], [1 / 3, 2.0, 5e300]])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPECREC_CACHE", str(tmp_path))
    monkeypatch.setattr(colour_tables, "_colour_science", lambda: None)
    return tmp_path / "colour"


def read(make: Callable[[Any], Any] = lambda _colour: TABLE) -> Any:
    return colour_table("some", (2, 3), make)


def test_a_table_is_made_once_and_comes_back_to_the_bit(folder: Path) -> None:
    made = read(lambda _colour: np.asfortranarray(TABLE))
    again = read(lambda _colour: pytest.fail("made twice"))
    assert made.tobytes() == again.tobytes() == TABLE.tobytes()
    assert (again.dtype, again.shape, again.flags.c_contiguous) == (np.float64, (2, 3), True)
    again[:] = 0.0
    assert read(lambda _colour: pytest.fail("made twice")).tobytes() == TABLE.tobytes()


@pytest.mark.parametrize("damage", ["one bit", "cut", "longer", "empty", "plain .npy", "another shape"])
def test_a_file_that_is_damaged_or_foreign_is_made_anew(folder: Path, damage: str) -> None:
    read()
    (path,) = folder.iterdir()
    content = path.read_bytes()
    if damage == "plain .npy":
        write_array(path, TABLE)
    elif damage == "another shape":
        colour_table("other", (2, 4), lambda _colour: np.ones((2, 4)))
        next(one for one in folder.iterdir() if one != path).replace(path)
    else:
        one_bit = content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]
        path.write_bytes({"one bit": one_bit, "cut": content[:-1], "longer": content + b"\0", "empty": b""}[damage])
    assert read().tobytes() == TABLE.tobytes()
    assert path.read_bytes() == content


@pytest.mark.parametrize("other", [TABLE.T, np.full((2, 3), np.nan), np.full((2, 3), np.inf)])
def test_a_table_that_is_not_the_one_known_is_refused_and_not_kept(folder: Path, other: Any) -> None:
    with pytest.raises(SpecrecError, match="has another table 'some' than specrec knows"):
        read(lambda _colour: other)
    assert not folder.exists()


def test_without_a_place_to_keep_it_a_table_is_made_every_time(folder: Path) -> None:
    folder.write_text("no folder")
    assert read().tobytes() == read().tobytes() == TABLE.tobytes()


def test_a_second_process_has_the_photos_of_a_camera_and_another_observer_without_colour_science() -> None:
    cube = np.random.default_rng(0).random((2, 3, 31))
    here = [*(taken(cube, name) for name in CAMERAS), *(observed(cube, name) for name in OBSERVERS)]
    code = (
        "import sys, numpy; from specrec.robustness.camera import CAMERAS, taken;"
        "from specrec.robustness.observer import OBSERVERS, observed;"
        "cube = numpy.random.default_rng(0).random((2, 3, 31));"
        "found = [*(taken(cube, name) for name in CAMERAS), *(observed(cube, name) for name in OBSERVERS)];"
        "sys.stdout.write(str('colour' in sys.modules) + numpy.array(found).tobytes().hex())"
    )
    there = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert there == "False" + np.array(here).tobytes().hex()
