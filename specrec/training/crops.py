"""Random crops of training scenes as batches for a network, in [-1, 1].

Scenes that fit into memory together are rendered once and kept; of larger sets only the window of each crop is read.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from specrec.errors import UsageError
from specrec.scenes import TrainingScene, Window

Batch = tuple[torch.Tensor, torch.Tensor]
"""RGB (n, 3, size, size) and cube (n, bands, size, size), float32 in [-1, 1], channels last in memory."""

KEPT_BYTES = 4 << 30  # scenes are kept in memory up to this size together


class Crops:
    """An endless, seeded stream of crops: every scene gives one crop per epoch, in a new order each time.

    Parameters
    ----------
    scenes
        Training scenes.
    size
        Side of the square crop, pixels.
    flips
        Mirror every other crop, left to right.
    device
        Where scenes kept in memory live and where batches arrive.

    Raises
    ------
    UsageError
        If a scene is smaller than the crop.
    """

    def __init__(self, scenes: Sequence[TrainingScene], size: int, *, flips: bool, device: torch.device) -> None:
        for scene in scenes:
            if min(scene.shape[:2]) < size:
                height, width = scene.shape[:2]
                raise UsageError(f"scene {scene.name} is {height} x {width}, smaller than a crop of {size}; set crop")
        self._scenes = scenes
        self._size = size
        self._flips = flips
        self._device = device
        needed = sum(4 * int(np.prod(scene.shape)) for scene in scenes)
        self._kept = [self._load(scene, None) for scene in scenes] if needed <= KEPT_BYTES else None

    def batches(self, count: int, rng: np.random.Generator) -> Iterator[Batch]:
        """Yield batches of `count` crops for ever, drawn by `rng` alone."""
        order: list[int] = []
        while True:
            crops = []
            for _ in range(count):
                if not order:
                    order = rng.permutation(len(self._scenes)).tolist()
                crops.append(self._crop(order.pop(), rng))
            rgb, cube = (torch.stack(parts).permute(0, 3, 1, 2) for parts in zip(*crops, strict=True))
            yield rgb, cube

    def median_spectrum(self) -> torch.Tensor:
        """Median of each band over the valid pixels of a coarse grid of every scene, in [0, 1]: (bands,)."""
        columns = []
        for index, scene in enumerate(self._scenes):
            cube = self._load(scene, None)[1] if self._kept is None else self._kept[index][1]
            columns.append(cube[::8, ::8][torch.from_numpy(scene.mask[::8, ::8].copy()).to(cube.device)])
        return (torch.cat(columns).median(dim=0).values + 1.0) / 2.0

    def _crop(self, index: int, rng: np.random.Generator) -> Batch:
        scene, size = self._scenes[index], self._size
        top = int(rng.integers(scene.shape[0] - size + 1))
        left = int(rng.integers(scene.shape[1] - size + 1))
        window = Window(top, left, size, size)
        if self._kept is None:
            rgb, cube = self._load(scene, window)
        else:
            rgb, cube = (part[window.slices] for part in self._kept[index])
        if self._flips and rng.random() < 0.5:
            rgb, cube = rgb.flip(1), cube.flip(1)
        return rgb, cube

    def _load(self, scene: TrainingScene, window: Window | None) -> Batch:
        cube = scene.cube(window)
        both = (torch.from_numpy(2.0 * part - 1.0).to(self._device) for part in (scene.rgb_of(cube), cube))
        rgb, spectra = both
        return rgb, spectra
