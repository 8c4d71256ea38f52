"""Using methods outside a bench: load one with its weights, reconstruct a photo, train one and store it."""

import os
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from specrec import weights as weight_files
from specrec.cache import check_writable
from specrec.cubes import write_cube
from specrec.datasets import open_source
from specrec.datasets.survey import check_rendered_grid, scene_with_extent, survey
from specrec.errors import DataError, UsageError
from specrec.images import check_absent, read_image
from specrec.interfaces import FitContext, Progress, Reconstructor, silent
from specrec.parameters import parse_spec
from specrec.registry import registry
from specrec.rendering import srgb_to_xyz
from specrec.scenes import Scaling, TrainingScene
from specrec.spectra import Cube, check_wavelengths


def load(method: str, weights: str | os.PathLike[str] | None = None, device: str = "auto") -> Reconstructor:
    """Load a fitted method.

    Parameters
    ----------
    method
        Such as ``"gan"``; parameters in brackets must agree with the weights.
    weights
        A .safetensors file; default: ``SPECREC_WEIGHTS/<method>.safetensors``, then those that come with the method.
    device
        ``auto``, ``cpu``, ``cuda[:N]`` or ``mps``.

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
    return _load(method, weights, device)[0]


def reconstruct_file(
    method: str,
    image: Path,
    target: Path,
    *,
    weights: Path | None = None,
    device: str = "auto",
    overwrite: bool = False,
) -> tuple[int, int, int]:
    """Reconstruct a photo into a cube file and return its shape; parameters as for `load` and `write_cube`."""
    check_writable(target.parent)
    fitted, path, card = _load(method, weights, device)
    wavelengths = check_wavelengths(card["wavelengths"], f"the card of {path}")
    cube = _reconstruct(fitted, image)
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
    write_cube(target, cube, wavelengths, attributes, overwrite=overwrite)
    height, width, bands = cube.shape
    return height, width, bands


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


def _reconstruct(method: Reconstructor, image: Path) -> Cube:
    rgb = read_image(image)
    return method.reconstruct(srgb_to_xyz(rgb).astype("float32") if method.input == "linear" else rgb)
