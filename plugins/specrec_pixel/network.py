"""The network of `pixel`: a few fully connected layers, seeing one colour at a time, in [-1, 1]."""

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

LEAK = 0.2
"""Slope of the leaky ReLU below zero."""


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


def _linears(network: nn.Sequential) -> list[nn.Linear]:
    return [layer for layer in network if isinstance(layer, nn.Linear)]
