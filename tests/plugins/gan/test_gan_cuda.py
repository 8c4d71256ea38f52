"""What only a CUDA device shows; everything else is tested on the CPU."""

from pathlib import Path

import numpy as np
import pytest
import torch

from specrec.interfaces import FitContext
from specrec.scenes import TrainingScene
from specrec.tiling import reconstruct
from specrec.training.crops import Batch, Crops
from specrec_gan.method import Gan

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
TINY = {"branches": 3, "width": 8, "discriminator_width": 4, "crop": 32, "batch": 2, "steps": 60}


def test_scenes_live_on_the_device_and_give_the_crops_of_the_cpu(training_scenes: list[TrainingScene]) -> None:
    here, there = (Crops(training_scenes, 32, 2, flips=True, device=device) for device in ("cpu", "cuda:0"))
    for _ in range(5):
        one, two = here.next(), there.next()
        assert two.cube.is_cuda
        assert torch.equal(one.cube, two.cube.cpu())
        assert torch.equal(one.rgb, two.rgb.cpu())


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("adversarial", [1.0, 0.0])
def test_recorded_updates_give_the_network_of_launched_ones(
    training_scenes: list[TrainingScene], monkeypatch: pytest.MonkeyPatch, precision: str, adversarial: float
) -> None:
    rgb = training_scenes[0].rgb()
    settings = {**TINY, "precision": precision, "adversarial": adversarial, "decay": "cosine", "learning_rate": 2e-3}
    recorded = Gan(**settings).fit(training_scenes, FitContext(device="cuda:0"))
    monkeypatch.setenv("SPECREC_CUDA_GRAPHS", "0")
    launched = Gan(**settings).fit(training_scenes, FitContext(device="cuda:0"))
    untrained = Gan(**{**settings, "steps": 3}).fit(training_scenes, FitContext(device="cuda:0"))
    apart = np.abs(recorded.reconstruct(rgb) - launched.reconstruct(rgb)).max()
    assert apart < 1e-3 < np.abs(untrained.reconstruct(rgb) - launched.reconstruct(rgb)).max()
    for one, two in zip(recorded.history_, launched.history_, strict=True):
        assert one == pytest.approx(two, rel=1e-2)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_a_training_is_taken_up_again_on_the_device(
    training_scenes: list[TrainingScene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    monkeypatch.setenv("SPECREC_CHECKPOINT_SECONDS", "0")
    monkeypatch.setattr("specrec.training.loop.CHECKPOINT_SHARE", 1e9)
    rgb = training_scenes[0].rgb()
    whole = Gan(**TINY, precision=precision).fit(training_scenes, FitContext(device="cuda:0"))
    draw, given = Crops.next, []

    def dying(self: Crops) -> Batch:
        given.append(1)
        if len(given) == 70:
            raise KeyboardInterrupt
        return draw(self)

    context = FitContext(device="cuda:0", checkpoint=tmp_path / "c.safetensors")
    with monkeypatch.context() as patch:
        patch.setattr(Crops, "next", dying)
        with pytest.raises(KeyboardInterrupt):
            Gan(**TINY, precision=precision).fit(training_scenes, context)
    again = Gan(**TINY, precision=precision).fit(training_scenes, context)
    np.testing.assert_allclose(again.reconstruct(rgb), whole.reconstruct(rgb), atol=1e-3)


def test_the_device_gives_the_estimate_of_the_cpu_and_tiles_give_the_whole(
    training_scenes: list[TrainingScene],
) -> None:
    gan = Gan(**TINY).fit(training_scenes, FitContext(device="cuda:0"))
    rgb = np.random.default_rng(0).random((75, 50, 3), dtype=np.float32)
    on_device = gan.reconstruct(rgb)
    np.testing.assert_allclose(reconstruct(gan, rgb, "16"), on_device, atol=1e-5)
    gan.device = "cpu"
    np.testing.assert_allclose(gan.reconstruct(rgb), on_device, atol=1e-5)
