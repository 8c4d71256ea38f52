import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

import specrec
from specrec import weights
from specrec.errors import DataError, SpecrecError, UsageError
from specrec.interfaces import FitContext
from specrec.registry import registry
from specrec.scenes import TrainingScene

SMALL = {
    "gan": "gan[branches=3,width=4,discriminator_width=2,crop=32,steps=2,batch_norm=true]",
    "arad": "arad[atoms=40,training_sparsity=5]",
    "pixel": "pixel[steps=3,batch=64]",
    "mean": "mean",
    "linear": "linear",
}


def fitted(name: str, scenes: list[TrainingScene]) -> specrec.Reconstructor:
    method = registry().build(SMALL[name])
    views = [TrainingScene(scene.scene, input=method.input) for scene in scenes]
    return method.fit(views, FitContext(seed=3))


def write(name: str, scenes: list[TrainingScene], path: Path) -> specrec.Reconstructor:
    method = fitted(name, scenes)
    card = weights.make_card(method, wavelengths=range(400, 701, 10), scenes=["a"], seed=3)
    weights.save(method, path, card)
    return method


@pytest.mark.parametrize("name", SMALL)
def test_save_and_load_give_the_same_cube(name: str, training_scenes: list[TrainingScene], tmp_path: Path) -> None:
    path = tmp_path / f"{name}.safetensors"
    method = write(name, training_scenes, path)
    rgb = np.random.default_rng(0).integers(0, 256, (7, 9, 3)).astype(np.float32) / 255
    again = specrec.load(name, path)
    np.testing.assert_array_equal(again.reconstruct(rgb), method.reconstruct(rgb))
    assert again.settings == method.settings
    assert again.parameter_count == method.parameter_count


def test_the_card_says_everything(training_scenes: list[TrainingScene], tmp_path: Path) -> None:
    write("linear", training_scenes, tmp_path / "w.safetensors")
    card = weights.read_card(tmp_path / "w.safetensors")
    for key in ("method", "settings", "wavelengths", "input", "rendering", "training_scenes", "seed", "versions"):
        assert key in card


def test_nothing_is_left_of_a_file_that_could_not_be_written(
    training_scenes: list[TrainingScene], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SpecrecError, match="cannot write into"):
        write("mean", training_scenes, tmp_path / "file" / "w.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_weights_that_do_not_fit_the_method_are_refused(training_scenes: list[TrainingScene], tmp_path: Path) -> None:
    method = fitted("gan", training_scenes)
    card = weights.make_card(method, wavelengths=range(400, 701, 10), scenes=["a"], seed=3)
    card["settings"]["branches"] = 4
    weights.save(method, tmp_path / "w.safetensors", card)
    with pytest.raises(DataError, match="does not fit this version of 'gan'"):
        specrec.load("gan", tmp_path / "w.safetensors")


def test_a_card_of_another_format_is_refused(tmp_path: Path) -> None:
    card = {
        "format_version": 99,
        "method": "mean",
        "settings": {},
        "wavelengths": [],
        "input": "srgb8",
        "rendering": "",
    }
    save_file({"a": np.zeros(1)}, tmp_path / "w.safetensors", {"card": json.dumps(card), "config": "{}"})
    with pytest.raises(DataError, match="has format 99"):
        specrec.load("mean", tmp_path / "w.safetensors")
    save_file({"a": np.zeros(1)}, tmp_path / "x.safetensors", {"card": "{}", "config": "{}"})
    with pytest.raises(DataError, match="lacks format_version"):
        specrec.load("mean", tmp_path / "x.safetensors")
    save_file({"a": np.zeros(1)}, tmp_path / "y.safetensors")
    with pytest.raises(DataError, match="without specrec's card"):
        specrec.load("mean", tmp_path / "y.safetensors")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_as_weights_are_one_sentence(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "w.safetensors").write_bytes(raw)
    with pytest.raises(SpecrecError) as error:
        specrec.load("mean", tmp_path / "w.safetensors")
    assert "\n" not in str(error.value)


def test_without_weights_the_message_gives_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPECREC_WEIGHTS", raising=False)
    with pytest.raises(UsageError, match=r"specrec train mean -d synthetic --scaling none -o mean\.safetensors"):
        weights.find("mean")


@pytest.mark.parametrize("name", ["gan", "arad", "pixel", "linear", "mallett"])
def test_weights_ship_with_a_card_and_work(name: str) -> None:
    path = weights.find(name)
    card = weights.read_card(path)
    assert card["method"] == name
    assert card["dataset"]["name"] == "synthetic"
    assert card["scaling"] == "none"
    assert path.stat().st_size < 8e6
    rgb = np.linspace(0, 1, 8 * 6 * 3, dtype=np.float32).reshape(8, 6, 3)
    cube = specrec.load(name).reconstruct(rgb)
    assert cube.shape == (8, 6, 31)
    again = specrec.render(cube).astype(float) / 255
    assert np.abs(again - rgb).mean() < 0.2  # it looks like the photo
