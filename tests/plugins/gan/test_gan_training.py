from collections.abc import Iterator

import numpy as np
import pytest
import torch

from specrec.errors import SpecrecError, UsageError
from specrec.interfaces import FitContext, silent
from specrec.scenes import TrainingScene
from specrec.training.crops import Batch, Crops
from specrec_gan.adversarial import Training
from specrec_gan.discriminator import Discriminator
from specrec_gan.generator import Generator
from specrec_gan.method import Gan

TINY = {"branches": 2, "width": 4, "discriminator_width": 2, "crop": 32, "batch": 2, "steps": 30}


def batches(count: int = 1) -> Iterator[Batch]:
    generator = torch.Generator().manual_seed(0)
    while True:
        yield torch.rand(count, 3, 32, 32, generator=generator), torch.rand(count, 31, 32, 32, generator=generator)


def training(updates: int = 25, **settings: bool | int | float | str) -> Training:
    torch.manual_seed(0)
    method = Gan(**{"branches": 2, "width": 4, **settings})
    return Training(Generator(2, 4), Discriminator(2), method.settings, updates)


@pytest.mark.parametrize(("schedule", "discriminator"), [("samples", 25), ("iterations", 50)])
def test_a_round_is_so_many_updates_of_each(schedule: str, discriminator: int) -> None:
    one = training(schedule=schedule)
    samples = {"real": 0, "fake": 0}

    def count(_module: object, inputs: tuple[torch.Tensor, ...]) -> None:
        if inputs[0].shape[0] == 2:  # one real and one fake pair
            samples["real"] += 1
            samples["fake"] += 1

    one.discriminator.register_forward_pre_hook(count)
    one.round(batches())
    assert one.discriminator_updates == discriminator
    assert one.generator_updates == 25
    assert samples == {"real": discriminator, "fake": discriminator}  # 50 samples in the paper's reading


def test_an_epoch_of_100_scenes_is_four_rounds() -> None:
    assert Gan(epochs=1).updates(100) == 4 * 25
    assert Gan().updates(100) == 100 * 100


def test_the_gradient_of_the_discriminator_reaches_the_generator_and_changes_nothing_in_it() -> None:
    one = training(l1_weight=0.0)
    rgb, cube = next(batches())
    before = [value.clone() for value in one.discriminator.parameters()]
    one.generator_step(rgb, cube)
    assert any(value.grad is not None and value.grad.abs().sum() > 0 for value in one.generator.parameters())
    assert all(value.grad is None for value in one.discriminator.parameters())
    assert all(torch.equal(old, new) for old, new in zip(before, one.discriminator.parameters(), strict=True))


def test_the_discriminator_learns_to_tell_real_from_fake() -> None:
    one = training()
    losses = [one.discriminator_step(*next(batches())).item() for _ in range(200)]
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:5])


def test_the_loss_of_the_generator_is_what_the_paper_says() -> None:
    one = training()
    one.generator.eval()
    rgb, cube = next(batches())
    with torch.no_grad():
        estimate = one.generator(rgb)
        logits = one.discriminator(rgb, estimate)
        error = (estimate - cube).abs().mean()
        fooled = -torch.log(torch.sigmoid(logits)).mean()
    found = one.generator_step(rgb, cube)
    torch.testing.assert_close(found, (error, fooled))


def test_a_cosine_decay_ends_low_and_the_paper_has_none() -> None:
    for decay, expected in (("cosine", 0.02 * 1e-3), ("none", 1e-3)):
        one = training(updates=25, decay=decay, learning_rate=1e-3, adversarial=0)
        one.round(batches())
        assert one.generator_optimiser.param_groups[0]["lr"] == pytest.approx(expected, rel=1e-6)


def test_a_loss_that_is_no_number_stops_the_training_and_names_the_step() -> None:
    one = training(adversarial=0)
    rgb, cube = next(batches())
    bad = iter([(rgb, cube)] * 5 + [(rgb, cube * float("nan"))] * 100)
    with pytest.raises(SpecrecError, match="no longer a number after 25 generator updates"):
        one.run(bad, silent)


def fitted(scenes: list[TrainingScene], seed: int = 0, **settings: bool | int | float | str) -> Gan:
    return Gan(**{**TINY, **settings}).fit(scenes, FitContext(seed=seed))


def weights(method: Gan) -> np.ndarray:
    return np.concatenate([array.ravel() for array in method.state()[0].values()])


def test_without_the_adversarial_loss_the_weights_are_others(training_scenes: list[TrainingScene]) -> None:
    assert not np.array_equal(weights(fitted(training_scenes)), weights(fitted(training_scenes, adversarial=0)))
    hardly = weights(fitted(training_scenes, adversarial=1e-9))  # the same crops in the same order
    assert np.abs(weights(fitted(training_scenes, l1_weight=1.0)) - hardly).max() > 1e-4
    assert np.abs(weights(fitted(training_scenes, adversarial=2e-9)) - hardly).max() < 1e-6


@pytest.mark.parametrize(
    "change",
    [
        {"l1_weight": 10.0},
        {"loss": "l2"},
        {"dropout": 0.5},
        {"schedule": "iterations"},
        {"learning_rate": 1e-3},
        {"discriminator_rate": 1e-3},
        {"discriminator_width": 3},
        {"decay": "cosine"},
        {"flips": True},
        {"output_bias": "median"},
        {"batch_norm": True},
        {"width": 5},
        {"branches": 3},
        {"batch": 3},
        {"steps": 20},
        {"crop": 36},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_parameter_changes_the_training(
    training_scenes: list[TrainingScene], change: dict[str, bool | int | float | str]
) -> None:
    assert not np.array_equal(weights(fitted(training_scenes)), weights(fitted(training_scenes, **change)))


def test_giving_epochs_counts_epochs_although_the_preset_counts_steps() -> None:
    quick = Gan(preset="quick")
    assert quick.updates(20) == quick.settings["steps"] > 0
    assert Gan(preset="quick", epochs=8).updates(20) == 8 * 20 // 16


def test_training_brings_the_loss_down(training_scenes: list[TrainingScene]) -> None:
    curve = fitted(training_scenes, steps=150, learning_rate=2e-3).history_
    assert [entry["step"] for entry in curve] == [25, 50, 75, 100, 125, 150]
    assert curve[-1]["l1"] < 0.7 * curve[0]["l1"]


def test_crops_are_aligned_in_range_and_every_scene_gives_one_per_epoch(training_scenes: list[TrainingScene]) -> None:
    crops = Crops(training_scenes, 16, flips=True, device=torch.device("cpu"))
    stream = crops.batches(3, np.random.default_rng(0))
    for _ in range(5):
        rgb, cube = next(stream)
        assert rgb.shape == (3, 3, 16, 16)
        assert cube.shape == (3, 31, 16, 16)
        assert rgb.abs().max() <= 1.0
        assert cube.abs().max() <= 1.0
        for index in range(3):
            spectra = ((cube[index].permute(1, 2, 0) + 1) / 2).numpy()
            again = training_scenes[0].rgb_of(spectra)
            np.testing.assert_allclose(again, ((rgb[index].permute(1, 2, 0) + 1) / 2).numpy(), atol=1.01 / 255)


def test_windows_read_from_large_scenes_are_the_crops_kept_in_memory(
    training_scenes: list[TrainingScene], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Crops(training_scenes, 16, flips=True, device=torch.device("cpu"))
    monkeypatch.setattr("specrec.training.crops.KEPT_BYTES", 0)
    read = Crops(training_scenes, 16, flips=True, device=torch.device("cpu"))
    one, two = (next(crops.batches(4, np.random.default_rng(5))) for crops in (kept, read))
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
    assert torch.equal(kept.median_spectrum(), read.median_spectrum())


def test_a_scene_smaller_than_the_crop_is_named(training_scenes: list[TrainingScene]) -> None:
    with pytest.raises(SpecrecError, match="scene0 is 40 x 48, smaller than a crop of 64"):
        fitted(training_scenes, crop=64)


def test_a_crop_off_the_grid_is_a_usage_error_before_any_work() -> None:
    with pytest.raises(UsageError, match="must be a multiple of 8"):
        Gan(branches=4, crop=20)


def test_nothing_global_is_left_changed(training_scenes: list[TrainingScene]) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    before = torch.get_num_threads()
    fitted(training_scenes)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == before
