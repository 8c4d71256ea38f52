"""The generator: a U-Net without batch normalisation, pruned to its first branches (Alvarez-Gila et al. 2017, 2.3).

Branch 1 is the RGB image itself, at full resolution; each further branch is one level deeper, half the size. With all
nine the net is the paper's. Transposed convolutions are 2 x 2, so that the receptive fields are the paper's labels.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2  # of every leaky ReLU
HIDDEN = 64  # channels between the two 1 x 1 convolutions
DEEP = 3  # levels from here on are those of branches 5 and up
DEEPEST = 8  # filters double up to this many times the first width


def filters(branches: int, width: int) -> list[int]:
    """Encoder filters per level, from the largest level down: 64, 128, 256, 512, 512, .. for width 64."""
    return [width * min(2**level, DEEPEST) for level in range(branches - 1)]


class Generator(nn.Module):
    """RGB in [-1, 1], (n, 3, h, w) -> cube in [-1, 1], (n, bands, h, w); h and w are multiples of 2^(branches - 1).

    Parameters
    ----------
    branches
        1 to 9.
    width
        Filters of the first level.
    bands
        Of the cube.
    dropout
        Rate after every transposed convolution, while training.
    deep_dropout
        The rate on the levels that branches 5 and up add; None: the same.
    batch_norm
        Normalise after the inner convolutions, as Isola et al. (2017) do and the paper advises against.
    """

    def __init__(
        self,
        branches: int,
        width: int = 64,
        bands: int = 31,
        *,
        dropout: float = 0.1,
        deep_dropout: float | None = None,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        levels = filters(branches, width)
        self.encoder = nn.ModuleList()
        self.decoder = nn.ModuleList()
        arriving = 3
        for level, count in enumerate(levels):
            normalise = batch_norm and level > 0
            self.encoder.append(_block(nn.Conv2d(arriving, count, 3, stride=2, padding=1), count, normalise))
            arriving = count
        for level in reversed(range(len(levels))):
            count = levels[level]
            self.decoder.append(_block(Doubling(arriving, count, 2, stride=2), count, batch_norm))
            arriving = count + (levels[level - 1] if level else 3)
        deep = dropout if deep_dropout is None else deep_dropout
        rates = [deep if level >= DEEP else dropout for level in reversed(range(len(levels)))]
        self.dropout = nn.ModuleList(nn.Dropout(rate) for rate in rates)  # one for each of the decoder
        self.mix = nn.Conv2d(arriving, HIDDEN, 1)
        self.out = nn.Conv2d(HIDDEN, bands, 1)
        initialise(self)

    def forward(self, rgb: Tensor) -> Tensor:
        """Reconstruct; shapes as the class says."""
        skips = [rgb]
        value = rgb
        for encode in self.encoder:
            value = encode(value)  # half the size; kept before its activation, which follows the joining
            skips.append(value)
            value = _leaky(value)
        skips.pop()
        for decode, drop in zip(self.decoder, self.dropout, strict=True):
            value = drop(decode(value))  # twice the size
            skip = skips.pop()
            # every value passes one leaky ReLU; the RGB image passes none
            value = _leaky(torch.cat([value, skip], 1)) if skips else torch.cat([_leaky(value), skip], 1)
        return torch.tanh(self.out(_leaky(self.mix(value))))


def operations(generator: Generator) -> float:
    """Count multiplications and additions of all products for each pixel; biases are not counted.

    Examples
    --------
    >>> operations(Generator(1))  # 3 -> 64 -> 31
    4352.0
    >>> operations(Generator(2, width=4))  # 3 x 3 down to a quarter of the pixels, 2 x 2 up from it, 7 -> 64 -> 31
    4950.0
    """
    total = 2.0 * (generator.mix.weight.numel() + generator.out.weight.numel())
    for level, block in enumerate(generator.encoder, 1):
        total += 2.0 * _convolution(block).weight.numel() / 4**level  # one place for every 4 of the level above
    for level, block in zip(range(len(generator.decoder), 0, -1), generator.decoder, strict=True):
        total += 2.0 * _convolution(block).weight.numel() / 4**level  # all four values of a place from one
    return total


def _convolution(block: nn.Module) -> nn.Conv2d | nn.ConvTranspose2d:
    convolution: nn.Conv2d | nn.ConvTranspose2d = block[0] if isinstance(block, nn.Sequential) else block  # type: ignore[assignment]
    return convolution


class Doubling(nn.ConvTranspose2d):
    """A transposed convolution of 2 x 2 with stride 2: each value becomes four, and no two of them overlap.

    On a CPU it is computed as the matrix product that it is, because the gradient of the general operation takes twice
    as long there in channels_last.
    """

    def forward(self, value: Tensor, output_size: list[int] | None = None) -> Tensor:
        """(n, channels in, h, w) -> (n, channels out, 2 h, 2 w)."""
        if value.device.type != "cpu":
            return super().forward(value, output_size)
        count, _, height, width = value.shape
        matrix = self.weight.permute(2, 3, 1, 0).flatten(0, 2)  # (2 * 2 * channels out, channels in)
        fours = functional.linear(value.permute(0, 2, 3, 1), matrix, self.bias.repeat(4))
        fours = fours.view(count, height, width, 2, 2, -1).transpose(2, 3)  # (n, h, 2, w, 2, channels out)
        return fours.reshape(count, 2 * height, 2 * width, -1).permute(0, 3, 1, 2)


def initialise(net: nn.Module) -> None:
    """Glorot uniform weights, zero biases: what the code that the paper began from leaves in place."""
    for part in net.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def _block(convolution: nn.Module, count: int, normalise: bool) -> nn.Module:
    return nn.Sequential(convolution, nn.BatchNorm2d(count)) if normalise else convolution


def _leaky(value: Tensor) -> Tensor:
    return functional.leaky_relu(value, SLOPE)
