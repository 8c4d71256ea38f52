"""Random crops of training scenes as batches for a network, in [-1, 1]: a stream that can be left and taken up."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from specrec.errors import UsageError
from specrec.interfaces import Progress, silent
from specrec.scenes import TrainingScene, Window
from specrec.training.prepared import Crop, fill, prepare
from specrec.training.resident import Resident, fits


class Batch(NamedTuple):
    """What a network is taught with at one step."""

    rgb: torch.Tensor
    """(n, 3, size, size) float32 in [-1, 1], channels last in memory; (n, 3) where single pixels teach."""
    cube: torch.Tensor
    """(n, bands, size, size), likewise; or (n, bands)."""
    places: tuple[str, ...] = ()
    """Where each crop comes from, in words."""


class Crops:
    """An endless, seeded stream of crops: every scene gives one crop per epoch, in a new order each time.

    On a GPU the scenes live on the device where they fit; else each crop is read from the prepared files.

    Parameters
    ----------
    scenes
        Training scenes; they are prepared first (`specrec.training.prepared`).
    size
        Side of the square crop, pixels.
    batch
        Crops in one batch.
    seed
        Decides every crop.
    flips
        Mirror every other crop, left to right.
    device
        Where batches arrive.
    progress
        Is told of the preparation.

    Raises
    ------
    UsageError
        If a scene is smaller than the crop.
    SpecrecError
        If there is no room for the prepared scenes.
    """

    def __init__(
        self,
        scenes: Sequence[TrainingScene],
        size: int,
        batch: int = 1,
        *,
        seed: int = 0,
        flips: bool = False,
        device: torch.device | str = "cpu",
        progress: Progress = silent,
    ) -> None:
        for scene in scenes:
            if min(scene.shape[:2]) < size:
                height, width = scene.shape[:2]
                raise UsageError(f"scene {scene.name} is {height} x {width}, smaller than a crop of {size}; set crop")
        self._size = size
        self._batch = batch
        self._flips = flips
        self._device = torch.device(device)
        self._bands = scenes[0].shape[2]
        self._scenes = prepare(scenes, progress)
        self.fingerprints = [scene.fingerprint for scene in self._scenes]
        resident = fits(self._scenes, self._device)
        self._home = self._device if resident else torch.device("cpu")
        self._fill = Resident(self._scenes, self._device).fill if resident else fill
        self._rng = np.random.default_rng(seed)
        self._order: list[int] = []

    def next(self) -> Batch:
        """Draw the next batch."""
        sides = (self._size, self._size)
        pinned = self._home != self._device and self._device.type == "cuda"
        rgb = torch.empty((self._batch, *sides, 3), device=self._home, pin_memory=pinned)
        cube = torch.empty((self._batch, *sides, self._bands), device=self._home, pin_memory=pinned)
        crops = [self._draw() for _ in range(self._batch)]
        self._fill(crops, rgb, cube)
        places = tuple(f"scene {one.name}, crop at row {window.top}, column {window.left}" for one, window, _ in crops)
        rgb, cube = (part.to(self._device, non_blocking=pinned) for part in (rgb, cube))
        return Batch(rgb.permute(0, 3, 1, 2), cube.permute(0, 3, 1, 2), places)

    def state(self) -> dict[str, Any]:
        """Return where the stream stands, in plain JSON values."""
        return {"rng": self._rng.bit_generator.state, "order": list(self._order)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self._rng.bit_generator.state = state["rng"]
        self._order = list(state["order"])

    def median_spectrum(self) -> torch.Tensor:
        """Median of each band over the valid pixels of a coarse grid of every scene, in [0, 1]: (bands,)."""
        columns = []
        for scene in self._scenes:
            height, width = scene.size
            rgb, cube = (torch.empty((1, height, width, bands), device=self._home) for bands in (3, self._bands))
            self._fill([Crop(scene, Window(0, 0, height, width))], rgb, cube)
            coarse = cube[0, ::8, ::8].cpu()
            columns.append(coarse[scene.mask[::8, ::8]] if scene.mask is not None else coarse.flatten(0, 1))
        return (torch.cat(columns).median(dim=0).values + 1.0) / 2.0

    def _draw(self) -> Crop:
        if not self._order:
            self._order = self._rng.permutation(len(self._scenes)).tolist()
        scene = self._scenes[self._order.pop()]
        top, left = (int(self._rng.integers(side - self._size + 1)) for side in scene.size)
        flipped = self._flips and bool(self._rng.random() < 0.5)
        return Crop(scene, Window(top, left, self._size, self._size), flipped)
