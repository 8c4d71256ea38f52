"""Training scenes held whole on a GPU, from which a batch of crops is gathered at once.

Taken one by one, as `specrec.training.prepared.fill` takes them, crops cost a dozen launches each: more than an update
of a small network. Here a batch costs some twenty, however many crops it has.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from specrec.training.prepared import Crop, PreparedScene

RESIDENT_SHARE = 0.6  # of the free memory of a GPU that the training scenes may take


def fits(scenes: Sequence[PreparedScene], device: torch.device) -> bool:
    """Tell whether the scenes may live on a device: a GPU with room for them, and all are stored alike."""
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    alike = len({(scene.cube.dtype, scene.rgb.dtype) for scene in scenes}) == 1
    return alike and sum(scene.bytes for scene in scenes) <= RESIDENT_SHARE * free


class Resident:
    """Prepared scenes, one behind the other.

    Parameters
    ----------
    scenes
        All stored alike.
    device
        Where they are copied to.
    """

    def __init__(self, scenes: Sequence[PreparedScene], device: torch.device) -> None:
        sizes = [scene.size[0] * scene.size[1] for scene in scenes]
        # scenes of one content have one fingerprint
        self._numbers = {scene.fingerprint: number for number, scene in enumerate(scenes)}
        self._begins = [sum(sizes[:number]) for number in range(len(sizes))]
        self._cube = _joined([_signed(scene.cube).flatten(0, 1) for scene in scenes], device)
        self._coded = scenes[0].cube.dtype == torch.uint16
        self._rgb = _joined([scene.rgb.flatten(0, 1) for scene in scenes], device)
        masks = [scene.mask for scene in scenes]
        self._valid = None
        if any(mask is not None for mask in masks):
            full = [torch.ones(scene.size, dtype=torch.bool) if scene.mask is None else scene.mask for scene in scenes]
            self._valid = _joined([mask.flatten() for mask in full], device)
        self._scales = torch.stack([scene.scale for scene in scenes]).to(device)
        self._half_level = torch.full((), 255.0 / 2.0, device=device)  # a GPU divides by a plain number less exactly

    def fill(self, crops: Sequence[Crop], rgb: Tensor, cube: Tensor) -> None:
        """Write crops, in [-1, 1]: the numbers of `specrec.training.prepared.fill`, to the last bit."""
        _, height, width, bands = cube.shape
        device = self._cube.device
        plan = torch.tensor([self._plan(crop) for crop in crops], pin_memory=device.type == "cuda")
        numbers, first, down, right = plan.to(device, non_blocking=True).T[..., None]
        rows = first + down * torch.arange(height, device=device)
        columns = right * torch.arange(width, device=device)
        places = (rows[:, :, None] + columns[:, None, :]).flatten()
        codes = self._cube.index_select(0, places)
        cube.view(-1, bands).copy_(codes.int().bitwise_and_(0xFFFF) if self._coded else codes)
        full_scale, low, half_width = self._scales.index_select(0, numbers[:, 0]).T[..., None, None, None]
        cube.div_(full_scale).sub_(low).div_(half_width).sub_(1.0)
        rgb.view(-1, 3).copy_(self._rgb.index_select(0, places))
        if self._rgb.dtype == torch.uint8:
            rgb.div_(self._half_level)
        else:
            rgb.mul_(2.0)
        rgb.sub_(1.0)
        if self._valid is not None:
            invalid = ~self._valid.index_select(0, places)
            cube.view(-1, bands).masked_fill_(invalid[:, None], -1.0)

    def _plan(self, crop: Crop) -> tuple[int, int, int, int]:
        """Number of the scene, place of the crop's first pixel, and what a step down and a step to the right add."""
        number = self._numbers[crop.scene.fingerprint]
        across, window = crop.scene.size[1], crop.window
        left = window.left + window.width - 1 if crop.flipped else window.left
        return number, self._begins[number] + window.top * across + left, across, -1 if crop.flipped else 1


def _joined(parts: Sequence[Tensor], device: torch.device) -> Tensor:
    """Put parts one behind the other on a device, without a second copy of them all."""
    whole = torch.empty(sum(len(part) for part in parts), *parts[0].shape[1:], dtype=parts[0].dtype, device=device)
    begin = 0
    for part in parts:
        whole[begin : begin + len(part)].copy_(part)
        begin += len(part)
    return whole


def _signed(codes: Tensor) -> Tensor:
    return codes.view(torch.int16) if codes.dtype == torch.uint16 else codes  # torch gathers no unsigned shorts
