"""The generator without training: the numbers of `Generator.forward`, computed in blocks that stay in the cache.

Three things make it quicker and smaller than the plain pass. The encoder's tensors are activated in place, which
changes nothing because every value passes one leaky ReLU after the joining anyway. Transposed convolutions of 2 x 2
with stride 2 have no overlaps, so each is a matrix product and the decoder can be worked through depth first, a few
coarse rows at a time: nothing of full resolution but the cube is ever written to memory. And (tanh(x) + 1) / 2 is
sigmoid(2 x), so the cube comes out on its own scale, bands last.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from specrec_gan.generator import SLOPE, Generator

BLOCK = 1 << 18  # numbers in a block's largest tensor: 1 MiB in float32, about a core's second-level cache
SHARED_BLOCK = 1 << 22  # with several threads: they wait for each other after every operation, so these must be longer
LANES = 16  # a matrix product with 31 columns takes twice as long as with 32


def cubes(generator: Generator, rgb: Tensor) -> Tensor:
    """Reconstruct images of one size: in blocks on a CPU, by `Generator.forward` elsewhere and where dropout is on.

    Parameters
    ----------
    generator
        In evaluation mode, its dropout perhaps not; quickest with its weights in channels_last.
    rgb
        (n, 3, height, width) in [-1, 1], in sides that are multiples of the net's grid.

    Returns
    -------
    (n, height, width, bands) in [0, 1].
    """
    value = rgb.contiguous(memory_format=torch.channels_last)
    if generator.dropout.training or rgb.device.type != "cpu":
        estimate: Tensor = generator(value)
        return (estimate.permute(0, 2, 3, 1) + 1.0) / 2.0
    with torch.no_grad(), torch.autocast("cpu", enabled=False):  # shorter products gain nothing on a CPU
        return _in_blocks(generator, value)


def _in_blocks(generator: Generator, value: Tensor) -> Tensor:
    count, _, height, width = value.shape
    skips = [_rows(value)]
    for block in generator.encoder:
        value = functional.leaky_relu_(functional.conv2d(value, *_affine(block), stride=2, padding=1), SLOPE)
        skips.append(_rows(value))
    decoder = _Decoder(generator, skips)
    if generator.decoder:
        decoder.expand(len(skips) - 1, skips[-1], 0)
    else:
        decoder.colours()
    return decoder.cube.view(count, height, width, -1)


class _Decoder:
    """The way up, depth first, from the coarsest level (the highest number) to the cube (level 0).

    Everything is rows of pixels, (rows, width, channels); images of a batch stand below each other.
    """

    def __init__(self, generator: Generator, skips: list[Tensor]) -> None:
        self.skips = skips
        self.up = []  # per level: (channels in, 2 * 2 * channels out) and the bias to match
        for block in reversed(generator.decoder):
            weight, bias = _affine(block)
            self.up.append((weight.permute(0, 2, 3, 1).flatten(1), bias.repeat(4)))
        mix = generator.mix.weight[:, :, 0, 0].t()
        self.mix_up, self.mix_rgb, self.mix_bias = mix[:-3], mix[-3:], generator.mix.bias
        self.bands = generator.out.out_channels
        spare = -self.bands % LANES
        self.out = functional.pad(2.0 * generator.out.weight[:, :, 0, 0].t(), (0, spare))
        self.out_bias = functional.pad(2.0 * generator.out.bias, (0, spare))
        self.block = BLOCK if torch.get_num_threads() == 1 else SHARED_BLOCK
        self.cube = skips[0].new_empty(*skips[0].shape[:2], self.bands)

    def expand(self, level: int, value: Tensor, top: int) -> None:
        """Take rows of `level`, the first of them being row `top`, up to the cube."""
        weight, bias = self.up[level - 1]
        skip = self.skips[level - 1]
        width, channels = value.shape[1], weight.shape[1] // 4
        for part in value.split(max(1, self.block // (width * weight.shape[1]))):
            rows = len(part)
            up = torch.addmm(bias, part.reshape(rows * width, -1), weight)
            up = functional.leaky_relu_(up, SLOPE).view(rows, width, 2, 2, channels)
            below = skip[2 * top : 2 * (top + rows)]
            if level == 1:
                rgb = below.view(rows, 2, width, 2, 3).transpose(1, 2)  # the order of `up`: pixels in fours
                found = self.spectra(rgb.reshape(-1, 3), up.view(-1, channels)).view(rows, width, 2, 2, self.bands)
                self.cube[2 * top : 2 * (top + rows)].view(rows, 2, width, 2, -1).copy_(found.transpose(1, 2))
            else:
                joined = up.new_empty(2 * rows, 2 * width, channels + below.shape[2])
                joined.view(rows, 2, width, 2, -1)[..., :channels] = up.transpose(1, 2)
                joined[..., channels:] = below
                self.expand(level - 1, joined, 2 * top)
            top += rows

    def colours(self) -> None:
        """Fill the cube where there is no level below: each pixel by itself."""
        rows = max(1, self.block // (self.cube.shape[1] * len(self.mix_bias)))
        for rgb, cube in zip(self.skips[0].split(rows), self.cube.split(rows), strict=True):
            cube.copy_(self.spectra(rgb.flatten(0, 1)).view(cube.shape))

    def spectra(self, rgb: Tensor, up: Tensor | None = None) -> Tensor:
        """Mix the pixels' colours with what came up, and estimate their spectra: (pixels, bands)."""
        value = torch.addmm(self.mix_bias, rgb, self.mix_rgb)
        if up is not None:
            value.addmm_(up, self.mix_up)
        value = torch.addmm(self.out_bias, functional.leaky_relu_(value, SLOPE), self.out)
        return value.sigmoid_()[:, : self.bands]


def _rows(value: Tensor) -> Tensor:
    """(n, channels, height, width) -> (n * height, width, channels); in channels_last the same memory."""
    return value.permute(0, 2, 3, 1).flatten(0, 1)


def _affine(block: nn.Module) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution, with the batch normalisation that follows it, if any, multiplied in."""
    if not isinstance(block, nn.Sequential):
        return block.weight, block.bias
    convolution, norm = block
    return nn.utils.fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
        transpose=isinstance(convolution, nn.ConvTranspose2d),
    )
