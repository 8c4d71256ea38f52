from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_networks import Small, Unbounded, UNet
from torch import Tensor, nn

from specrec.errors import SpecrecError
from specrec.interfaces import FitContext
from specrec.network import NetworkReconstructor
from specrec.network.training import NetworkTraining
from specrec.scenes import TrainingScene


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def at_every_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("specrec.training.loop.CHECKPOINT_SHARE", 1e9)
    monkeypatch.setenv("SPECREC_CHECKPOINT_SECONDS", "0")


def fit(kind: type[NetworkReconstructor], scenes: list[TrainingScene], seed: int = 0, **given: Any) -> Any:
    return kind(**{"steps": 12, "crop": 16, **given}).fit(scenes, FitContext(seed=seed))


def weights(method: NetworkReconstructor) -> np.ndarray:
    return np.concatenate([array.ravel() for array in method.state()[0].values()])


def test_a_few_seconds_of_training_beat_the_mean_spectrum(training_scenes: list[TrainingScene]) -> None:
    method = fit(Small, training_scenes, steps=120, learning_rate=1e-2, width=16)
    cubes = [scene.cube()[:, :-1] for scene in training_scenes]  # the last column is invalid
    mean = np.mean(cubes, axis=(0, 1, 2))
    estimates = [method.reconstruct(scene.rgb())[:, :-1] for scene in training_scenes]
    errors = [float(np.sqrt(np.mean((np.array(guess) - cubes) ** 2))) for guess in (estimates, mean)]
    assert errors[0] < 0.7 * errors[1]
    assert method.history_[-1]["loss"] < 0.5 * method.history_[0]["loss"]
    assert method.history_[-1]["step"] == 120


@pytest.mark.parametrize("kind", [Small, UNet, Unbounded])
def test_the_same_seed_gives_the_same_network_whatever_was_drawn_before(
    training_scenes: list[TrainingScene], kind: type[NetworkReconstructor]
) -> None:
    first = fit(kind, training_scenes, 3)
    torch.rand(5)
    np.testing.assert_array_equal(weights(fit(kind, training_scenes, 3)), weights(first))
    assert not np.array_equal(weights(fit(kind, training_scenes, 4)), weights(first))


def test_the_seed_decides_the_crops_too(training_scenes: list[TrainingScene]) -> None:
    class Blank(Small):
        def build(self, bands: int) -> nn.Module:
            network = nn.Conv2d(3, bands, 1)
            for part in network.parameters():
                nn.init.zeros_(part)
            return network

    first, again, other = (weights(fit(Blank, training_scenes, seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_nothing_global_is_left_changed(training_scenes: list[TrainingScene]) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    method = fit(Small, training_scenes)
    method.reconstruct(training_scenes[0].rgb())
    Small.from_state(method.settings, *method.state())
    assert method.bytes_per_pixel
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("last", [1, 6, 11])
@pytest.mark.parametrize("kind", [Small, Unbounded])
@pytest.mark.usefixtures("at_every_update")
def test_a_training_that_was_killed_goes_on_to_the_same_bits(
    training_scenes: list[TrainingScene], tmp_path: Path, kind: type[NetworkReconstructor], last: int
) -> None:
    class Killed(kind):
        left = last

        def loss(self, estimate: Tensor, reference: Tensor) -> Tensor:
            if not self.left:
                raise KilledError
            self.left -= 1
            return super().loss(estimate, reference)

    context = FitContext(checkpoint=tmp_path / "c.safetensors")
    method = Killed(steps=12, crop=16)
    with pytest.raises(KilledError):
        method.fit(training_scenes, context)
    torch.rand(3)  # another process has drawn other numbers by then
    method.left = 12 - last  # not one update more than is left
    method.fit(training_scenes, context)
    undisturbed = Killed(steps=12, crop=16)
    undisturbed.left = 12
    undisturbed.fit(training_scenes, FitContext())
    np.testing.assert_array_equal(weights(method), weights(undisturbed))
    assert method.history_ == undisturbed.history_
    assert context.spent.starts == 1


@pytest.mark.usefixtures("at_every_update")
def test_the_checkpoint_of_another_version_of_the_network_is_refused(
    training_scenes: list[TrainingScene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = FitContext(checkpoint=tmp_path / "c.safetensors")
    Small(steps=2, crop=16).fit(training_scenes, context)
    monkeypatch.setattr(Small, "version", 2)
    with pytest.raises(SpecrecError, match=r"another training \(network was small_networks.Small 1, is now .* 2\)"):
        Small(steps=2, crop=16).fit(training_scenes, context)


@pytest.mark.usefixtures("at_every_update")
def test_a_layer_that_is_used_twice_is_learnt_once_and_kept_in_checkpoints(
    training_scenes: list[TrainingScene], tmp_path: Path
) -> None:
    class Twice(Small):
        def build(self, bands: int) -> nn.Module:
            layer = nn.Conv2d(3, 3, 1)
            return nn.Sequential(layer, nn.ReLU(), layer, nn.Conv2d(3, bands, 1))

    checkpoint = tmp_path / "c.safetensors"
    method = Twice(steps=3, crop=16).fit(training_scenes, FitContext(checkpoint=checkpoint))
    assert method.parameter_count == 12 + 3 * 31 + 31
    again = Twice.from_state(method.settings, *method.state())
    rgb = training_scenes[0].rgb()
    np.testing.assert_array_equal(again.reconstruct(rgb), method.reconstruct(rgb))
    assert checkpoint.stat().st_size > 0


CHANGES = [
    {"steps": 11},
    {"batch": 3},
    {"crop": 24},
    {"learning_rate": 2e-3},
    {"decay": "none"},
    {"flips": False},
    {"precision": "bf16"},
    {"width": 9},
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_every_parameter_changes_the_training(training_scenes: list[TrainingScene], change: dict[str, Any]) -> None:
    assert not np.array_equal(weights(fit(Small, training_scenes)), weights(fit(Small, training_scenes, **change)))


def test_no_parameter_is_left_out_above() -> None:
    assert {name for change in CHANGES for name in change} == set(Small.parameters)


def test_bfloat16_is_near_float32_and_leaves_weights_as_they_were(training_scenes: list[TrainingScene]) -> None:
    exact, short = (fit(Small, training_scenes, precision=precision) for precision in ("float32", "bf16"))
    assert {part.dtype for part in short.network_.parameters()} == {torch.float32}
    losses = [[point["loss"] for point in method.history_] for method in (exact, short)]
    assert losses[0] != losses[1]
    np.testing.assert_allclose(losses[0], losses[1], rtol=0.02)


def test_a_cosine_decay_brings_every_group_from_its_own_rate_to_a_fiftieth() -> None:
    method = Unbounded(steps=100)
    training = NetworkTraining(method, method.build(31))
    rates = []
    for index in (0, 50, 99):
        training.schedule(index)
        rates.append([group["lr"] for group in training.optimisers["network"].param_groups])
    np.testing.assert_allclose(rates, np.outer([1.0, 0.51, 0.0202], [0.5, 0.1]), rtol=0.01)


def test_a_loss_of_its_own_is_what_is_made_small(training_scenes: list[TrainingScene]) -> None:
    class Squared(Small):
        def loss(self, estimate: Tensor, reference: Tensor) -> Tensor:
            assert estimate.dtype == reference.dtype == torch.float32
            assert estimate.shape == reference.shape == (2, 31, 16, 16)
            return (estimate - reference).square().mean()

    assert not np.array_equal(weights(fit(Squared, training_scenes)), weights(fit(Small, training_scenes)))
    assert fit(Squared, training_scenes, precision="bf16").history_


def test_memory_may_lie_as_the_shapes_say(training_scenes: list[TrainingScene]) -> None:
    class Flat(nn.Module):
        def __init__(self, bands: int) -> None:
            super().__init__()
            self.cubic = nn.Conv3d(1, 1, 1)  # not possible where channels lie last, nor is the view
            self.layer = nn.Linear(3, bands)

        def forward(self, rgb: Tensor) -> Tensor:
            colours = self.cubic(rgb[:, None]).view(len(rgb), 3, -1)
            return self.layer(colours.transpose(1, 2)).transpose(1, 2).view(len(rgb), -1, *rgb.shape[2:])

    class Viewing(NetworkReconstructor):
        name = "viewing"
        summary = "for tests"
        receptive_field = 1
        channels_last = False

        def build(self, bands: int) -> nn.Module:
            return Flat(bands)

    method = fit(Viewing, training_scenes)
    assert method.reconstruct(training_scenes[0].rgb()).shape == (40, 48, 31)
    assert (method.influence(training_scenes[0].rgb(), 3, 4) > 0).sum() == 1


def test_the_linear_response_is_scaled_like_the_image(training_scenes: list[TrainingScene]) -> None:
    seen = []

    class Linear(Small):
        @property
        def input(self) -> str:
            return "linear"

        def build(self, bands: int) -> nn.Module:
            network = nn.Conv2d(3, bands, 1)
            network.register_forward_pre_hook(lambda _module, given: seen.append(given[0].detach().numpy()))
            return network

    scenes = [TrainingScene(scene.scene, input="linear") for scene in training_scenes[:1]]
    method = fit(Linear, scenes, steps=1, crop=40, batch=1, flips=False)
    rgb = scenes[0].rgb()
    method.reconstruct(rgb)
    crop, whole = seen
    left = next(
        left for left in range(9) if np.array_equal(crop[0].transpose(1, 2, 0), 2 * rgb[:, left : left + 40] - 1)
    )
    np.testing.assert_array_equal(whole[0, :, :, left : left + 40], crop[0])


class Pair(nn.Conv2d):
    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(rgb), rgb


def built(make: Callable[[int], Any], **more: Any) -> type[NetworkReconstructor]:
    return type("Odd", (Small,), {"name": "odd", "build": lambda _self, bands: make(bands), **more})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda bands: nn.Conv2d(3, bands, 3), r"\(2, 3, 16, 16\) with \(2, 31, 14, 14\), and .* \(2, 31, 16, 16\)"),
        (lambda _bands: nn.Conv2d(3, 8, 1), r"\(2, 3, 16, 16\) with \(2, 8, 16, 16\), and .* \(2, 31, 16, 16\)"),
        (lambda bands: Pair(3, bands, 1), r"\(2, 3, 16, 16\) with a tuple"),
        (lambda _bands: None, "build must return a torch.nn.Module, and it returned a NoneType"),
        (lambda _bands: nn.ReLU(), "its network has no weights to learn"),
    ],
    ids=["size", "bands", "tuple", "no module", "no weights"],
)
def test_a_network_that_cannot_be_one_is_an_error_in_a_sentence(
    training_scenes: list[TrainingScene], make: Callable[[int], Any], words: str
) -> None:
    with pytest.raises(SpecrecError, match=f"^odd: .*{words}"):
        fit(built(make), training_scenes)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda estimate, reference: (estimate - reference).abs(), r"not one of shape \(2, 31, 16, 16\)"),
        (lambda estimate, _reference: estimate.mean().item(), "not float"),
        (lambda _estimate, reference: reference.mean(), "not one that no weight moves"),
    ],
    ids=["tensor", "number", "constant"],
)
def test_a_loss_that_cannot_be_one_is_an_error_in_a_sentence(
    training_scenes: list[TrainingScene], loss: Callable[[Tensor, Tensor], Any], words: str
) -> None:
    kind = type("Odd", (Small,), {"name": "odd", "loss": lambda _self, *both: loss(*both)})
    with pytest.raises(SpecrecError, match=f"^odd: loss must return a tensor of shape .*{words}"):
        fit(kind, training_scenes)


def test_a_loss_that_is_no_number_names_step_scene_and_crop(training_scenes: list[TrainingScene]) -> None:
    kind = type("Odd", (Small,), {"loss": lambda _self, estimate, _reference: estimate.mean() * float("nan")})
    with pytest.raises(SpecrecError, match=r"stopped at step 1, loss .* \(scene scene\d, crop at row"):
        fit(kind, training_scenes)
