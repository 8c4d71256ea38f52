"""Networks small enough for tests: one that sees 5 x 5 pixels, a U-Net on a grid of 8, and one that sees everything."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from specrec.network import NetworkReconstructor
from specrec.parameters import Parameter


class Small(NetworkReconstructor):
    """Three convolutions, with everything that draws numbers or keeps them."""

    name = "small"
    summary = "for tests"
    receptive_field = 5
    parameters: ClassVar = {"width": Parameter(8, "filters", minimum=1), "batch": Parameter(2, "crops", minimum=1)}

    def build(self, bands: int) -> nn.Module:
        width = int(self.settings["width"])
        return nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, bands, 1),
        )


class Levels(nn.Module):
    """A U-Net of four levels: three times down to half the size by averages, and up again."""

    def __init__(self, width: int, bands: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(nn.Conv2d(before, width, 3, padding=1) for before in (3, width, width, width))
        self.up = nn.ModuleList(nn.Conv2d(2 * width, width, 3, padding=1) for _ in range(3))
        self.out = nn.Conv2d(width, bands, 1)

    def forward(self, rgb: Tensor) -> Tensor:
        skips = [self.down[0](rgb).relu()]
        for down in self.down[1:]:
            skips.append(down(functional.avg_pool2d(skips[-1], 2)).relu())
        value = skips.pop()
        for up in self.up:
            value = torch.cat([functional.interpolate(value, scale_factor=2), skips.pop()], 1)
            value = up(value).relu()
        return self.out(value)


class UNet(NetworkReconstructor):
    """What most published networks are like."""

    name = "unet"
    summary = "for tests"
    receptive_field = 54  # the widest of any pixel in its 8 x 8
    grid = 8
    parameters: ClassVar = {"batch": Parameter(2, "crops", minimum=1)}
    presets: ClassVar = {"paper": {}, "quick": {"steps": 5, "crop": 16}}

    def build(self, bands: int) -> nn.Module:
        return Levels(4, bands)


class Unbounded(NetworkReconstructor):
    """A normalisation over the whole image, and a weight that is one number; learns more slowly in a second group."""

    name = "unbounded"
    summary = "for tests"
    grid = 2  # a normalisation over one pixel is none, and torch refuses it

    def build(self, bands: int) -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 6, 1), nn.InstanceNorm2d(6), nn.PReLU(), nn.Conv2d(6, bands, 1))

    def optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        first, *rest = network.parameters()
        return torch.optim.SGD([{"params": [first], "lr": 0.5}, {"params": rest, "lr": 0.1}], momentum=0.9)
