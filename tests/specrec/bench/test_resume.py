"""A bench or a training that is killed goes on inside a cell, and ends as if nothing had happened."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from specrec.bench.results import Results
from specrec.bench.run import bench
from specrec.reconstruction import train
from specrec.training.crops import Batch, Crops

GAN = "gan[preset=quick,branches=3,width=4,discriminator_width=2,steps=30,crop=16,batch=2]"
SCENES = "synthetic[scenes=4,size=32]"


@pytest.fixture(autouse=True)
def at_every_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specrec.training.loop.CHECKPOINT_SHARE", 1e9)
    monkeypatch.setenv("SPECREC_CHECKPOINT_SECONDS", "0")


@contextmanager
def killed_after(batches: int) -> Iterator[None]:
    """End the process, so to speak, when so many batches have been drawn."""
    given = []
    draw = Crops.next

    def next_(self: Crops) -> Batch:
        given.append(1)
        if len(given) > batches:
            raise KeyboardInterrupt
        return draw(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Crops, "next", next_)
        with pytest.raises(KeyboardInterrupt):
            yield


def small(folder: Path, **options: object) -> Results:
    return bench(GAN, SCENES, jobs=0, device="cpu", output=folder, limit=2, ceiling=0, **options)


def test_a_bench_goes_on_inside_the_cell_where_it_was_killed(tmp_path: Path) -> None:
    whole = small(tmp_path / "whole")
    with killed_after(33):
        small(tmp_path / "killed")
    (kept,) = (tmp_path / "killed" / "checkpoints").rglob("*.safetensors")
    assert kept.name == "fold0-run0.safetensors"
    again = small(tmp_path / "killed")
    for key, record in whole.records.items():
        other = again.records[key]
        assert other["images"] == record["images"]
        assert other["curve"] == record["curve"]
        assert (record["starts"], other["starts"]) == (1, 2 if key[1] == 0 else 1)
        assert record["circumstances"] == other["circumstances"]  # once, where they are the same
        assert len(record["circumstances"]) == 1
    assert again.table("csv") == whole.table("csv")
    assert not (tmp_path / "killed" / "checkpoints").exists()


def test_seconds_and_circumstances_of_earlier_starts_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with killed_after(33):
        small(tmp_path)
    from specrec.training.checkpoints import CheckpointFile

    restore, elsewhere = CheckpointFile.restore, {"device": "cuda", "threads": 4, "torch": "2.0.0"}

    def long_ago(self: CheckpointFile) -> dict[str, object] | None:
        values = restore(self)
        return values if values is None else {**values, "spent": [5000.0, 4000.0, 7], "circumstances": [elsewhere]}

    monkeypatch.setattr(CheckpointFile, "restore", long_ago)
    record = next(record for key, record in small(tmp_path).records.items() if key[1] == 0)
    assert 5000 < record["fit_seconds"] < 5100
    assert 4000 < record["fit_cpu_seconds"] < 4100
    assert record["starts"] == 8
    here = {"device": "cpu", "threads": 1, "torch": torch.__version__}
    assert record["circumstances"] == [elsewhere, here]


@pytest.mark.parametrize("change", [{"seed": 7}, {}], ids=["of something else", "of the same"])
def test_overwrite_begins_anew_also_where_a_checkpoint_is_left(tmp_path: Path, change: dict[str, int]) -> None:
    with killed_after(33):
        small(tmp_path)
    results = small(tmp_path, overwrite=True, **change)
    assert results.failed == ()
    assert {record["starts"] for record in results.records.values()} == {1}


def test_a_training_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    train(GAN, SCENES, None, tmp_path / "whole.safetensors", device="cpu")
    with killed_after(41):
        train(GAN, SCENES, None, tmp_path / "gan.safetensors", device="cpu")
    assert [path.name for path in tmp_path.glob("gan*")] == ["gan.checkpoint.safetensors"]
    train(GAN, SCENES, None, tmp_path / "gan.safetensors", device="cpu")
    assert [path.name for path in tmp_path.glob("gan*")] == ["gan.safetensors"]
    one, two = (load_file(tmp_path / f"{name}.safetensors") for name in ("whole", "gan"))
    for name, array in one.items():
        np.testing.assert_array_equal(two[name], array)


def test_a_bench_and_a_training_begin_anew_where_the_code_was_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with killed_after(8):
        small(tmp_path / "r")
    with killed_after(8):
        train(GAN, SCENES, None, tmp_path / "gan.safetensors", device="cpu")
    edited = lambda *_: {"specrec_gan": "edited"}  # noqa: E731
    monkeypatch.setattr("specrec.cells.key.code_of", edited)
    monkeypatch.setattr("specrec.reconstruction.training.code_of", edited)
    results = small(tmp_path / "r")
    assert {record["starts"] for record in results.records.values()} == {1}
    assert caplog.text.count("training begins anew") == 1
    train(GAN, SCENES, None, tmp_path / "gan.safetensors", device="cpu")
    assert caplog.text.count("training begins anew") == 2
