"""From a photo to a cube file: tile by tile, with the numbers of the whole, on a disk that has room, or not at all."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import specrec
from specrec.cubes import read_cube, stored_bytes
from specrec.errors import DataError, SpecrecError, UsageError
from specrec.interfaces import FitContext
from specrec.reconstruction import Choices, reconstruct_file
from specrec.registry import registry
from specrec.scenes import TrainingScene
from specrec.threads import available_cores
from specrec.weights import make_card, save

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (45, 70, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: upright it has 70 rows
    Image.fromarray(pixels).save(tmp_path / "photo.png", exif=exif)
    return tmp_path / "photo.png"


@pytest.fixture
def weights(tmp_path: Path, training_scenes: list[TrainingScene]) -> Path:
    method = registry().build("gan[branches=3,width=4,crop=32,steps=2]").fit(training_scenes, FitContext())
    path = tmp_path / "weights" / "gan.safetensors"
    path.parent.mkdir()
    save(method, path, make_card(method, wavelengths=range(400, 701, 10), scenes=["s"], seed=0))
    return path


@pytest.mark.parametrize("suffix", [".h5", ".mat", ".npy"])
@pytest.mark.parametrize("tiles", ["auto", "whole", "16", "1000"])
def test_a_file_written_in_tiles_holds_the_whole_estimate(
    photo: Path, weights: Path, tmp_path: Path, tiles: str, suffix: str
) -> None:
    target = tmp_path / f"out{suffix}"
    done = reconstruct_file("gan", photo, target, choices=Choices(weights, tiles=tiles))
    assert done[:2] == ((70, 45, 31), None)
    expected = specrec.load("gan", weights).reconstruct(specrec.read_image(photo))
    np.testing.assert_allclose(read_cube(target).cube, expected, rtol=0, atol=1e-5)
    assert target.stat().st_size == pytest.approx(stored_bytes(target, (70, 45, 31)), abs=20_000)


def test_the_threads_are_those_asked_for_or_all_cores_and_change_no_bit(
    photo: Path, tmp_path: Path, training_scenes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = registry().build("linear").fit(training_scenes, FitContext())
    path = tmp_path / "linear.safetensors"
    save(method, path, make_card(method, wavelengths=range(400, 701, 10), scenes=["s"], seed=0))
    used = []
    plain = type(method).reconstruct
    monkeypatch.setattr(type(method), "reconstruct", lambda self, rgb: (used.append(self.threads), plain(self, rgb))[1])
    for threads in (None, 1, 3):
        reconstruct_file("linear", photo, tmp_path / "out.npy", choices=Choices(path, threads=threads, overwrite=True))
        expected = method.reconstruct(specrec.read_image(photo))
        np.testing.assert_array_equal(read_cube(tmp_path / "out.npy").cube, expected)
    assert used[::2] == [available_cores(), 1, 3]
    assert specrec.load("linear", path).threads == 1
    assert specrec.load("linear", path, threads=2).threads == 2


def test_a_method_with_linear_input_gets_it_tile_by_tile(photo: Path, tmp_path: Path, training_scenes: Any) -> None:
    method = registry().build("arad[atoms=40,training_sparsity=5,input=linear]")
    method.fit([TrainingScene(view.scene, input="linear") for view in training_scenes], FitContext())
    path = tmp_path / "arad.safetensors"
    save(method, path, make_card(method, wavelengths=range(400, 701, 10), scenes=["s"], seed=0))
    for tiles in ("whole", "16"):
        reconstruct_file("arad", photo, tmp_path / f"{tiles}.npy", choices=Choices(path, tiles=tiles))
    np.testing.assert_allclose(np.load(tmp_path / "16.npy"), np.load(tmp_path / "whole.npy"), atol=1e-5)


def test_separate_tiles_are_written_and_their_cost_is_told(photo: Path, weights: Path, tmp_path: Path) -> None:
    done = reconstruct_file("gan", photo, tmp_path / "separate.npy", choices=Choices(weights, tiles="separate:16"))
    method, rgb = specrec.load("gan", weights), specrec.read_image(photo)
    separate = np.load(tmp_path / "separate.npy")
    np.testing.assert_array_equal(separate[:16, 16:32], method.reconstruct(rgb[:16, 16:32]))
    levels = 255 * np.sqrt(((separate.astype(float) - method.reconstruct(rgb)) ** 2).mean(axis=2))
    assert done.seams is not None
    assert done.seams.overall == pytest.approx(levels.mean(), rel=1e-3)
    assert f"by RMSE {done.seams.overall:.4f} on 0..255" in str(done.seams)
    assert "within 2 pixels of a seam" in str(done.seams)


def test_a_disk_that_is_too_small_is_told_before_the_work(
    photo: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(0, 0, 100_000))
    monkeypatch.setattr("specrec.reconstruction.one_photo.stream", None)
    with pytest.raises(SpecrecError, match=r"31 bands of 70 x 45 pixels need 390\.6 kB and .* has 100\.0 kB free"):
        reconstruct_file("gan", photo, tmp_path / "out.npy", choices=Choices(weights))
    assert not (tmp_path / "out.npy").exists()


def test_one_limit_of_pixels_is_checked_before_the_photo_is_decoded(photo: Path, weights: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"photo\.png has 3,150 pixels; --max-pixels admits 3,000"):
        reconstruct_file("gan", photo, tmp_path / "out.npy", choices=Choices(weights, max_pixels=3000))
    with pytest.raises(UsageError, match="tiles are auto, whole, SIZE or separate:SIZE"):
        reconstruct_file("gan", photo, tmp_path / "out.npy", choices=Choices(weights, tiles="big"))


def test_progress_rises_to_the_end(photo: Path, weights: Path, tmp_path: Path) -> None:
    told: list[float] = []
    progress = lambda done, _words: told.append(done)  # noqa: E731
    reconstruct_file("gan", photo, tmp_path / "out.npy", choices=Choices(weights, tiles="16"), progress=progress)
    assert len(told) == 15
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize("suffix", [".h5", ".mat", ".npy"])
def test_an_estimate_with_nan_leaves_the_old_file_as_it_was(
    photo: Path, weights: Path, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = lambda _self, rgb: np.full((*rgb.shape[:2], 31), np.nan, np.float32)  # noqa: E731
    monkeypatch.setattr(registry().reconstructor("gan"), "reconstruct", bad)
    target = tmp_path / "out" / f"cube{suffix}"
    target.parent.mkdir()
    target.write_text("mine")
    with pytest.raises(DataError, match="holds NaN or infinity in Window"):
        reconstruct_file("gan", photo, target, choices=Choices(weights, overwrite=True))
    assert target.read_text() == "mine"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("suffix", [".h5", ".mat", ".npy"])
def test_ctrl_c_leaves_nothing_behind(photo: Path, weights: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    # a shell that starts its tests in the background has them ignore Ctrl-C, which children inherit
    start = (
        "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from specrec_gan.method import Gan; real = Gan.reconstruct\n"
        "Gan.reconstruct = lambda self, rgb: (time.sleep(0.3), real(self, rgb))[1]\n"
        "from specrec.cli import main; main()"
    )
    words = ["run", "gan", str(photo), "--weights", str(weights), "--tiles", "8", "-o", str(out / f"cube{suffix}")]
    process = subprocess.Popen([sys.executable, "-c", start, *words], cwd=tmp_path, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not list(out.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert list(out.iterdir()), "it had not begun to write"
        time.sleep(0.7)
        os.kill(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130, said
    assert b"Traceback" not in said
    assert list(out.iterdir()) == []
