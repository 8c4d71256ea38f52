"""The scenes of a page: cubes of one scene at the same pixels, their pictures and error maps, packed to fit a size."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.cells.looks import step_for
from specrec.errors import SpecrecError, UsageError
from specrec.report.colours import brightness, picture
from specrec.report.error_maps import MAPPED, error_maps
from specrec.report.packing import pack_bytes, pack_cube, pack_map
from specrec.report.page import PAGE_BYTES
from specrec.scenes import Mask
from specrec.spectra import Cube

LARGEST_SIDE = 1024
"""More pixels than this along a side no screen shows at once."""

_BYTES_PER_VALUE = 1.2  # of a packed cube, measured on synthetic scenes; only the first guess depends on it
_BYTES_PER_PIXEL = 13.0  # of the picture and five maps
_LEAST_SIDE = 8
_SCALE_PERCENTILE = 99.0


@dataclass(frozen=True)
class Shown:
    """One cube of a scene.

    Parameters
    ----------
    name
        As the page calls it.
    style
        Which colour and dash its line has; -1 is that of a reference.
    wavelengths
        nm.
    read
        Gives every n-th row and column of the whole cube, for a multiple of the scene's `finest`.
    valid
        Gives the valid pixels among them.
    title
        What the page says of it in more words.
    """

    name: str
    style: int
    wavelengths: NDArray[np.float64]
    read: Callable[[int], Cube] = field(repr=False)
    valid: Callable[[int], Mask] = field(repr=False)
    title: str = ""


@dataclass(frozen=True)
class SceneToShow:
    """Cubes of one scene, all of one size.

    Parameters
    ----------
    name
        Of the scene.
    shape
        (height, width) of the whole cubes.
    cubes
        A reference, where there is one, is the first and has style -1.
    quantity, units
        Of the values.
    finest
        Only every so many-th pixel can be read.
    scored
        Gives the pixels whose errors count; None: every valid one.
    scale_to_white
        Whether the picture may be brightened; a bench's cubes are on the scale 0..1 and never are.
    note
        What a reader should know.
    """

    name: str
    shape: tuple[int, int]
    cubes: Sequence[Shown]
    quantity: str
    units: str = ""
    finest: int = 1
    scored: Callable[[int], Mask] | None = field(default=None, repr=False)
    scale_to_white: bool = False
    note: str = ""


def pack_scenes(scenes: Sequence[SceneToShow], room: int, missing: list[str] | None = None) -> list[dict[str, Any]]:
    """Pack scenes into `room` bytes of JSON: as many pixels of each as fit, every n-th row and column.

    Parameters
    ----------
    scenes
        In the order in which they are shown; the last ones are left out first.
    room
        In bytes; may be less than nothing.
    missing
        Takes up what is left out, and why; None: nothing may be.

    Returns
    -------
    Plain values, for the page's script. One scene after the other is in memory, and its values are read again where
    the first guess was too large.

    Raises
    ------
    UsageError
        If `missing` is None and the scenes do not fit.
    SpecrecError
        If `missing` is None and a cube cannot be read.
    """
    area = sum(_bytes_at_full_size(scene) for scene in scenes) or 1.0
    side = min(LARGEST_SIDE, max(_LEAST_SIDE, int(math.sqrt(max(room, 0) / area))))
    while True:
        scenes, packed = _readable(scenes, side, missing)
        sizes = [len(json.dumps(scene)) for scene in packed]
        if sum(sizes) <= max(room, 0):
            return _refined(scenes, packed, room - sum(sizes))
        if side <= _LEAST_SIDE:
            break
        side = max(_LEAST_SIDE, int(side * min(0.95, 0.98 * math.sqrt(max(room, 0) / sum(sizes)))))
    if missing is None:
        raise UsageError(f"these cubes do not fit into a page of {PAGE_BYTES // 10**6} MB; look at fewer at a time")
    fitting = int(np.count_nonzero(np.cumsum(sizes) <= room))
    missing += [f"{scene.name}: the page has no room left for it" for scene in scenes[fitting:]]
    return packed[:fitting]


def _readable(
    scenes: Sequence[SceneToShow], side: int, missing: list[str] | None
) -> tuple[list[SceneToShow], list[dict[str, Any]]]:
    """Pack the scenes that can be read."""
    kept, packed = [], []
    for scene in scenes:
        try:
            packed.append(pack_scene(scene, _step(scene, side)))
        except SpecrecError as error:
            if missing is None:
                raise
            missing.append(f"{scene.name}: {error}")
        else:
            kept.append(scene)
    return kept, packed


def _refined(scenes: Sequence[SceneToShow], packed: list[dict[str, Any]], left: int) -> list[dict[str, Any]]:
    """Give one scene after the other the next finer step, while that fits into what is left."""
    for index, scene in enumerate(scenes):
        step = packed[index]["step"]
        before, finer = len(json.dumps(packed[index])), step - scene.finest
        if finer < 1 or max(scene.shape) > finer * LARGEST_SIDE or before * ((step / finer) ** 2 - 1.0) > left:
            continue
        again = pack_scene(scene, finer)
        more = len(json.dumps(again)) - before
        if more <= left:
            packed[index], left = again, left - more
    return packed


def _bytes_at_full_size(scene: SceneToShow) -> float:
    """Count the bytes that a scene takes, over the square of its longer side in kept pixels."""
    values = sum(len(cube.wavelengths) * _BYTES_PER_VALUE + _BYTES_PER_PIXEL for cube in scene.cubes)
    return values * min(scene.shape) / max(scene.shape)


def _step(scene: SceneToShow, side: int) -> int:
    wanted = step_for(*scene.shape, side)
    return scene.finest * -(-wanted // scene.finest)


def pack_scene(scene: SceneToShow, step: int) -> dict[str, Any]:
    """Pack one scene at every `step`-th row and column."""
    values = [cube.read(step) for cube in scene.cubes]
    finite = [np.isfinite(cube).all(axis=2) for cube in values]
    valid = [shown.valid(step) & known for shown, known in zip(scene.cubes, finite, strict=True)]
    grids = [shown.wavelengths for shown in scene.cubes]
    gain = brightness(list(zip(values, valid, grids, strict=True))) if scene.scale_to_white else 1.0
    packed = []
    maps: list[dict[str, NDArray[np.float64]]] = []
    scaled = gain == 1.0  # else the values are no fractions of white, and 255 of them is no white either
    for index, shown in enumerate(scene.cubes):
        image, how = picture(values[index], valid[index], shown.wavelengths, gain)
        maps.append(_maps(scene, index, values, valid, gain, step))
        if not scaled and "rmse" in maps[-1]:
            maps[-1]["rmse"] /= 255.0
        packed.append(
            {
                "name": shown.name,
                "title": shown.title,
                "style": shown.style,
                "wavelengths": [float(nm) for nm in shown.wavelengths],
                "picture": how,
                "rgb": pack_bytes(image),
                "valid": pack_bytes(valid[index]),
                "values": pack_cube(values[index], valid[index]),
                "maps": {name: pack_map(found) for name, found in maps[-1].items()},
            }
        )
    bright = [float(np.percentile(cube[ok], 99.8)) for cube, ok in zip(values, valid, strict=True) if ok.any()]
    rows, columns = values[0].shape[:2]
    return {
        "name": scene.name,
        "shape": list(scene.shape),
        "size": [rows, columns],
        "step": step,
        "quantity": scene.quantity,
        "units": scene.units,
        "note": scene.note,
        "white": max(bright, default=1.0) or 1.0,
        "scales": _scales(maps),
        "rmse_unit": "of 255 levels" if scaled else "in the cubes' own units",
        "cubes": packed,
    }


def _maps(
    scene: SceneToShow, index: int, values: list[Cube], valid: list[Mask], gain: float, step: int
) -> dict[str, NDArray[np.float64]]:
    reference, estimate = scene.cubes[0], scene.cubes[index]
    if index == 0 or reference.style != -1 or not np.array_equal(reference.wavelengths, estimate.wavelengths):
        return {}
    counts = valid[0] & valid[index]
    if scene.scored is not None:
        counts &= scene.scored(step)
    clean = [np.where(ok[..., np.newaxis], cube, np.float32(0.0)) for ok, cube in zip(valid, values, strict=True)]
    return error_maps(clean[index], clean[0], counts, estimate.wavelengths, gain)


def _scales(maps: list[dict[str, NDArray[np.float64]]]) -> dict[str, list[float]]:
    """Choose the ends of each metric's colour bar, one for all cubes: from no error to what 99 of 100 pixels have."""
    scales = {}
    for name, metric in MAPPED.items():
        known = [found[name][np.isfinite(found[name])] for found in maps if name in found]
        together = np.concatenate(known) if known else np.empty(0)
        if together.size:
            best = 1.0 if metric.higher_is_better else 0.0
            share = 100.0 - _SCALE_PERCENTILE if metric.higher_is_better else _SCALE_PERCENTILE
            worst = float(np.percentile(together, share))
            scales[name] = [best, worst if worst != best else best + (-1e-6 if metric.higher_is_better else 1e-6)]
    return scales
