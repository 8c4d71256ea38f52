"""Draw `gan` as it is built: python docs/make_network_drawing.py writes docs/network.svg.

Sizes, channels, kernels and weights of the losses are read from the networks themselves, on an image of 256 x 256; a
test holds that the file is what this makes. It is shown inside a page and takes its ink from there, so that it can be
read on light and on dark.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from specrec_gan.discriminator import Discriminator
from specrec_gan.generator import SLOPE, Generator
from specrec_gan.method import MAX_BRANCHES, Gan

TARGET = Path(__file__).parent / "network.svg"
SIZE = 256
BANDS = 31
WIDTH, HEIGHT = 760, 700
TOP, ROW, BOX_WIDTH, BOX_HEIGHT, INDENT = 64, 50, 104, 28, 18
MIDDLE = 300  # of the generator
SIDE = WIDTH - 10 - BOX_WIDTH  # of what follows it
BLUE, ORANGE, GREEN, PURPLE, GREY = "#3f86c9", "#d4772a", "#4a9b58", "#a4609f", "#8a8a8a"


class Layer(NamedTuple):
    """One convolution: its kernel, and the (channels, height, width) that it gives."""

    kernel: int
    shape: tuple[int, int, int]


def layers(net: nn.Module, *inputs: torch.Tensor) -> list[Layer]:
    """Run a network without computing anything, and list its convolutions in the order of their work."""
    found: list[Layer] = []

    def note(part: Any, _inputs: Any, output: torch.Tensor) -> None:
        found.append(Layer(part.kernel_size[0], tuple(output.shape[1:])))

    for part in net.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            part.register_forward_hook(note)
    net.eval()(*inputs)
    return found


def drawing() -> str:
    """The whole file."""
    method = Gan()
    with torch.device("meta"):
        rgb, cube = torch.empty(1, 3, SIZE, SIZE), torch.empty(1, BANDS, SIZE, SIZE)
        generator, discriminator = Generator(MAX_BRANCHES, bands=BANDS), Discriminator(bands=BANDS)
        made, judged = layers(generator, rgb), layers(discriminator, rgb, cube)
    depth = MAX_BRANCHES - 1
    parts = [
        *_generator(made[:depth], made[depth : 2 * depth], float(method.settings["dropout"])),
        *_head(made[2 * depth :]),
        *_losses(method),
        *_discriminator(judged),
        _count(generator, 10, 20, "Generator"),
        _count(discriminator, 10, TOP + 8 * ROW + 130, "Discriminator"),
    ]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        ' font-size="12" fill="currentColor" role="img"'
        ' aria-label="The networks of gan: a generator with nine branches, its losses, and the discriminator">'
        f"\n{MARKER}\n{body}\n</svg>\n"
    )


MARKER = (
    '<defs><marker id="network-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
    ' orient="auto-start-reverse"><path d="M0 0.5L7 4L0 7.5z" fill="currentColor"/></marker></defs>'
)


def _generator(down: list[Layer], up: list[Layer], dropout: float) -> list[str]:
    """The encoder at the left, the decoder at the right, a row for each size; the image itself is branch 1."""
    parts = []
    left = [(3, SIZE, SIZE), *(layer.shape for layer in down)]
    right = [layer.shape for layer in reversed(up)]
    for row, shape in enumerate(left[:-1]):
        y, x = TOP + row * ROW, 10 + row * INDENT
        mirrored = 2 * MIDDLE - x - BOX_WIDTH
        parts += [_box(x, y, shape, GREY if row == 0 else BLUE), _box(mirrored, y, right[row], ORANGE)]
        sees = Gan(branches=row + 1).receptive_field
        words = f"branch {row + 1}, sees {sees}" if row > 5 else f"branch {row + 1}, sees {sees} x {sees}"
        parts.append(_arrow(x + BOX_WIDTH, y + BOX_HEIGHT / 2, mirrored, y + BOX_HEIGHT / 2, dashed=True))
        parts.append(_text(MIDDLE, y + BOX_HEIGHT / 2 - 5, words, size=11))
    bottom, y = len(left) - 1, TOP + (len(left) - 1) * ROW
    parts.append(_box(MIDDLE - BOX_WIDTH / 2, y, left[-1], BLUE))
    parts.append(_text(MIDDLE, y + BOX_HEIGHT + 14, f"branch {bottom + 1}, sees {Gan().receptive_field}", size=11))
    for row, (upper, lower) in enumerate(pairwise(range(len(left)))):
        start, end = TOP + upper * ROW + BOX_HEIGHT, TOP + lower * ROW
        x = 10 + row * INDENT + BOX_WIDTH / 2
        to = x + INDENT if lower < bottom else MIDDLE - 20
        parts.append(_arrow(x, start, to, end))
        parts.append(_arrow(2 * MIDDLE - to, end, 2 * MIDDLE - x, start))
    parts.append(_text(10 + BOX_WIDTH / 2, TOP - 8, "RGB image", bold=True))
    (conv,), (transposed,) = {layer.kernel for layer in down}, {layer.kernel for layer in up}
    y = TOP + 8 * ROW + 60
    parts += [
        _text(10, y, f"down: convolution {conv} x {conv}, stride 2", anchor="start"),
        _text(10, y + 18, f"up: transposed convolution {transposed} x {transposed}, stride 2; dropout of {dropout:.0%}"
              " while training", anchor="start"),
        _text(10, y + 36, f"dashed: joined along the channels, then leaky ReLU ({SLOPE}); a net with k branches is cut"
              " below branch k", anchor="start"),
    ]  # fmt: skip
    return parts


def _head(head: list[Layer]) -> list[str]:
    hidden, out = head
    y, middle = TOP + BOX_HEIGHT / 2, SIDE + BOX_WIDTH / 2
    return [
        _arrow(2 * MIDDLE - 10, y, SIDE, y),
        _text(2 * MIDDLE - 6, y - 6, f"{hidden.kernel} x {hidden.kernel}", anchor="start", size=11),
        _box(SIDE, TOP, hidden.shape, ORANGE),
        _arrow(middle, TOP + BOX_HEIGHT, middle, TOP + 2 * ROW),
        _text(middle - 8, TOP + ROW + 18, f"{out.kernel} x {out.kernel}, tanh", anchor="end", size=11),
        _box(SIDE, TOP + 2 * ROW, out.shape, PURPLE),
        _text(SIDE - 8, TOP + 2 * ROW + 18, "estimate e", anchor="end", bold=True),
    ]


def _losses(method: Gan) -> list[str]:
    weight, adversarial = float(method.settings["l1_weight"]), float(method.settings["adversarial"])
    y, middle = TOP + 4 * ROW, SIDE + BOX_WIDTH / 2
    loss = f"{weight:g} x mean of |e - r| + {adversarial:g} x fooling"
    return [
        _arrow(middle, TOP + 2 * ROW + BOX_HEIGHT, middle, y, both=True),
        _text(middle - 8, TOP + 3 * ROW + 18, "mean of |e - r| in [-1, 1]", anchor="end"),
        _box(SIDE, y, (BANDS, SIZE, SIZE), PURPLE),
        _text(SIDE - 8, y + 18, "reference r", anchor="end", bold=True),
        _text(SIDE + BOX_WIDTH, y + 2 * ROW, "the generator minimises", anchor="end", bold=True),
        _text(SIDE + BOX_WIDTH, y + 2 * ROW + 18, loss, anchor="end"),
    ]


def _discriminator(judged: list[Layer]) -> list[str]:
    """The pair at the left, then a box for each convolution."""
    y, step = TOP + 8 * ROW + 146, (SIDE - 10) / len(judged)
    parts = [_box(10, y, (3 + BANDS, SIZE, SIZE), PURPLE)]
    seen = 1
    for place, layer in enumerate(judged, start=1):
        x = 10 + place * step
        parts += [
            _arrow(x - step + BOX_WIDTH, y + BOX_HEIGHT / 2, x, y + BOX_HEIGHT / 2),
            _box(x, y, layer.shape, GREEN),
        ]
    for layer in reversed(judged):
        seen = 2 * (seen - 1) + layer.kernel
    (kernel,) = {layer.kernel for layer in judged}
    below = y + BOX_HEIGHT + 18
    words = {
        (10, "start"): ["RGB and r: real, label 1", "RGB and e: made, label 0"],
        ((SIDE + BOX_WIDTH) / 2, "middle"): [f"each: convolution {kernel} x {kernel}, stride 2,",
                                            f"leaky ReLU ({SLOPE}) but after the last"],
        (SIDE + BOX_WIDTH, "end"): [f"logits, each of a patch of {seen} x {seen};", "cross-entropy with the labels;",
                                    "fooling: that of e with label 1"],
    }  # fmt: skip
    for (x, anchor), lines in words.items():
        parts += [_text(x, below + 16 * line, text, anchor=anchor) for line, text in enumerate(lines)]
    return parts


def _count(net: nn.Module, x: float, y: float, name: str) -> str:
    count = sum(part.numel() for part in net.parameters())
    return _text(x, y, f"{name}: {count:,} parameters", anchor="start", size=14, bold=True)


def _box(x: float, y: float, shape: tuple[int, int, int], colour: str) -> str:
    channels, height, width = shape
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="4" fill="{colour}"'
        f' fill-opacity="0.18" stroke="{colour}" stroke-width="1.5"/>\n'
        + _text(x + BOX_WIDTH / 2, y + BOX_HEIGHT / 2 + 4, f"{height} x {width} x {channels}")
    )


def _arrow(x_1: float, y_1: float, x_2: float, y_2: float, *, dashed: bool = False, both: bool = False) -> str:
    extra = ' stroke-dasharray="5 4"' if dashed else ""
    extra += ' marker-start="url(#network-tip)"' if both else ""
    return (
        f'<path d="M{x_1:g} {y_1:g}L{x_2:g} {y_2:g}" fill="none" stroke="currentColor" stroke-opacity="0.6"{extra}'
        ' marker-end="url(#network-tip)"/>'
    )


def _text(x: float, y: float, words: str, *, anchor: str = "middle", size: int = 12, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    signs = words.replace(" x ", " \N{MULTIPLICATION SIGN} ")
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}"{weight}>{signs}</text>'


if __name__ == "__main__":
    TARGET.write_text(drawing(), "utf-8")
