"""The adversarial U-Net of Alvarez-Gila et al. (2017) in plain PyTorch, written from the paper: the measure of speed.

Eager, float32, channels first, default Adam. The layers have the same names as those of `specrec_gan`, so that weights
can be handed over and the outputs compared.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


class PlainGenerator(nn.Module):
    """RGB (n, 3, h, w) in [-1, 1] -> cube (n, 31, h, w) in [-1, 1]."""

    def __init__(self, branches: int, width: int = 64, bands: int = 31, dropout: float = 0.1) -> None:
        super().__init__()
        filters = [width * min(2**level, 8) for level in range(branches - 1)]
        arriving = [3, *filters]
        self.encoder = nn.ModuleList(
            nn.Conv2d(arriving[level], filters[level], 3, stride=2, padding=1) for level in range(len(filters))
        )
        self.decoder = nn.ModuleList()
        channels = arriving[-1]
        for level in reversed(range(len(filters))):
            self.decoder.append(nn.ConvTranspose2d(channels, filters[level], 2, stride=2))
            channels = filters[level] + arriving[level]
        self.dropout = nn.Dropout(dropout)
        self.mix = nn.Conv2d(channels, 64, 1)
        self.out = nn.Conv2d(64, bands, 1)

    def forward(self, rgb: Tensor) -> Tensor:
        """Down, keeping every level for its skip connection; up, joining them; two 1 x 1 convolutions; tanh."""
        skips, value = [rgb], rgb
        for convolution in self.encoder:
            value = convolution(value)
            skips.append(value)
            value = functional.leaky_relu(value, 0.2)
        skips.pop()
        for convolution in self.decoder:
            value = self.dropout(convolution(value))
            skip = skips.pop()
            if skips:
                value = functional.leaky_relu(torch.cat([value, skip], 1), 0.2)
            else:  # the image itself is not activated
                value = torch.cat([functional.leaky_relu(value, 0.2), skip], 1)
        return torch.tanh(self.out(functional.leaky_relu(self.mix(value), 0.2)))

    @torch.no_grad()
    def reconstruct(self, rgb: np.ndarray) -> np.ndarray:
        """RGB (h, w, 3) in [0, 1] -> cube (h, w, bands) in [0, 1], in evaluation mode; sides a multiple of the grid."""
        device = self.out.weight.device
        estimate = self(torch.from_numpy(rgb).to(device).permute(2, 0, 1)[None] * 2 - 1)
        return ((estimate[0].permute(1, 2, 0) + 1) / 2).cpu().contiguous().numpy()


class PlainDiscriminator(nn.Module):
    """RGB and cube in [-1, 1] -> logits, one per patch of 63 x 63."""

    def __init__(self, width: int = 32, bands: int = 31) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3 + bands
        for level in range(4):
            layers += [nn.Conv2d(channels, width * 2**level, 3, stride=2, padding=1), nn.LeakyReLU(0.2)]
            channels = width * 2**level
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, 3, stride=2, padding=1))

    def forward(self, rgb: Tensor, cube: Tensor) -> Tensor:
        """Judge."""
        return self.layers(torch.cat([rgb, cube], 1))


class PlainTraining:
    """One update of each net, as the paper describes it."""

    def __init__(self, generator: PlainGenerator, discriminator: PlainDiscriminator, rate: float = 2e-4) -> None:
        self.generator, self.discriminator = generator.train(), discriminator.train()
        self.generator_adam = torch.optim.Adam(generator.parameters(), rate, betas=(0.5, 0.999))
        self.discriminator_adam = torch.optim.Adam(discriminator.parameters(), rate, betas=(0.5, 0.999))

    def discriminator_step(self, rgb: Tensor, cube: Tensor) -> Tensor:
        """Teach the discriminator one real and one fake pair; the fake without dropout, as in `specrec_gan`."""
        self.generator.eval()
        with torch.no_grad():
            fake = self.generator(rgb)
        self.generator.train()
        real_logits, fake_logits = self.discriminator(rgb, cube), self.discriminator(rgb, fake)
        loss = (_judged(real_logits, 1.0) + _judged(fake_logits, 0.0)) / 2
        self.discriminator_adam.zero_grad()
        loss.backward()
        self.discriminator_adam.step()
        return loss.detach()

    def generator_step(self, rgb: Tensor, cube: Tensor) -> tuple[Tensor, Tensor]:
        """Teach the generator: 100 times the mean absolute error, and to be taken for real."""
        estimate = self.generator(rgb)
        error = functional.l1_loss(estimate, cube)
        fooled = _judged(self.discriminator(rgb, estimate), 1.0)
        self.generator_adam.zero_grad()
        (fooled + 100 * error).backward()
        self.generator_adam.step()
        return error.detach(), fooled.detach()


def _judged(logits: Tensor, label: float) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
