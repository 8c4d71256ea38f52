"""The training of `pixel`: shuffled pixels, mean absolute error, one cycle of the learning rate.

Everything is in [-1, 1]: colours (n, 3) in, spectra (n, bands) out.
"""

import hashlib
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from specrec.per_pixel import Rows
from specrec.training.crops import Batch
from specrec.training.loop import Training

WARM_UP = 0.3  # share of the updates in which the rate rises
FIRST, LAST = 1.0 / 25.0, 1.0 / 25.0e4  # of the largest rate, at both ends
MOMENTUM = (0.85, 0.95)  # Adam's first beta at the largest rate, and at both ends
POINTS = 100  # of the loss curve, about


class ShuffledPixels:
    """An endless, seeded stream of pixels: each comes once before any comes again.

    Parameters
    ----------
    colours, spectra
        (n, 3) and (n, bands), float32 in [-1, 1].
    batch
        Pixels in one batch.
    seed
        Decides the order.
    device
        Where the pixels live.
    """

    def __init__(self, colours: Rows, spectra: Rows, batch: int, seed: int, device: torch.device) -> None:
        self._pixels = colours, spectra
        self._on_device = [torch.from_numpy(array).to(device) for array in self._pixels]
        self._batch = batch
        self._rng = np.random.default_rng(seed)
        self._shuffle()

    def next(self) -> Batch:
        """Draw the next batch: colours (batch, 3) and spectra (batch, bands)."""
        parts, wanted = [], self._batch
        while wanted:
            if self._place == len(self._order):
                self._shuffle()
            parts.append(self._order[self._place : self._place + wanted])
            self._place += len(parts[-1])
            wanted -= len(parts[-1])
        chosen = torch.from_numpy(np.concatenate(parts)).to(self._on_device[0].device)
        return Batch(*(pixels[chosen] for pixels in self._on_device), places=("shuffled pixels of all scenes",))

    def state(self) -> dict[str, Any]:
        """Return the generator as it was before the order under way was drawn, and the place in that order."""
        return {"rng": self._before, "place": self._place}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self._rng.bit_generator.state = state["rng"]
        self._shuffle()
        self._place = int(state["place"])

    def fingerprint(self) -> str:
        """Hash the pixels: SHA-256 in hex."""
        digest = hashlib.sha256()
        for array in self._pixels:
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def _shuffle(self) -> None:
        self._before = self._rng.bit_generator.state
        self._order = self._rng.permutation(len(self._pixels[0]))
        self._place = 0


class PixelTraining(Training):
    """Adam on the mean absolute error, with a learning rate that rises and falls once.

    Parameters
    ----------
    network
        On its device.
    steps
        Updates.
    learning_rate
        The largest.
    """

    def __init__(self, network: nn.Sequential, steps: int, learning_rate: float) -> None:
        adam = torch.optim.Adam(network.parameters(), learning_rate, fused=True)
        super().__init__({"network": network}, {"network": adam}, steps, round_length=math.ceil(steps / POINTS))
        self.network = network
        self.largest = learning_rate

    def update(self, index: int, batch: Batch) -> dict[str, Tensor]:
        """Learn from one batch."""
        rate, momentum = one_cycle(index, self.updates)
        for group in self.optimisers["network"].param_groups:
            group["lr"], group["betas"] = self.largest * rate, (momentum, 0.999)
        loss = nn.functional.l1_loss(self.network(batch.rgb), batch.cube)
        self.descend("network", loss)
        return {"l1": loss.detach()}


def one_cycle(index: int, updates: int) -> tuple[float, float]:
    """Learning rate, as a share of the largest, and momentum of update `index`, which starts from 0.

    Both follow half a cosine to the end of the warm-up and another to the last update.

    References
    ----------
    Smith and Topin 2019, Super-convergence, doi:10.1117/12.2520589.

    Examples
    --------
    >>> [round(rate, 4) for rate, _ in (one_cycle(index, 1000) for index in (0, 299, 999))]
    [0.04, 1.0, 0.0]
    """
    top = WARM_UP * updates - 1.0
    low, high = MOMENTUM
    if index <= top:
        rising = 0.5 - 0.5 * math.cos(math.pi * index / top) if top > 0.0 else 1.0
        return FIRST + (1.0 - FIRST) * rising, high + (low - high) * rising
    falling = 0.5 - 0.5 * math.cos(math.pi * (index - top) / (updates - 1.0 - top))
    return 1.0 + (LAST - 1.0) * falling, low + (high - low) * falling
