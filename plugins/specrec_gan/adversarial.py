"""The training: rounds of discriminator updates and generator updates (Alvarez-Gila et al. 2017, 2.3).

A round is 50 discriminator samples, that is 25 updates on one real and one fake pair each, then 25 generator updates.
The discriminator's loss is binary cross-entropy; the generator's is to be taken for real, plus 100 times the mean
absolute error in [-1, 1].
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from specrec.parameters import Settings
from specrec.training.crops import Batch
from specrec.training.loop import Training
from specrec_gan.discriminator import Discriminator
from specrec_gan.generator import Generator
from specrec_gan.inference import cubes

GENERATOR_UPDATES = 25  # per round
DISCRIMINATOR_UPDATES = {"samples": 25, "iterations": 50}  # per round, by how one reads the paper's "50"
FLOOR = 0.02  # of the learning rate at the end of a cosine decay


class AdversarialTraining(Training):
    """Both networks, their optimisers and the updates of the two, in rounds.

    Parameters
    ----------
    generator, discriminator
        On their device, in training mode.
    settings
        The parameters of `gan`.
    generator_updates
        In all; the decay of the learning rate is planned over them.
    """

    def __init__(
        self, generator: Generator, discriminator: Discriminator, settings: Settings, generator_updates: int
    ) -> None:
        self.generator = generator
        self.discriminator = discriminator
        self.adversarial = float(settings["adversarial"])
        self.weight = float(settings["l1_weight"])
        self.loss = str(settings["loss"])
        self.decays = settings["decay"] == "cosine"
        self.rate = float(settings["learning_rate"])
        self.generator_updates = generator_updates
        self.short = settings["precision"] == "bf16"
        self.first = DISCRIMINATOR_UPDATES[str(settings["schedule"])] if self.adversarial else 0  # of every round
        modules: dict[str, torch.nn.Module] = {"generator": generator}
        optimisers: dict[str, torch.optim.Optimizer] = {"generator": _adam(generator, self.rate)}
        if self.adversarial:
            modules["discriminator"] = discriminator
            rate = float(settings["discriminator_rate"]) or self.rate
            optimisers["discriminator"] = _adam(discriminator, rate)
        rounds, rest = divmod(generator_updates, GENERATOR_UPDATES)
        updates = generator_updates + self.first * (rounds + (rest > 0))
        super().__init__(modules, optimisers, updates, self.first + GENERATOR_UPDATES)

    def update(self, index: int, batch: Batch) -> dict[str, Tensor]:
        """Teach the discriminator in the first part of a round, and the generator in the second."""
        if self.kind(index) == "discriminator":
            return {"discriminator": self.discriminator_step(batch.rgb, batch.cube)}
        error, fooled = self.generator_step(batch.rgb, batch.cube)
        return {self.loss: error, "adversarial": fooled} if self.adversarial else {self.loss: error}

    def schedule(self, index: int) -> None:
        """Set the generator's learning rate."""
        if not self.decays:
            return
        share = self.step(index - 1) / self.generator_updates
        rate = self.rate * (FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + math.cos(math.pi * share)))
        for group in self.optimisers["generator"].param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def kind(self, index: int) -> str:
        """Tell the two kinds of update apart."""
        return "discriminator" if index % self.round_length < self.first else "generator"

    def step(self, index: int) -> int:
        """Count the generator updates up to and with update `index`."""
        rounds, place = divmod(index, self.round_length)
        return rounds * GENERATOR_UPDATES + max(0, place + 1 - self.first)

    def discriminator_step(self, rgb: Tensor, cube: Tensor) -> Tensor:
        """Teach the discriminator one real and one fake pair per image; return its loss."""
        with self.products(rgb.device):
            with torch.no_grad():
                self.generator.eval()
                fake = 2.0 * cubes(self.generator, rgb).permute(0, 3, 1, 2) - 1.0
                self.generator.train()
            logits = self.discriminator(torch.cat([rgb, rgb]), torch.cat([cube, fake])).float()
        labels = torch.zeros_like(logits)
        labels[: len(rgb)] = 1.0  # real
        loss = functional.binary_cross_entropy_with_logits(logits, labels)
        self.descend("discriminator", loss)
        return loss.detach()

    def generator_step(self, rgb: Tensor, cube: Tensor) -> tuple[Tensor, Tensor]:
        """Teach the generator to be near the truth and to be taken for real; return the two losses."""
        with self.products(rgb.device):
            estimate = self.generator(rgb).float()
        error = functional.mse_loss(estimate, cube) if self.loss == "l2" else functional.l1_loss(estimate, cube)
        loss = self.weight * error
        fooled = torch.zeros_like(error)
        if self.adversarial:
            self.discriminator.requires_grad_(False)  # the gradient passes through it and changes nothing in it
            with self.products(rgb.device):
                logits = self.discriminator(rgb, estimate).float()
            self.discriminator.requires_grad_(True)
            fooled = functional.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
            loss = loss + self.adversarial * fooled
        self.descend("generator", loss)
        return error.detach(), fooled.detach()

    def products(self, device: torch.device) -> torch.autocast:
        """Compute the networks' products in bfloat16 where that is set; weights, losses and moments stay float32."""
        return torch.autocast(device.type, torch.bfloat16, enabled=self.short)


def _adam(net: torch.nn.Module, rate: float) -> torch.optim.Adam:
    (device,) = {part.device for part in net.parameters()}
    learning_rate = torch.tensor(rate, device=device) if device.type == "cuda" else rate  # where its kernel reads it
    return torch.optim.Adam(net.parameters(), learning_rate, betas=(0.5, 0.999), fused=True)
