"""The training: rounds of discriminator updates and generator updates (Alvarez-Gila et al. 2017, 2.3).

A round is 50 discriminator samples, that is 25 updates on one real and one fake pair each, then 25 generator updates.
The discriminator's loss is binary cross-entropy; the generator's is to be taken for real, plus 100 times the mean
absolute error in [-1, 1].
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from specrec.errors import SpecrecError
from specrec.interfaces import Progress
from specrec.parameters import Settings
from specrec.training.crops import Batch
from specrec_gan.discriminator import Discriminator
from specrec_gan.generator import Generator

GENERATOR_UPDATES = 25  # per round
DISCRIMINATOR_UPDATES = {"samples": 25, "iterations": 50}  # per round, by how one reads the paper's "50"
FLOOR = 0.02  # of the learning rate at the end of a cosine decay


class Training:
    """Both networks, their optimisers and the steps.

    Parameters
    ----------
    generator, discriminator
        On their device, in training mode.
    settings
        The parameters of `gan`.
    updates
        Generator updates in all; the decay of the learning rate is planned over them.
    """

    def __init__(self, generator: Generator, discriminator: Discriminator, settings: Settings, updates: int) -> None:
        self.generator = generator
        self.discriminator = discriminator
        self.updates = updates
        self.generator_updates = 0
        self.discriminator_updates = 0
        self.adversarial = float(settings["adversarial"])
        self.weight = float(settings["l1_weight"])
        self.loss = str(settings["loss"])
        self.schedule = str(settings["schedule"])
        rate = float(settings["learning_rate"])
        discriminator_rate = float(settings["discriminator_rate"]) or rate
        self.generator_optimiser = _adam(generator, rate)
        self.discriminator_optimiser = _adam(discriminator, discriminator_rate)
        self.decay = torch.optim.lr_scheduler.LambdaLR(
            self.generator_optimiser, self._cosine if settings["decay"] == "cosine" else lambda _step: 1.0
        )

    def run(self, batches: Iterator[Batch], progress: Progress) -> list[dict[str, float]]:
        """Train to the end and return the loss curve, one entry a round.

        Raises
        ------
        SpecrecError
            If a loss is no longer a number; the message names the step.
        """
        curve = []
        while self.generator_updates < self.updates:
            losses = self.round(batches)
            if not all(math.isfinite(value) for value in losses.values()):
                raise SpecrecError(
                    f"the loss of gan is no longer a number after {self.generator_updates} generator updates"
                    f" ({losses}); lower learning_rate"
                )
            curve.append({"step": float(self.generator_updates), **losses})
            progress(self.generator_updates / self.updates, f"{self.loss} {losses[self.loss]:.4f}")
        return curve

    def round(self, batches: Iterator[Batch]) -> dict[str, float]:
        """One round; return the mean losses of its updates."""
        discriminator = []
        if self.adversarial:
            for _ in range(DISCRIMINATOR_UPDATES[self.schedule]):
                discriminator.append(self.discriminator_step(*next(batches)))
        count = min(GENERATOR_UPDATES, self.updates - self.generator_updates)
        generator = [torch.stack(self.generator_step(*next(batches))) for _ in range(count)]
        error, fooled = torch.stack(generator).mean(0).tolist()  # read once a round: reading waits for a GPU
        losses = {self.loss: error}
        if self.adversarial:
            losses |= {"adversarial": fooled, "discriminator": torch.stack(discriminator).mean().item()}
        return losses

    def discriminator_step(self, rgb: Tensor, cube: Tensor) -> Tensor:
        """Teach the discriminator one real and one fake pair per image; return its loss."""
        with torch.no_grad():
            self.generator.eval()
            fake = self.generator(rgb)
            self.generator.train()
        logits = self.discriminator(torch.cat([rgb, rgb]), torch.cat([cube, fake]))
        labels = torch.zeros_like(logits)
        labels[: len(rgb)] = 1.0  # real
        loss = functional.binary_cross_entropy_with_logits(logits, labels)
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimiser.step()
        self.discriminator_updates += 1
        return loss.detach()

    def generator_step(self, rgb: Tensor, cube: Tensor) -> tuple[Tensor, Tensor]:
        """Teach the generator to be near the truth and to be taken for real; return the two losses."""
        estimate = self.generator(rgb)
        error = functional.mse_loss(estimate, cube) if self.loss == "l2" else functional.l1_loss(estimate, cube)
        loss = self.weight * error
        fooled = torch.zeros_like(error)
        if self.adversarial:
            self.discriminator.requires_grad_(False)  # the gradient passes through it and changes nothing in it
            logits = self.discriminator(rgb, estimate)
            self.discriminator.requires_grad_(True)
            fooled = functional.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
            loss = loss + self.adversarial * fooled
        self.generator_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.generator_optimiser.step()
        self.decay.step()
        self.generator_updates += 1
        return error.detach(), fooled.detach()

    def _cosine(self, step: int) -> float:
        return FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + math.cos(math.pi * min(step / self.updates, 1.0)))


def _adam(net: torch.nn.Module, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(net.parameters(), rate, betas=(0.5, 0.999), fused=True)
