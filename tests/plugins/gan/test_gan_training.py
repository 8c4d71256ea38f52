import numpy as np
import pytest
import torch

from specrec.errors import SpecrecError, UsageError
from specrec.interfaces import FitContext
from specrec.scenes import TrainingScene
from specrec.training.crops import Batch
from specrec_gan.adversarial import AdversarialTraining
from specrec_gan.discriminator import Discriminator
from specrec_gan.generator import Generator
from specrec_gan.method import Gan

TINY = {"branches": 2, "width": 4, "discriminator_width": 2, "crop": 32, "batch": 2, "steps": 30}


def batch(seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(torch.rand(1, 3, 32, 32, generator=generator), torch.rand(1, 31, 32, 32, generator=generator))


def training(updates: int = 25, **settings: bool | int | float | str) -> AdversarialTraining:
    torch.manual_seed(0)
    method = Gan(**{"branches": 2, "width": 4, **settings})
    return AdversarialTraining(Generator(2, 4), Discriminator(2), method.settings, updates)


def whole(one: AdversarialTraining) -> list[dict[str, torch.Tensor]]:
    return [one.update(index, batch(index)) for index in range(one.updates)]


@pytest.mark.parametrize(("schedule", "discriminator"), [("samples", 25), ("iterations", 50)])
def test_a_round_is_so_many_updates_of_each(schedule: str, discriminator: int) -> None:
    one = training(schedule=schedule)
    samples = {"real": 0, "fake": 0}

    def count(_module: object, inputs: tuple[torch.Tensor, ...]) -> None:
        if inputs[0].shape[0] == 2:  # one real and one fake pair
            samples["real"] += 1
            samples["fake"] += 1

    one.discriminator.register_forward_pre_hook(count)
    losses = whole(one)
    assert one.updates == one.round_length == discriminator + 25
    assert sum("discriminator" in loss for loss in losses) == discriminator
    assert sum("l1" in loss for loss in losses[discriminator:]) == 25
    assert samples == {"real": discriminator, "fake": discriminator}  # 50 samples in the paper's reading


def test_the_last_round_may_be_short_and_every_update_is_counted() -> None:
    one = training(updates=30)
    assert one.updates == 30 + 2 * 25
    assert [one.step(index) for index in (0, 24, 25, 49, 50, 74, 75, 79)] == [0, 0, 1, 25, 25, 25, 26, 30]
    alone = training(updates=30, adversarial=0)
    assert alone.updates == 30
    assert [alone.step(index) for index in (0, 24, 25, 29)] == [1, 25, 26, 30]


def test_an_epoch_of_100_scenes_is_four_rounds() -> None:
    assert Gan(epochs=1).updates(100) == 4 * 25
    assert Gan().updates(100) == 100 * 100


def test_the_gradient_of_the_discriminator_reaches_the_generator_and_changes_nothing_in_it() -> None:
    one = training(l1_weight=0.0)
    rgb, cube, _ = batch()
    before = [value.clone() for value in one.discriminator.parameters()]
    one.generator_step(rgb, cube)
    assert any(value.grad is not None and value.grad.abs().sum() > 0 for value in one.generator.parameters())
    assert all(value.grad is None for value in one.discriminator.parameters())
    assert all(torch.equal(old, new) for old, new in zip(before, one.discriminator.parameters(), strict=True))


def test_the_discriminator_learns_to_tell_real_from_fake() -> None:
    one = training()
    losses = [one.discriminator_step(*batch(index)[:2]).item() for index in range(200)]
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:5])


def test_the_loss_of_the_generator_is_what_the_paper_says() -> None:
    one = training()
    one.generator.eval()
    rgb, cube, _ = batch()
    with torch.no_grad():
        estimate = one.generator(rgb)
        logits = one.discriminator(rgb, estimate)
        error = (estimate - cube).abs().mean()
        fooled = -torch.log(torch.sigmoid(logits)).mean()
    found = one.generator_step(rgb, cube)
    torch.testing.assert_close(found, (error, fooled))


def test_a_cosine_decay_begins_high_and_ends_low_and_the_paper_has_none() -> None:
    for decay, expected in (("cosine", [1e-3, 0.51e-3, 0.02e-3]), ("none", [1e-3] * 3)):
        one = training(updates=100, decay=decay, learning_rate=1e-3)
        rates = []
        for updates in (1, 51, 100):
            index = next(index for index in range(one.updates) if one.step(index) == updates)
            one.schedule(index)
            rates.append(one.optimisers["generator"].param_groups[0]["lr"])
        assert rates == pytest.approx(expected, abs=0.5e-6)
        assert one.optimisers["discriminator"].param_groups[0]["lr"] == 1e-3


def fitted(scenes: list[TrainingScene], seed: int = 0, **settings: bool | int | float | str) -> Gan:
    return Gan(**{**TINY, **settings}).fit(scenes, FitContext(seed=seed))


def weights(method: Gan) -> np.ndarray:
    return np.concatenate([array.ravel() for array in method.state()[0].values()])


def test_without_the_adversarial_loss_the_weights_are_others(training_scenes: list[TrainingScene]) -> None:
    assert not np.array_equal(weights(fitted(training_scenes)), weights(fitted(training_scenes, adversarial=0)))
    hardly = weights(fitted(training_scenes, adversarial=1e-9))  # the same crops in the same order
    assert np.abs(weights(fitted(training_scenes, l1_weight=1.0)) - hardly).max() > 1e-4
    assert np.abs(weights(fitted(training_scenes, adversarial=2e-9)) - hardly).max() < 1e-6


CHANGES = [
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
    {"precision": "bf16"},
    {"width": 5},
    {"branches": 3},
    {"batch": 3},
    {"steps": 20},
    {"crop": 36},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_every_parameter_changes_the_training(
    training_scenes: list[TrainingScene], change: dict[str, bool | int | float | str]
) -> None:
    assert not np.array_equal(weights(fitted(training_scenes)), weights(fitted(training_scenes, **change)))


def test_bfloat16_is_near_float32_and_leaves_weights_and_moments_as_they_were() -> None:
    one, two = training(), training(precision="bf16")
    losses = [[value.item() for value in each.generator_step(*batch()[:2])] for each in (one, two)]
    assert losses[0] != losses[1]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.02)
    state = [value for part in two.optimisers["generator"].state.values() for value in part.values()]
    assert {value.dtype for value in [*two.generator.parameters(), *state]} == {torch.float32}


def test_no_parameter_is_left_out_above() -> None:
    elsewhere = {"preset", "epochs", "adversarial", "deep_dropout", "dropout_at_test"}
    assert {name for change in CHANGES for name in change} | elsewhere == set(Gan.parameters)


def test_giving_epochs_counts_epochs_although_the_preset_counts_steps() -> None:
    quick = Gan(preset="quick")
    assert quick.updates(20) == quick.settings["steps"] > 0
    assert Gan(preset="quick", epochs=8).updates(20) == 8 * 20 // 16


def test_training_brings_the_loss_down(training_scenes: list[TrainingScene]) -> None:
    curve = fitted(training_scenes, steps=150, learning_rate=2e-3).history_
    assert [entry["step"] for entry in curve] == [25, 50, 75, 100, 125, 150]
    assert curve[-1]["l1"] < 0.7 * curve[0]["l1"]


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
