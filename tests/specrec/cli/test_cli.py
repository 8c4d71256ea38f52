"""The command line as a user meets it: exit codes, one sentence per mistake, nothing half written."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pytest
import torch
from PIL import Image

import specrec
from specrec.cli import COMMANDS, main
from specrec.interfaces import FitContext
from specrec.registry import registry
from specrec.scenes import TrainingScene
from specrec.weights import make_card, save

DATA = "synthetic[scenes=4,size=32]"


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["specrec", *map(str, words)])
        capsys.readouterr()  # what the making of weights has said, where this test is the first
        with pytest.raises(SystemExit) as leaving:
            main()
        said = capsys.readouterr()
        return Outcome(int(leaving.value.code or 0), said.out, said.err)

    return run


def refused(outcome: Outcome, code: int, words: str) -> None:
    assert outcome.code == code, outcome.err
    assert words in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    assert len(outcome.err.strip().splitlines()) == 1 or outcome.err.startswith("Usage:")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    return tmp_path / "image.png"


@pytest.fixture
def weights(tmp_path: Path, training_scenes: list[TrainingScene]) -> Path:
    method = registry().build("gan[branches=2,width=4,crop=32,steps=2]").fit(training_scenes, FitContext())
    names = [scene.name for scene in training_scenes]
    save(method, tmp_path / "gan.safetensors", make_card(method, wavelengths=range(400, 701, 10), scenes=names, seed=0))
    return tmp_path / "gan.safetensors"


def test_run_writes_a_cube_with_wavelengths_and_origin(cli: Cli, photo: Path, weights: Path) -> None:
    assert cli("run", "gan", "image.png", "--weights", weights).code == 0
    with h5py.File("image.h5") as file:
        assert file["cube"].shape == (9, 11, 31)
        assert file["wavelengths"][:].tolist() == list(range(400, 701, 10))
        assert file.attrs["method"] == b"gan"
        assert len(file.attrs["weights_sha256"]) == 64
        stored = file["cube"][:]
    expected = specrec.load("gan", weights).reconstruct(specrec.read_image(photo))
    np.testing.assert_array_equal(stored, expected)


@pytest.mark.parametrize("name", ["out.npy", "out.mat", "out.h5", "deeper/folder/out.h5"])
@pytest.mark.usefixtures("photo")
def test_the_suffix_chooses_the_format(cli: Cli, weights: Path, name: str) -> None:
    assert cli("run", "gan", "image.png", "--weights", weights, "-o", name).code == 0
    assert specrec.read_cube(Path(name)).cube.shape == (9, 11, 31)


@pytest.mark.usefixtures("photo")
def test_an_existing_file_is_not_replaced_unless_asked(cli: Cli, weights: Path) -> None:
    Path("image.h5").write_text("mine")
    refused(cli("run", "gan", "image.png", "--weights", weights), 2, "image.h5 exists")
    assert Path("image.h5").read_text() == "mine"
    assert cli("run", "gan", "image.png", "--weights", weights, "--overwrite").code == 0


@pytest.mark.usefixtures("photo")
def test_weights_are_found_in_the_folder_the_environment_names(
    cli: Cli, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPECREC_WEIGHTS", str(weights.parent))
    assert cli("run", "gan[branches=2]", "image.png").code == 0
    Path("image.h5").unlink()
    outcome = cli("run", "gan[branches=3]", "image.png")
    refused(outcome, 2, "gan[branches=3] disagrees with")
    assert "branches=2" in outcome.err


@pytest.mark.usefixtures("photo")
def test_run_in_tiles_says_what_separate_ones_cost(cli: Cli, weights: Path) -> None:
    assert cli("run", "gan", "image.png", "--weights", weights, "--tiles", "4", "-o", "tiles.npy").code == 0
    whole = cli("run", "gan", "image.png", "--weights", weights, "-o", "whole.npy")
    assert whole.code == 0
    np.testing.assert_allclose(np.load("tiles.npy"), np.load("whole.npy"), rtol=0, atol=1e-5)
    outcome = cli("run", "gan", "image.png", "--weights", weights, "--tiles", "separate:4", "-o", "separate.npy")
    assert outcome.code == 0
    assert "separate tiles of 4 differ from the exact estimate by RMSE" in outcome.err
    # how far an estimate differs from the photo is a result, which a script wants to keep, and no remark
    [result, _untold] = whole.err.splitlines(keepends=True)
    quiet = cli("run", "gan", "image.png", "--weights", weights, "-q", "-o", "quiet.npy")
    assert quiet.err == result.replace("whole.npy", "quiet.npy")
    assert "rendered back it differs from the photo by" in quiet.err
    refused(cli("run", "gan", "image.png", "--weights", weights, "--tiles", "0"), 2, "tiles are auto, whole, SIZE")
    refused(cli("run", "gan", "image.png", "--weights", weights, "--max-pixels", 98), 1, "--max-pixels admits 98")
    assert not Path("image.h5").exists()


def test_the_help_names_the_limit_of_pixels_that_holds(cli: Cli) -> None:
    from specrec.images import MAX_PIXELS

    assert f"[default: {MAX_PIXELS // 10**6} million]" in " ".join(cli("run", "-h").out.split())


def test_bad_images_are_one_sentence_each(cli: Cli, photo: Path, weights: Path) -> None:
    whole = photo.read_bytes()
    Path("text.png").write_text("I am no image")
    Path("cut.png").write_bytes(whole[: len(whole) // 2])
    Path("empty.png").write_bytes(b"")
    for name, code in (("text.png", 1), ("cut.png", 1), ("empty.png", 1), ("absent.png", 2), (".", 2)):
        refused(cli("run", "gan", name, "-o", "out.h5", "--weights", weights), code, name)
    assert not Path("out.h5").exists()


@pytest.mark.usefixtures("photo")
def test_bad_weights_are_one_sentence_each(cli: Cli, weights: Path) -> None:
    torch.save({"a": torch.zeros(2)}, "pickle.pt")
    Path("html.safetensors").write_text("<html>not found</html>")
    Path("cut.safetensors").write_bytes(weights.read_bytes()[:-50])
    for name in ("pickle.pt", "html.safetensors", "cut.safetensors"):
        refused(cli("run", "gan", "image.png", "--weights", name), 1, f"{name} is not a .safetensors file")
    refused(cli("run", "gan", "image.png", "--weights", "absent.safetensors"), 2, "no weights file absent.safetensors")
    refused(cli("run", "pixel", "image.png", "--weights", weights), 1, "holds weights of 'gan', not of 'pixel'")
    refused(cli("run", "mean", "image.png"), 2, "train some with: specrec train mean")
    assert not Path("image.h5").exists()


@pytest.mark.usefixtures("photo")
def test_what_cannot_be_meant_is_one_sentence(cli: Cli, weights: Path) -> None:
    refused(cli("run", "gann", "image.png"), 2, "unknown method 'gann'; did you mean 'gan'?")
    refused(cli("run", "gan", "image.png", "--weights", weights, "-o", "out.xyz"), 2, "out.xyz")
    refused(cli("run", "gan", "image.png", "--weights", weights, "--device", "tpu"), 2, "there is no device 'tpu'")
    refused(cli("methods", "gann"), 2, "did you mean 'gan'?")
    refused(cli("bench", "-m", "mean", "--format", "xls"), 2, "unknown table format 'xls'")
    refused(cli("bench", "-m", "mean", "-d", "cave", "--data", "nowhere"), 2, "nowhere")
    refused(cli("bench", "-m", "mean[a=1]"), 2, "mean has no parameter 'a'")
    refused(cli("bench"), 2, "no methods given (--methods), and the protocol names none")
    refused(cli("benhc"), 2, "No such command 'benhc'")
    assert not Path("specrec-results").exists()


@pytest.mark.usefixtures("photo")
def test_a_folder_that_cannot_be_written_is_named(cli: Cli, weights: Path) -> None:
    Path("file").write_text("in the way")
    refused(cli("run", "gan", "image.png", "--weights", weights, "-o", "file/out.h5"), 1, "cannot write into file")
    refused(cli("bench", "-m", "mean", "-d", DATA, "--limit", 2, "-j", 0, "-q", "-o", "file/r"), 1, "cannot write into")


def test_bad_cubes_are_one_sentence_each(cli: Cli) -> None:
    with h5py.File("nokey.mat", "w", userblock_size=512) as file:
        file["other"] = np.zeros(3)
    with h5py.File("nan.h5", "w") as file:
        file["cube"] = np.full((2, 2, 31), np.nan, np.float32)
        file["wavelengths"] = np.arange(400.0, 701.0, 10.0)
        file.attrs.update(quantity="radiance", format_version=1)
    with h5py.File("bands.h5", "w") as file:
        file["cube"] = np.ones((2, 2, 30), np.float32)
        file["wavelengths"] = np.arange(400.0, 701.0, 10.0)
        file.attrs.update(quantity="radiance", format_version=1)
    for name, words in (("nokey.mat", "rad"), ("nan.h5", "NaN"), ("bands.h5", "30 bands")):
        outcome = cli("render", name, "-o", "out.png")
        refused(outcome, 1, name)
        assert words in outcome.err
    assert not Path("out.png").exists()


def test_verbose_shows_the_traceback(cli: Cli) -> None:
    outcome = cli("-v", "methods", "gann")
    assert outcome.code == 2
    assert "Traceback" in outcome.err


def test_bench_prints_the_table_on_stdout_and_the_rest_on_stderr(cli: Cli) -> None:
    words = ("-m", "mean", "-m", "linear", "-d", DATA, "--limit", 2, "-j", 0, "--ceiling", 0, "--format", "json")
    outcome = cli("bench", *words)
    assert outcome.code == 0
    rows = json.loads(outcome.out)["rows"]
    assert [row["method"] for row in rows] == ["mean"] * 3 + ["linear"] * 3
    assert "4 of 4 cells to compute" in outcome.err
    assert Path("specrec-results/embedded-synthetic/table.md").exists()


def test_a_dry_run_lists_the_cells_and_computes_nothing(cli: Cli) -> None:
    outcome = cli("bench", "-m", "gan[branches=2,epochs=3],mean", "--dry-run", "--warm-up", 0)
    assert outcome.code == 0
    assert outcome.out.count("to compute") == 4
    assert "gan[branches=2,epochs=3] fold 0 run 0: train on 20, test 20" in outcome.out
    assert not Path("specrec-results").exists()


def test_failed_cells_leave_with_3(cli: Cli) -> None:
    outcome = cli("bench", "-m", "gan[crop=64],mean", "-d", DATA, "--limit", 2, "-j", 0, "-q", "--ceiling", 0)
    assert outcome.code == 3
    assert "failed: scene" in outcome.out
    assert "2 cells or methods failed" in outcome.err


def test_train_then_run_then_render(cli: Cli, photo: Path) -> None:
    trained = cli("train", "linear", "-d", DATA, "-o", "mine.safetensors", "--scaling", "none")
    assert trained.code == 0
    card = specrec.weights.read_card(Path("mine.safetensors"))
    assert card["method"] == "linear"
    assert len(card["training_scenes"]) == 4
    assert cli("run", "linear", photo, "--weights", "mine.safetensors").code == 0
    assert cli("render", "image.h5", "-o", "again.png").code == 0
    assert np.asarray(Image.open("again.png")).shape == (9, 11, 3)
    refused(cli("train", "linear", "-d", DATA, "-o", "mine.safetensors"), 2, "mine.safetensors exists")
    refused(cli("train", "linear", "-d", DATA, "-o", "mine.pt"), 2, "must end in .safetensors")


def test_methods_shows_parameters_and_presets(cli: Cli) -> None:
    listing = cli("methods").out
    for name in ("gan", "arad", "pixel", "linear", "mean"):
        assert name in listing
    shown = cli("methods", "gan").out
    for name in registry().reconstructor("gan").parameters:
        assert name in shown
    assert "preset quick" in shown


def test_doctor_lists_versions_devices_and_what_is_broken(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from specrec.registry import Broken

    assert "plugins: all fine" in cli("doctor").out
    monkeypatch.setattr(registry(), "broken", [Broken("x", "x-distribution", "it is broken")])
    outcome = cli("doctor")
    assert outcome.code == 3
    for words in ("torch", "devices: cpu", "cache: ", "x (x-distribution): it is broken"):
        assert words in outcome.out
    assert outcome.err == "specrec: error: 1 plugin is broken: x (x-distribution)\n"
    listing = cli("methods")
    assert listing.code == 3
    assert "x: broken (x-distribution): it is broken" in listing.out
    for words in (("metrics",), ("data", "list")):
        assert "x: broken (x-distribution): it is broken" in cli(*words).out


def test_doctor_goes_on_where_importing_torch_raises_anything(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    class Damaged:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == "torch":
                raise ValueError("not enough values to unpack\nin entry_points.txt")

    monkeypatch.delitem(sys.modules, "torch")
    monkeypatch.setattr(sys, "meta_path", [Damaged, *sys.meta_path])
    outcome = cli("doctor")
    assert outcome.code == 0
    assert "devices: cpu (torch cannot be used: ValueError: not enough values to unpack)\n" in outcome.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(cli: Cli, command: str) -> None:
    outcome = cli(command, "-h")
    assert outcome.code == 0
    assert outcome.out.startswith("Usage: specrec")
