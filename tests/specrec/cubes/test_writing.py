"""Writing cubes where something is in the way: a disk that fills up, a file that appears, windows that leave gaps."""

import json
import subprocess
import sys

import numpy as np
import pytest

from specrec.cubes import SUFFIXES, cube_writer, write_cube
from specrec.errors import SpecrecError, UsageError
from specrec.scenes import Window
from specrec.spectra import WAVELENGTHS

RADIANCE = {"quantity": "radiance"}
NAMES = [f"cube{suffix}" for suffix in SUFFIXES.values()]

FULL = """
import json, resource, sys
from pathlib import Path
import numpy as np
from specrec.cubes import write_cube
from specrec.spectra import WAVELENGTHS

name, limits = sys.argv[1], json.loads(sys.argv[2])
cube, said = np.random.default_rng(0).random((200, 150, 31), dtype=np.float32), []
for limit in limits:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write_cube(name, cube, WAVELENGTHS, {"quantity": "radiance"}, np.ones((200, 150), dtype=bool), overwrite=True)
    except Exception as error:
        said.append(f"{type(error).__name__}: {error}")
    else:
        said.append("written")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(json.dumps([said, sorted(path.name for path in Path().iterdir())]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no room can be taken before")
@pytest.mark.parametrize("name", NAMES)
def test_a_disk_that_fills_up_is_one_sentence_and_leaves_the_old_file(tmp_path, name):
    old = np.random.default_rng(1).random((3, 4, 31), dtype=np.float32)
    write_cube(tmp_path / name, old, WAVELENGTHS, RADIANCE)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    size = 200 * 150 * 31 * 4
    limits = [0, 100, 4000, 100_000, size // 2, size - 1000]
    words = [sys.executable, "-c", FULL, name, json.dumps(limits)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    said, there = json.loads(done.stdout)
    for sentence in said:
        assert sentence.startswith("CannotGoOnError: cannot write cube."), said
        assert f"File too large; make room in {tmp_path}, or choose another folder" in sentence
        assert "\n" not in sentence
    assert there == sorted(before)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["cube.h5", "cube.mat", "cube.nc"])
def test_room_that_was_taken_and_not_used_is_given_back(tmp_path, name):
    write_cube(tmp_path / name, np.ones((3, 4, 31), dtype=np.float32), WAVELENGTHS, RADIANCE)
    assert (tmp_path / name).stat().st_size < 64 * 1024


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_appears_while_a_cube_is_written_stays(tmp_path, name):
    cube = np.ones((3, 4, 31), dtype=np.float32)
    writing = cube_writer(tmp_path / name, cube.shape, WAVELENGTHS, RADIANCE, later=lambda: appear() or {})

    def appear():
        (tmp_path / name).write_text("theirs")

    with pytest.raises(UsageError, match=r"exists by now; choose another name or pass --overwrite"), writing as put:
        put(Window(0, 0, 3, 4), cube)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "theirs"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("windows", [[], [Window(0, 0, 2, 4)], [Window(0, 0, 3, 3)]])
def test_a_cube_with_gaps_is_not_put_in_place(tmp_path, name, windows):
    cube = np.ones((3, 4, 31), dtype=np.float32)

    def fill():
        with cube_writer(tmp_path / name, cube.shape, WAVELENGTHS, RADIANCE) as put:
            for window in windows:
                put(window, cube[window.slices])

    with pytest.raises(ValueError, match=r"the windows leave \d+ of 12 pixels of the cube empty"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_vanishes_is_not_told_as_a_fault_of_the_target(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match="source"),
        cube_writer(tmp_path / "cube.h5", (3, 4, 31), WAVELENGTHS, RADIANCE),
    ):
        (tmp_path / "source").read_bytes()
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_the_disk_does_not_hold_is_a_sentence(tmp_path, monkeypatch):
    import PIL.Image

    from specrec.images import write_png

    def fail(*_words, **_options):
        raise OSError("encoder error -2 when writing image file")

    monkeypatch.setattr(PIL.Image.Image, "save", fail)
    with pytest.raises(SpecrecError, match=r"cannot write .*a\.png: encoder error -2"):
        write_png(tmp_path / "a.png", np.zeros((2, 2, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
