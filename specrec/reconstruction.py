"""Using methods outside a bench: load one with its weights, reconstruct a photo, train one and store it."""

import os
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from specrec import weights as weight_files
from specrec.cache import check_room, check_writable
from specrec.cubes import cube_writer, stored_bytes
from specrec.datasets import open_source
from specrec.datasets.survey import check_rendered_grid, scene_with_extent, survey
from specrec.errors import DataError, UsageError
from specrec.images import MAX_PIXELS, Photo, check_absent
from specrec.interfaces import FitContext, Progress, Reconstructor, silent
from specrec.parameters import parse_spec
from specrec.registry import registry
from specrec.rendering import srgb_to_xyz
from specrec.scenes import Image, Scaling, TrainingScene, Window
from specrec.spectra import check_wavelengths
from specrec.threads import available_cores, library_threads
from specrec.tiling import SeamCost, parse_tiles, stream


def load(
    method: str, weights: str | os.PathLike[str] | None = None, device: str = "auto", threads: int = 1
) -> Reconstructor:
    """Load a fitted method.

    Parameters
    ----------
    method
        Such as ``"gan"``; parameters in brackets must agree with the weights.
    weights
        A .safetensors file; default: ``SPECREC_WEIGHTS/<method>.safetensors``, then those that come with the method.
    device
        ``auto``, ``cpu``, ``cuda[:N]`` or ``mps``.
    threads
        How many a method that sees single pixels spreads large blocks over; a network uses those that torch is set to.

    Returns
    -------
    A method whose ``reconstruct(rgb)`` takes (height, width, 3) float32 sRGB in [0, 1] (XYZ/100 if its ``input`` is
    ``"linear"``) and gives (height, width, 31) float32 at 400, 410, .. 700 nm.

    Raises
    ------
    UsageError
        For an unknown method, or where there are no weights.
    DataError
        If the file holds no weights of that method.
    """
    fitted = _load(method, weights, device)[0]
    fitted.threads = threads
    return fitted


class Reconstructed(NamedTuple):
    """What `reconstruct_file` has written."""

    shape: tuple[int, int, int]
    """(height, width, bands)."""
    seams: SeamCost | None
    """With separate tiles: how far they are from the exact estimate."""


def reconstruct_file(
    method: str,
    image: Path,
    target: Path,
    *,
    weights: Path | None = None,
    device: str = "auto",
    threads: int | None = None,
    tiles: str = "auto",
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Reconstructed:
    """Reconstruct a photo into a cube file, tile by tile where the photo is large.

    Parameters
    ----------
    method, weights, device
        As for `load`.
    image, max_pixels
        As for `specrec.images.read_image`.
    target, overwrite
        As for `specrec.cubes.write_cube`.
    tiles
        As for `specrec.tiling.stream`.
    threads
        Of the CPU; None: one for each core that this process may use.
    progress
        Called with the fraction done and a few words.

    Raises
    ------
    SpecrecError
        If the cube does not fit on the disk, which is looked at before the work begins; else as for all of these.
    """
    mode, size = parse_tiles(tiles)
    check_writable(target.parent)
    fitted, path, card = _load(method, weights, device)
    fitted.threads = threads or available_cores()
    wavelengths = check_wavelengths(card["wavelengths"], f"the card of {path}")
    photo = Photo(image, max_pixels)
    height, width = photo.shape
    shape = (height, width, wavelengths.size)
    check_room(target.parent, stored_bytes(target, shape), f"{wavelengths.size} bands of {height} x {width} pixels")
    attributes = {
        "quantity": card.get("quantity", "radiance"),
        "units": "1",
        "scale_min": 0.0,
        "scale_max": 1.0,
        "method": fitted.name,
        "weights_sha256": weight_files.sha256(path),
        "rendering": card["rendering"],
        "specrec_version": version("specrec"),
    }

    def read(window: Window) -> Image:
        rgb = photo.read(window)
        return srgb_to_xyz(rgb).astype(np.float32) if fitted.input == "linear" else rgb

    seams = SeamCost(photo.shape, size) if mode == "separate" else None
    writing = cube_writer(target, shape, wavelengths, attributes, overwrite=overwrite)
    with library_threads(fitted.threads), writing as put:
        for window, cube in stream(fitted, read, photo.shape, tiles, cost=seams, progress=progress):
            put(window, cube)
    return Reconstructed(shape, seams)


def train(
    method: str,
    dataset: str,
    data: Path | None,
    target: Path,
    *,
    scaling: Scaling = "minmax",
    seed: int = 0,
    threads: int = 1,
    device: str = "auto",
    overwrite: bool = False,
    skip_damaged: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Fit a method on every scene of a data set, store its weights, and return their card.

    A network keeps its state beside `target`, in ``<name>.checkpoint.safetensors``, while it trains: killed and started
    again, it goes on from there.

    Parameters
    ----------
    method, dataset
        With parameters and options in brackets; the preset is ``paper`` unless told.
    data
        Folder of the data set, or None for its environment variable.
    target
        The .safetensors file.
    scaling
        ``minmax``: each scene by its own range, as the paper; ``none``: values as they are, so that exposure is kept.
    seed, threads, device
        Of the training.
    overwrite
        Whether `target` may be replaced.
    skip_damaged
        Leave damaged scenes out instead of stopping.
    progress
        Called with the fraction done and a few words.
    """
    if target.suffix != ".safetensors":
        raise UsageError(f"{target} must end in .safetensors")
    check_absent(target, overwrite)
    check_writable(target.parent)
    name, given = parse_spec(method)
    fitted = registry().reconstructor(name)(**given)
    source = open_source(dataset, data)
    names = source.names()
    source.prepare(names, progress)
    facts = survey(source, names, progress)
    if facts.damaged and not skip_damaged:
        damaged, reason = next(iter(facts.damaged.items()))
        raise DataError(f"scene {damaged} is damaged: {reason}; repair it, or pass --skip-damaged")
    if not facts.facts:
        raise DataError(f"{dataset} has no scenes to train on")
    check_rendered_grid(facts)
    scenes = [
        TrainingScene(scene_with_extent(source.open(one), found), scaling, "round", fitted.input)
        for one, found in facts.facts.items()
    ]
    checkpoint = target.with_suffix(f".checkpoint{target.suffix}")
    with library_threads(threads):
        fitted.fit(scenes, FitContext(seed, _device(fitted, device), threads, progress, checkpoint))
    card = weight_files.make_card(
        fitted,
        wavelengths=scenes[0].wavelengths.tolist(),
        scenes=list(facts.facts),
        seed=seed,
        dataset={"name": source.name, "options": dict(source.settings)},
        quantity=scenes[0].scene.quantity,
        scaling=scaling,
        threads=threads,
        content={one: asdict(found)["sha256"] for one, found in facts.facts.items()},
    )
    weight_files.save(fitted, target, card)
    checkpoint.unlink(missing_ok=True)
    return card


def _load(
    method: str, weights: str | os.PathLike[str] | None, device: str
) -> tuple[Reconstructor, Path, dict[str, Any]]:
    name, given = parse_spec(method)
    registry().reconstructor(name)
    path = weight_files.find(name, Path(weights) if weights is not None else None)
    fitted = weight_files.load_file(path, name, given)
    fitted.device = _device(fitted, device)
    return fitted, path, weight_files.read_card(path)


def _device(method: Reconstructor, device: str) -> str:
    if "torch" not in method.requires:
        return "cpu"  # it has no use for another one
    from specrec.training.session import choose_device

    return choose_device(device)
