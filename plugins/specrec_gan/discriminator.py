"""The discriminator: five strided convolutions that judge patches of 63 x 63 (Alvarez-Gila et al. 2017, 2.3).

It is the PatchGAN of Isola et al. (2017), doi:10.1109/CVPR.2017.632: each output sees one patch and nothing else.
"""

import torch
from torch import Tensor, nn

from specrec_gan.generator import SLOPE, initialise


class Discriminator(nn.Module):
    """RGB (n, 3, h, w) and cube (n, bands, h, w) in [-1, 1] -> logits (n, 1, h / 32, w / 32); 8 x 8 for 256 x 256.

    Parameters
    ----------
    width
        Filters of the first convolution; they double three times.
    bands
        Of the cube.
    """

    def __init__(self, width: int = 32, bands: int = 31) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        arriving = 3 + bands
        for level in range(4):
            count = width * 2**level
            layers += [nn.Conv2d(arriving, count, 3, stride=2, padding=1), nn.LeakyReLU(SLOPE)]
            arriving = count
        layers.append(nn.Conv2d(arriving, 1, 3, stride=2, padding=1))
        self.layers = nn.Sequential(*layers)
        initialise(self)

    def forward(self, rgb: Tensor, cube: Tensor) -> Tensor:
        """Judge every patch: the logit of being real; the sigmoid is part of the loss."""
        logits: Tensor = self.layers(torch.cat([rgb, cube], 1))
        return logits
