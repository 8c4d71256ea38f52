"""The network of `pixel` and its training: a few fully connected layers, seeing one colour at a time.

Everything is in [-1, 1]: colours (n, 3) in, spectra (n, bands) out.
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn

from specrec.errors import SpecrecError
from specrec.interfaces import FitContext
from specrec.training.session import session

LEAK = 0.2
"""Slope of the leaky ReLU below zero."""

_FUSED_ADAM = {"cpu", "cuda", "mps"}
_POINTS = 100  # of the loss curve
_STEPS_PER_WORD = 50  # between two calls of progress


def build(hidden: Sequence[int], bands: int, generator: torch.Generator | None = None) -> nn.Sequential:
    """Build the network: linear layers, leaky ReLU between them, tanh at the end.

    Parameters
    ----------
    hidden
        Widths of the hidden layers.
    bands
        Width of the last.
    generator
        Draws the weights, Glorot uniform, on the CPU; biases are zero. None leaves them for `load`.
    """
    layers: list[nn.Module] = []
    sizes = [3, *hidden, bands]
    for before, after in itertools.pairwise(sizes):
        linear = nn.utils.skip_init(nn.Linear, before, after)  # nn.Linear draws from the global generator
        if generator is not None:
            nn.init.xavier_uniform_(linear.weight, generator=generator)
            nn.init.zeros_(linear.bias)
        layers += [linear, nn.LeakyReLU(LEAK)]
    return nn.Sequential(*layers[:-1], nn.Tanh())


def save(network: nn.Sequential) -> dict[str, np.ndarray]:
    """Return weights (out, in) and biases (out,) of every layer, float32: ``layer0.weight``, ``layer0.bias``, .."""
    arrays = {}
    for index, linear in enumerate(_linears(network)):
        arrays[f"layer{index}.weight"] = linear.weight.detach().cpu().numpy().copy()
        arrays[f"layer{index}.bias"] = linear.bias.detach().cpu().numpy().copy()
    return arrays


def load(hidden: Sequence[int], arrays: dict[str, np.ndarray]) -> nn.Sequential:
    """Build the network with the arrays that `save` gave; raise ValueError if they do not fit `hidden`."""
    last = arrays.get(f"layer{len(hidden)}.bias")
    if last is None or last.ndim != 1:
        raise ValueError(f"a network with {len(hidden)} hidden layers has the array layer{len(hidden)}.bias")
    network = build(hidden, len(last))
    wanted = {
        f"layer{index}.{kind}": parameter
        for index, linear in enumerate(_linears(network))
        for kind, parameter in linear.named_parameters()
    }
    if set(arrays) != set(wanted):
        raise ValueError(f"the network has the arrays {', '.join(wanted)}, this file {', '.join(sorted(arrays))}")
    for name, parameter in wanted.items():
        array = arrays[name]
        if array.shape != tuple(parameter.shape) or not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite and of shape {tuple(parameter.shape)}, this one has {array.shape}")
        parameter.data.copy_(torch.from_numpy(np.array(array, dtype=np.float32)))
    return network.eval()


def train(
    colours: np.ndarray,
    spectra: np.ndarray,
    hidden: Sequence[int],
    context: FitContext,
    *,
    steps: int,
    batch: int,
    learning_rate: float,
) -> tuple[nn.Sequential, list[dict[str, float]]]:
    """Train a new network by the mean absolute error on shuffled pixels.

    Adam with a one-cycle learning rate (Smith and Topin 2019, doi:10.1117/12.2520589), the same on every device. The
    weights and the order of the pixels follow from the seed; the bits also from the device and the number of threads.

    Parameters
    ----------
    colours, spectra
        (n, 3) and (n, bands), float32 in [-1, 1].
    hidden
        Widths of the hidden layers.
    context
        Seed, device, threads, progress.
    steps, batch, learning_rate
        Updates, pixels in each, and the largest learning rate.

    Returns
    -------
    The network, and about a hundred points of the loss curve: the mean of ``l1`` since the last point, in [-1, 1].

    Raises
    ------
    SpecrecError
        If the loss is no longer a number; the message names the step.
    """
    history: list[dict[str, float]] = []
    order = shuffled(len(colours), batch, np.random.default_rng(context.seed))
    with session(context) as device:
        network = build(hidden, spectra.shape[1], torch.Generator().manual_seed(context.seed)).to(device)
        inputs, targets = (torch.from_numpy(array).to(device) for array in (colours, spectra))
        optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate, fused=device.type in _FUSED_ADAM)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=steps)
        losses: list[float] = []
        for step in range(1, steps + 1):
            chosen = torch.from_numpy(next(order)).to(device)
            loss = nn.functional.l1_loss(network(inputs[chosen]), targets[chosen])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
            if not np.isfinite(losses[-1]):
                raise SpecrecError(f"pixel: the loss is no number at step {step}; train with a smaller learning_rate")
            if step % _STEPS_PER_WORD == 0 or step == steps:
                context.progress(step / steps, f"l1 {losses[-1]:.4f}")
            if step * _POINTS // steps > (step - 1) * _POINTS // steps:
                history.append({"step": step, "l1": float(np.mean(losses))})
                losses.clear()
    return network.eval(), history


def shuffled(count: int, batch: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield for ever `batch` of `count` positions, each once before any comes again."""
    waiting = rng.permutation(count)
    while True:
        while len(waiting) < batch:
            waiting = np.concatenate([waiting, rng.permutation(count)])
        yield waiting[:batch]
        waiting = waiting[batch:]


def _linears(network: nn.Sequential) -> list[nn.Linear]:
    return [layer for layer in network if isinstance(layer, nn.Linear)]
