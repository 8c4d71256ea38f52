"""Small networks for the checks of methods: a right one, and some that break a promise."""

import torch
from torch import nn

from specrec.network import NetworkReconstructor


class HonestDilated(NetworkReconstructor):
    """Its convolution needs memory that allocators spread over several images."""

    name = "dilated"
    summary = "for tests"
    reference = "nobody, 2026"
    receptive_field = 9
    trials = ({"steps": 8, "batch": 2, "crop": 16},)

    def build(self, bands):
        return nn.Sequential(nn.Conv2d(3, 16, 3, padding=4, dilation=4), nn.ReLU(), nn.Conv2d(16, bands, 1))


class DoubleForAll(HonestDilated):
    def build(self, bands):
        torch.set_default_dtype(torch.float64)
        return super().build(bands)


class Pools(HonestDilated):
    def build(self, bands):
        return nn.Sequential(nn.Conv2d(3, bands, 3, padding=1), nn.MaxPool2d(2), nn.Upsample(scale_factor=2))


class _Faint(nn.Module):
    def __init__(self, bands):
        super().__init__()
        self.near = nn.Conv2d(3, bands, 3, padding=1)
        self.far = nn.Conv2d(3, bands, 3, padding=4, dilation=4)

    def forward(self, colours):
        return self.near(colours) + 1e-7 * self.far(colours)


class SeesFartherThanItSays(HonestDilated):
    """What is far moves the cube by less than rounding, as in a deep network after a few updates."""

    receptive_field = 3

    def build(self, bands):
        return _Faint(bands)
