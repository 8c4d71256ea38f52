"""Training outside a bench: fit a method on a data set and store its weights with their card."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from specrec import weights as weight_files
from specrec.cache import check_writable
from specrec.datasets import open_source, scene_names
from specrec.datasets.survey import check_rendered_grid, survey
from specrec.datasets.unchanged import found_of, open_unchanged
from specrec.errors import DataError, UsageError
from specrec.images import check_absent
from specrec.interfaces import FitContext, Progress, heeded, silent
from specrec.parameters import parse_spec
from specrec.reconstruction.loading import choose_device
from specrec.reconstruction.training_colours import colours_of
from specrec.registry import registry
from specrec.scenes import Scaling, TrainingScene
from specrec.threads import library_threads


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
    names = scene_names(source)
    source.prepare(names, heeded(progress))
    facts = survey(source, names, progress)
    if facts.damaged and not skip_damaged:
        damaged, reason = next(iter(facts.damaged.items()))
        raise DataError(f"scene {damaged} is damaged: {reason}; repair it, or pass --skip-damaged")
    if not facts.facts:
        raise DataError(f"{dataset} has no scenes to train on")
    check_rendered_grid(facts)
    scenes = [
        TrainingScene(open_unchanged(source, one, found_of(found), "the training"), scaling, "round", fitted.input)
        for one, found in facts.facts.items()
    ]
    checkpoint = target.with_suffix(f".checkpoint{target.suffix}")
    with library_threads(threads):
        fitted.fit(scenes, FitContext(seed, choose_device(fitted, device), threads, heeded(progress), checkpoint))
    # what learns nothing saw no colours
    colours: dict[str, Any] = {"training_colours": colours_of(scenes).to_card()} if fitted.parameter_count else {}
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
        **colours,
    )
    weight_files.save(fitted, target, card)
    checkpoint.unlink(missing_ok=True)
    return card
