"""Training outside a bench: fit a method on a data set and store its weights with their card."""

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from specrec import weights as weight_files
from specrec.cache import check_writable
from specrec.datasets import open_source, scene_names
from specrec.datasets.survey import SceneFacts, Survey, check_rendered_grid, survey
from specrec.datasets.unchanged import found_of, open_unchanged
from specrec.errors import DataError, SpecrecError, UsageError
from specrec.images import check_absent
from specrec.interfaces import FitContext, Progress, SceneSource, heeded, silent
from specrec.output_lock import locked_weights
from specrec.parameters import parse_spec
from specrec.reconstruction.loading import choose_device
from specrec.reconstruction.training_colours import colours_of
from specrec.registry import registry
from specrec.registry.code import code_of
from specrec.scenes import Scaling, TrainingScene
from specrec.threads import library_threads


@dataclass(frozen=True)
class Training:
    """Everything that one training needs, in plain values, so that it can travel to any process.

    Parameters
    ----------
    method, dataset
        With parameters and options in brackets.
    data
        Folder of the data set; None: it has none.
    target
        The .safetensors file.
    facts
        What the survey found of each scene, as plain values of `specrec.datasets.survey.SceneFacts`.
    scaling, seed, threads, device, overwrite
        As for `train`.
    """

    method: str
    dataset: str
    data: str | None
    target: str
    facts: Sequence[Mapping[str, Any]]
    scaling: Scaling
    seed: int
    threads: int
    device: str
    overwrite: bool


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
        Whether `target` may be replaced. Where it may not and appears meanwhile, it stays, and the weights are stored
        under the next free name: SpecrecError, which says it.
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
    registry().reconstructor(name)(**given)
    with locked_weights([target]):
        source, facts = read_scenes(dataset, data, skip_damaged=skip_damaged, progress=progress)
        folder = None if source.path is None else str(source.path)
        told = [asdict(found) for found in facts.facts.values()]
        training = Training(method, dataset, folder, str(target), told, scaling, seed, threads, device, overwrite)
        return _fit(training, source, progress)


def read_scenes(
    dataset: str, data: Path | None, *, skip_damaged: bool, progress: Progress = silent
) -> tuple[SceneSource, Survey]:
    """Open a data set and look at each of its scenes, before any training.

    Raises
    ------
    DataError
        If one is damaged, unless `skip_damaged`, or cannot be rendered; if there is none.
    """
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
    return source, facts


def run_training(values: Mapping[str, Any], progress: Progress = silent) -> dict[str, Any]:
    """Do a `Training`, given as a dictionary, in whatever process this is, and return the card of the weights."""
    training = Training(**{key: value for key, value in values.items() if key != "label"})
    source = open_source(training.dataset, None if training.data is None else Path(training.data))
    if not training.overwrite and (card := _made(Path(training.target), training, source)) is not None:
        return card
    source.prepare([found["name"] for found in training.facts], heeded(progress))
    return _fit(training, source, progress)


def _made(target: Path, training: Training, source: SceneSource) -> dict[str, Any] | None:
    """Return the card of weights that an earlier try of this training has stored and then died; None: there are none.

    There were none when the training was planned.
    """
    try:
        card = weight_files.read_card(target)
    except SpecrecError:
        return None
    content = {found["name"]: found["sha256"] for found in training.facts}
    same = not difference(card, training, source) and card.get("content") == content
    return card if same else None


def difference(card: Mapping[str, Any], training: Training, source: SceneSource) -> str | None:
    """Say in what weights with this card differ from those that a training would make; None: in nothing known."""
    name, given = parse_spec(training.method)
    wanted = {
        "method": name,
        "settings": dict(registry().reconstructor(name)(**given).settings),
        "seed": training.seed,
        "scaling": training.scaling,
        "dataset": {"name": source.name, "options": dict(source.settings)},
    }
    return _first_difference("card", card, wanted)


def _first_difference(name: str, before: Any, now: Any) -> str | None:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        found = (_first_difference(key, before.get(key), value) for key, value in now.items())
        return next((one for one in found if one is not None), None)
    return None if before == now else f"{name} is {before}, not {now}"


def _fit(training: Training, source: SceneSource, progress: Progress) -> dict[str, Any]:
    name, given = parse_spec(training.method)
    fitted = registry().reconstructor(name)(**given)
    target, facts = Path(training.target), [SceneFacts.from_json(values) for values in training.facts]
    scenes = [
        TrainingScene(
            open_unchanged(source, found.name, found_of(found), "the training"), training.scaling, "round", fitted.input
        )
        for found in facts
    ]
    checkpoint = checkpoint_path(target)
    device = choose_device(fitted, training.device)
    with library_threads(training.threads):
        code = _code(name)
        told = heeded(progress)
        fitted.fit(scenes, FitContext(training.seed, device, training.threads, told, checkpoint, identity=code))
    # what learns nothing saw no colours
    colours: dict[str, Any] = {"training_colours": colours_of(scenes).to_card()} if fitted.parameter_count else {}
    card = weight_files.make_card(
        fitted,
        wavelengths=scenes[0].wavelengths.tolist(),
        scenes=[found.name for found in facts],
        seed=training.seed,
        dataset={"name": source.name, "options": dict(source.settings)},
        quantity=scenes[0].scene.quantity,
        scaling=training.scaling,
        threads=training.threads,
        content={found.name: found.sha256 for found in facts},
        **colours,
    )
    stored = stored_beside(
        target,
        lambda path, overwrite: weight_files.save(fitted, path, card, overwrite=overwrite),
        overwrite=training.overwrite,
    )
    checkpoint.unlink(missing_ok=True)
    if stored != target:
        raise appeared(target, stored)
    return card


def _code(method: str) -> str:
    """Hash what is installed: specrec, the plugin and the plugin's code."""
    offer = registry().reconstructors[method]
    parts = [version("specrec"), offer.distribution, offer.version, code_of(offer.value, offer.distribution)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def stored_beside(target: Path, put: Callable[[Path, bool], None], *, overwrite: bool) -> Path:
    """Store what took long to make: where `target` exists by now and must stay, under the next free name.

    Parameters
    ----------
    target
        Where it shall go.
    put
        Stores it at a path, and is told whether it may replace what is there.
    overwrite
        Whether it may replace `target`.

    Returns
    -------
    Where it is.
    """
    try:
        put(target, overwrite)
    except UsageError:
        if not os.path.lexists(target):  # it is about something else
            raise
    else:
        return target
    for number in itertools.count(2):
        path = target.with_stem(f"{target.stem}-{number}")
        with suppress(UsageError):  # another process has taken it just now
            if not os.path.lexists(path):
                put(path, False)
                return path
    raise AssertionError("numbers do not end")


def appeared(target: Path, stored: Path) -> SpecrecError:
    """Make the error for weights that are stored under another name than was asked for."""
    return SpecrecError(f"{target} has appeared while this was trained, and stays; the weights are in {stored}")


def checkpoint_path(target: Path) -> Path:
    """Return where a training keeps its state until its weights are stored.

    Examples
    --------
    >>> checkpoint_path(Path("weights/gan.safetensors")).as_posix()
    'weights/gan.checkpoint.safetensors'
    """
    return target.with_suffix(f".checkpoint{target.suffix}")
