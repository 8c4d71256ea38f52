"""Training scenes prepared for random crops: mapped into memory from the cache folder, made once.

A crop of a scene as its data set stores it costs reading the scene, or most of it; a crop of a prepared one touches
only its own pixels. Values are kept as 16-bit codes where these give back the source's values exactly, else as float32;
bands last, as networks in torch's channels-last layout take them, so that a row of a crop is one piece of memory.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray

from specrec.cache import CROPS, cache_folder, cannot_write, check_room, written_whole
from specrec.errors import SpecrecError
from specrec.interfaces import Progress
from specrec.rendering import rendering_id
from specrec.scenes import TrainingScene, Window, content_hash
from specrec.spectra import Cube
from specrec.stored_arrays import stored_array, write_array
from specrec.untrusted import read_json

FORMAT_VERSION = 1
_FULL_SCALES = (1, 255, 4095, 65535)  # counts themselves, and what cameras and 8 or 16-bit files divide them by
_LARGEST_CODE = 65535
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreparedScene:
    """One scene, ready for crops.

    Parameters
    ----------
    name
        Of the scene.
    fingerprint
        Hash of everything that decides its numbers.
    cube
        (height, width, bands), uint16 codes or float32.
    scale
        (3,) float32. What a network sees of a value of `cube` is ``(value / scale[0] - scale[1]) / scale[2] - 1``.
    rgb
        (height, width, 3), uint8 levels, or float32 where the method's input has none.
    mask
        Valid pixels, (height, width) bool; None: all are valid.
    """

    name: str
    fingerprint: str
    cube: torch.Tensor = field(repr=False)
    scale: torch.Tensor = field(repr=False)
    rgb: torch.Tensor = field(repr=False)
    mask: torch.Tensor | None = field(repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.cube.shape[0], self.cube.shape[1]

    @property
    def bytes(self) -> int:
        """What it takes up, in memory or on a device."""
        parts = (self.cube, self.rgb, *(() if self.mask is None else (self.mask,)))
        return sum(part.numel() * part.element_size() for part in parts)


class Crop(NamedTuple):
    """One crop that is wanted."""

    scene: PreparedScene
    window: Window
    flipped: bool = False
    """Left to right."""


def fill(crops: Sequence[Crop], rgb: torch.Tensor, cube: torch.Tensor) -> None:
    """Write crops, in [-1, 1].

    The numbers are those of ``2 * scene.rgb(window) - 1`` and ``2 * scene.cube(window) - 1``, to the last bit.

    Parameters
    ----------
    crops
        All of one size.
    rgb, cube
        (n, height, width, 3) and (n, height, width, bands) float32, on the CPU.
    """
    for row, (scene, window, flipped) in enumerate(crops):
        for source, target in ((scene.rgb, rgb[row]), (scene.cube, cube[row])):
            part = source[window.slices]
            target.copy_(_mirrored(part) if flipped else part)
        if scene.rgb.dtype == torch.uint8:
            rgb[row].div_(255.0 / 2.0)  # halving a divisor doubles the quotient, exactly
        else:
            rgb[row].mul_(2.0)
    full_scale, low, half_width = torch.stack([crop.scene.scale for crop in crops]).T[..., None, None, None]
    cube.div_(full_scale).sub_(low).div_(half_width).sub_(1.0)
    rgb.sub_(1.0)
    for row, (scene, window, flipped) in enumerate(crops):
        if scene.mask is None:
            continue
        valid = scene.mask[window.slices]
        if not valid.all():
            invalid = ~(_mirrored(valid) if flipped else valid)
            cube[row].masked_fill_(invalid[..., None], -1.0)


def _mirrored(part: torch.Tensor) -> torch.Tensor:
    if part.dtype == torch.uint16:  # which torch can copy and convert, and hardly anything else
        return part.view(torch.int16).flip(1).view(torch.uint16)
    return part.flip(1)


def prepare(scenes: Sequence[TrainingScene], progress: Progress) -> list[PreparedScene]:
    """Prepare scenes for crops, or find them prepared in the cache folder.

    Parameters
    ----------
    scenes
        Each is read once; not at all where a survey knows its content and it is there already.
    progress
        Is told, at fraction 0, which scene is prepared, how much room that takes and how much there is.

    Raises
    ------
    SpecrecError
        If the disk has too little room, before anything is written.
    """
    prints = [fingerprint(scene) for scene in scenes]
    pairs = list(zip(scenes, prints, strict=True))
    missing = [pair for pair in pairs if _find(*pair) is None]
    words = _check_room([scene for scene, _ in missing]) if missing else ""
    for done, (scene, print_) in enumerate(missing):
        progress(0.0, f"preparing crops: scene {done + 1} of {len(missing)}, {words}")
        folder = cache_folder() / CROPS / print_
        with _locked(folder):  # let go by the death of its owner; who waited finds the scene made
            if _find(scene, print_) is None:
                for left in folder.glob(".*"):  # what a process that was killed had begun to write
                    left.unlink(missing_ok=True)
                _make(scene, folder)
    found = [_find(*pair) for pair in pairs]
    gone = [scene.name for scene, one in zip(scenes, found, strict=True) if one is None]
    if gone:
        raise SpecrecError(f"the prepared scene {gone[0]} is gone from {cache_folder() / CROPS}; start again")
    return [one for one in found if one is not None]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / "lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise cannot_write(folder, error, into=True) from error
    try:
        yield
    finally:
        lock.release()


def fingerprint(scene: TrainingScene) -> str:
    """Hash what decides the numbers of a prepared scene; reads the cube where no survey has.

    Two scenes of one content, seen alike, have one fingerprint, whatever they are called.
    """
    low, width = scene.scale
    content = scene.scene.content or content_hash(scene.scene.cube(), scene.mask)
    rendering = rendering_id(scene.quantisation), scene.input, scene.wavelengths.tolist()
    seen = [content, list(scene.shape), float(low), float(width), scene.scaling, *rendering]
    return hashlib.sha256(json.dumps([FORMAT_VERSION, *seen]).encode()).hexdigest()[:32]


def exact_codes(values: Cube) -> tuple[NDArray[np.uint16], int] | None:
    """Find whole numbers up to 65535 that, divided by 1, 255, 4095 or 65535, are exactly these values.

    Examples
    --------
    >>> codes, full_scale = exact_codes(np.float32([[[0.0, 0.2]]]))
    >>> codes.tolist(), full_scale
    ([[[0, 51]]], 255)
    >>> exact_codes(np.float32([[[0.0, 1 / 3000]]])) is None
    True
    """
    sample = np.ascontiguousarray(values.reshape(-1)[:: max(1, values.size // 4096)])
    for full_scale in _FULL_SCALES:
        if _coded(sample, full_scale) is not None and (codes := _coded(values, full_scale)) is not None:
            return codes, full_scale
    return None


def _coded(values: NDArray[np.float32], full_scale: int) -> NDArray[np.uint16] | None:
    scaled = np.rint(values * np.float32(full_scale))
    if not (scaled.min() >= 0 and scaled.max() <= _LARGEST_CODE):
        return None
    codes = scaled.astype(np.uint16)
    same = np.array_equal(np.divide(codes, np.float32(full_scale), dtype=np.float32), values)
    return codes if same else None


def room_to_prepare(scenes: Sequence[TrainingScene]) -> int:
    """Count the bytes that preparing scenes will take, without those that are there."""
    missing = [scene for scene in scenes if _find(scene, fingerprint(scene)) is None]
    return _room(missing) if missing else 0


def _room(missing: Sequence[TrainingScene]) -> int:
    """Judge the room by a corner of the first scene."""
    first = missing[0]
    corner = Window(0, 0, *(min(side, 64) for side in first.shape[:2]))
    itemsize = 4 if exact_codes(first.scene.cube(corner)) is None else 2
    colours = 3 if first.input == "srgb8" and first.quantisation != "none" else 12  # bytes of the RGB
    pixels = sum(scene.shape[0] * scene.shape[1] for scene in missing)
    return pixels * (itemsize * first.shape[2] + colours + 1)


def _check_room(missing: Sequence[TrainingScene]) -> str:
    """Compare the room that is needed with what is free; say both."""
    folder, needed = cache_folder() / CROPS, _room(missing)
    what, way_out = f"the crops of {len(missing)} scenes", "set SPECREC_CACHE to another folder"
    free = check_room(folder, needed, what, way_out)
    words = f"{needed / 1e9:.2f} GB of {free / 1e9:.2f} GB free in {folder}"
    _log.info("%s will take %s", what, words)
    return words


def _make(scene: TrainingScene, folder: Path) -> None:
    values = scene.scene.cube()
    coded = exact_codes(values)
    codes, full_scale = (values, 1) if coded is None else coded
    rgb = scene.rgb_of(scene.scaled(values, scene.mask))
    levels = np.rint(rgb * np.float32(255.0))
    if np.array_equal(levels / np.float32(255.0), rgb):
        rgb = levels.astype(np.uint8)
    for name, array in {"cube": codes, "rgb": rgb, "mask": scene.mask}.items():
        write_array(folder / f"{name}.npy", array)
    all_valid = bool(scene.mask.all())
    facts = {"cube": str(codes.dtype), "rgb": str(rgb.dtype), "full_scale": full_scale, "all_valid": all_valid}
    with written_whole(folder / "facts.json") as temporary:  # the last: with it the scene counts as prepared
        temporary.write_text(json.dumps({"scene": scene.name, **facts}), "utf-8")


def _find(scene: TrainingScene, print_: str) -> PreparedScene | None:
    """Map a prepared scene into memory; None if it is not there, not whole, or of another shape."""
    folder = cache_folder() / CROPS / print_
    try:
        facts: dict[str, Any] = read_json(folder / "facts.json")
        kinds = {"cube": np.dtype(facts["cube"]), "rgb": np.dtype(facts["rgb"]), "mask": np.dtype(np.bool_)}
        full_scale, all_valid = float(facts["full_scale"]), bool(facts["all_valid"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    size = scene.shape[:2]
    shapes = {"cube": scene.shape, "rgb": (*size, 3), "mask": size}
    # torch wants arrays that can be written to; what is written to these reaches no file
    arrays = {name: stored_array(folder / f"{name}.npy", shapes[name], kind, "c") for name, kind in kinds.items()}
    if any(array is None for array in arrays.values()):
        return None
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    low, spread = scene.scale
    scale = torch.tensor([full_scale, float(low), float(spread) / 2.0])
    mask = None if all_valid else tensors["mask"]
    return PreparedScene(scene.name, print_, tensors["cube"], scale, tensors["rgb"], mask)
