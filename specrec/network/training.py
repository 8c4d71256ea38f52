"""The training of a network by one loss and one optimiser, on `specrec.training.loop`."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from specrec.errors import SpecrecError
from specrec.network.inference import check_estimate
from specrec.training.crops import Batch
from specrec.training.loop import Training

if TYPE_CHECKING:
    from specrec.network.reconstructor import NetworkReconstructor

FLOOR = 0.02  # of the learning rate at the end of a cosine decay
POINTS = 100  # of the loss curve, about


class NetworkTraining(Training):
    """One network, its optimiser, and steps down its loss.

    Parameters
    ----------
    method
        Whose loss, optimiser and settings these are.
    network
        On its device, in training mode.

    Raises
    ------
    SpecrecError
        If the network has nothing to learn.
    """

    def __init__(self, method: "NetworkReconstructor", network: nn.Module) -> None:
        if not any(part.requires_grad for part in network.parameters()):
            raise SpecrecError(f"{method.name}: its network has no weights to learn")
        optimiser = method.optimiser(network)
        steps = int(method.settings["steps"])
        super().__init__({"network": network}, {"network": optimiser}, steps, round_length=math.ceil(steps / POINTS))
        self.method = method
        self.network = network
        self.decays = method.settings["decay"] == "cosine"
        self.short = method.settings["precision"] == "bf16"
        self.rates = [float(group["lr"]) for group in optimiser.param_groups]

    def schedule(self, index: int) -> None:
        """Set the learning rate of every group of the optimiser."""
        if not self.decays:
            return
        share = FLOOR + (1.0 - FLOOR) * 0.5 * (1.0 + math.cos(math.pi * index / self.updates))
        for group, rate in zip(self.optimisers["network"].param_groups, self.rates, strict=True):
            group["lr"] = rate * share

    def update(self, index: int, batch: Batch) -> dict[str, Tensor]:  # noqa: ARG002 - all updates are alike
        """Learn from one batch; weights, loss and moments are float32 whatever the products are."""
        rgb, cube = batch.rgb, batch.cube
        if not self.method.channels_last:
            rgb, cube = rgb.contiguous(), cube.contiguous()
        with torch.autocast(rgb.device.type, torch.bfloat16, enabled=self.short):
            estimate = self.network(rgb)
        check_estimate(self.method.name, estimate, tuple(rgb.shape), tuple(cube.shape))
        loss = self.method.loss(estimate.float(), cube)
        self._check_loss(loss)
        self.descend("network", loss)
        return {"loss": loss.detach()}

    def _check_loss(self, loss: object) -> None:
        if isinstance(loss, Tensor) and not loss.ndim and loss.requires_grad:
            return
        found = type(loss).__name__
        if isinstance(loss, Tensor):
            found = f"one of shape {tuple(loss.shape)}" if loss.ndim else "one that no weight moves"
        raise SpecrecError(f"{self.method.name}: loss must return a tensor of shape (), a single number, not {found}")
