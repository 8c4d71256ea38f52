import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from specrec.errors import SpecrecError, UsageError
from specrec.interfaces import FitContext
from specrec.scenes import TrainingScene
from specrec.training.crops import Batch, Crops
from specrec.training.loop import Training, run
from specrec.training.session import session

UPDATES = 17


class Dropping(Training):
    """A small network with everything that has a state: dropout, batch normalisation, moments, a decaying rate."""

    def __init__(
        self, updates: int = UPDATES, spoil: Callable[[int, Tensor], Tensor] = lambda _index, loss: loss
    ) -> None:
        net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Dropout(0.3), nn.Conv2d(8, 31, 1))
        net.to(memory_format=torch.channels_last)
        optimiser = torch.optim.Adam(net.parameters(), 1e-2, fused=True)
        super().__init__({"net": net}, {"net": optimiser}, updates, round_length=5)
        self.spoil = spoil

    def update(self, index: int, batch: Batch) -> dict[str, Tensor]:
        for group in self.optimisers["net"].param_groups:
            group["lr"] = 1e-2 / (1 + index)
        loss = self.spoil(index, (self.modules["net"](batch.rgb) - batch.cube).abs().mean())
        self.descend("net", loss)
        return {"l1": loss.detach()}


class KilledError(Exception):
    """Stands for the end of the process."""


class Dying(Crops):
    """A stream that ends its process instead of giving batch number `last`."""

    def __init__(self, scenes: list[TrainingScene], last: int | None) -> None:
        super().__init__(scenes, 16, 2, seed=3, flips=True)
        self.last = last
        self.given = 0

    def next(self) -> Batch:
        if self.given == self.last:
            raise KilledError
        self.given += 1
        return super().next()


@pytest.fixture(autouse=True)
def at_every_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specrec.training.loop.CHECKPOINT_SHARE", 1e9)
    monkeypatch.setenv("SPECREC_CHECKPOINT_SECONDS", "0")


def train(
    scenes: list[TrainingScene], checkpoint: Path | None = None, last: int | None = None, **options: Any
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    context = FitContext(seed=1, checkpoint=checkpoint, progress=options.pop("progress", lambda _done, _words: None))
    identity = options.pop("identity", {"settings": {"width": 8}})
    with session(context):
        training = Dropping(**options)
        curve = run(training, Dying(scenes, last), context, identity)
    return training.modules["net"].state_dict(), curve


def same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("waits", [False, True], ids=["read at every update", "read once a round"])
@pytest.mark.parametrize("last", [1, 4, 5, 7, 16])
def test_a_training_that_was_killed_goes_on_to_the_same_bits_and_the_same_curve(
    training_scenes: list[TrainingScene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int, waits: bool
) -> None:
    monkeypatch.setattr("specrec.training.loop.reading_waits", lambda _device: waits)
    weights, curve = train(training_scenes)
    with pytest.raises(KilledError):
        train(training_scenes, tmp_path / "c.safetensors", last)
    torch.rand(3)  # another process has drawn other numbers by then
    again, whole = train(training_scenes, tmp_path / "c.safetensors", UPDATES - last)  # not one batch more than is left
    assert same(again, weights)
    assert whole == curve
    assert [point["step"] for point in curve] == [5, 10, 15, 17]


def test_without_an_interruption_checkpoints_change_nothing(
    training_scenes: list[TrainingScene], tmp_path: Path
) -> None:
    assert same(train(training_scenes)[0], train(training_scenes, tmp_path / "c.safetensors")[0])


def test_a_killed_process_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "import specrec.training.loop as loop\n"
        "from specrec.datasets.synthetic.source import SyntheticSource\n"
        "from specrec.interfaces import FitContext\n"
        "from specrec.scenes import TrainingScene\n"
        "from specrec_gan.method import Gan\n"
        "loop.CHECKPOINT_SHARE = 1e9\n"
        "source = SyntheticSource(scenes=2, size=64)\n"
        "scenes = [TrainingScene(source.open(name)) for name in source.names()]\n"
        "gan = Gan(branches=3, width=8, discriminator_width=4, crop=32, batch=2, steps=150)\n"
        "checkpoint = Path(sys.argv[1]) if len(sys.argv) > 2 else None\n"
        "gan.fit(scenes, FitContext(checkpoint=checkpoint))\n"
        "np.savez(sys.argv[-1], **gan.state()[0])\n"
    )
    environment = {
        **os.environ,
        "SPECREC_CHECKPOINT_SECONDS": "0.02",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    checkpoint = tmp_path / "gan.checkpoint.safetensors"

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, str(script), *arguments], env=environment)

    assert start(str(tmp_path / "undisturbed.npz")).wait() == 0
    moments = random.Random(0)
    killed = 0
    while killed < 3:
        process = start(str(checkpoint), str(tmp_path / "killed.npz"))
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        while process.poll() is None and (checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0) == before:
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.2))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed += 1
    assert killed > 0
    assert start(str(checkpoint), str(tmp_path / "killed.npz")).wait() == 0
    one, two = (np.load(tmp_path / f"{name}.npz") for name in ("undisturbed", "killed"))
    assert set(one) == set(two)
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.parametrize("waits", [False, True], ids=["read at every update", "read once a round"])
@pytest.mark.parametrize("what", ["l1", "gradient"])
def test_what_is_no_number_stops_the_training_and_is_named_with_step_scene_and_crop(
    training_scenes: list[TrainingScene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: bool, what: str
) -> None:
    monkeypatch.setattr("specrec.training.loop.reading_waits", lambda _device: waits)

    def spoil(index: int, loss: Tensor) -> Tensor:
        if index != 7:
            return loss
        if what == "l1":
            return loss * float("nan")
        return (loss - loss.detach()).sqrt()  # 0, whose root has no finite slope

    path = tmp_path / "c.safetensors"
    wanted = rf"at step 8, {what}.* being no number there \(scene scene\d, crop at row \d+, column \d+; scene"
    with pytest.raises(SpecrecError, match=wanted):
        train(training_scenes, path, spoil=spoil)
    again, _ = train(training_scenes, path)  # what was kept is from before
    assert all(torch.isfinite(value).all() for value in again.values())


def test_the_checkpoint_of_another_training_is_refused_and_kept(
    training_scenes: list[TrainingScene], tmp_path: Path
) -> None:
    path = tmp_path / "c.safetensors"
    with pytest.raises(KilledError):
        train(training_scenes, path, 3)
    content = path.read_bytes()
    with pytest.raises(SpecrecError, match=r"c.safetensors is .* another training \(settings was .*8.*, is now .*9"):
        train(training_scenes, path, identity={"settings": {"width": 9}})
    with pytest.raises(SpecrecError, match=r"another training \(updates was 17, is now 18\); remove it"):
        train(training_scenes, path, updates=18)
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"nonsense", None], ids=["empty", "nonsense", "cut"])
def test_a_damaged_checkpoint_is_named_and_kept(
    training_scenes: list[TrainingScene], tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "c.safetensors"
    with pytest.raises(KilledError):
        train(training_scenes, path, 3)
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    kept = path.read_bytes()
    with pytest.raises(SpecrecError, match=r"c.safetensors is damaged .*remove it"):
        train(training_scenes, path)
    assert path.read_bytes() == kept


def test_other_circumstances_are_warned_of(
    training_scenes: list[TrainingScene],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(KilledError):
        train(training_scenes, tmp_path / "c.safetensors", 3)
    monkeypatch.setattr(torch, "__version__", "2.6.0")
    with caplog.at_level(logging.WARNING):
        train(training_scenes, tmp_path / "c.safetensors")
    assert "torch was 2." in caplog.text
    assert "is now 2.6.0" in caplog.text


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    training_scenes: list[TrainingScene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.safetensors"
    with pytest.raises(KilledError):
        train(training_scenes, path, 3)
    content = path.read_bytes()

    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("safetensors.torch.save", full)
        with pytest.raises(SpecrecError, match=r"cannot write .*c.safetensors: No space left"):
            train(training_scenes, path)
    assert path.read_bytes() == content
    assert [kept.name for kept in tmp_path.iterdir()] == ["c.safetensors"]
    assert same(train(training_scenes, path)[0], train(training_scenes)[0])


def test_what_a_killed_process_was_writing_is_removed(training_scenes: list[TrainingScene], tmp_path: Path) -> None:
    half, foreign = tmp_path / ".c-abc123.safetensors", tmp_path / ".d-abc123.safetensors"
    half.write_bytes(b"half")
    foreign.write_bytes(b"of another")
    train(training_scenes, tmp_path / "c.safetensors")
    assert not half.exists()
    assert foreign.exists()


def test_progress_says_losses_and_rate_and_ends_at_one(training_scenes: list[TrainingScene]) -> None:
    told: list[tuple[float, str]] = []
    train(training_scenes, progress=lambda done, words: told.append((done, words)))
    assert told[-1][0] == 1.0
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][1].startswith("l1 ")
    assert told[-1][1].endswith("updates/s")


@pytest.mark.parametrize("given", ["soon", "-1", "nan", "inf"])
def test_an_interval_that_is_none_is_a_usage_error(
    training_scenes: list[TrainingScene], monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("SPECREC_CHECKPOINT_SECONDS", given)
    with pytest.raises(UsageError, match="SPECREC_CHECKPOINT_SECONDS is a number of seconds"):
        train(training_scenes)
