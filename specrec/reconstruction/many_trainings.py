"""Training several methods on one data set: what fails is told and the rest goes on, and nothing is trained twice."""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from specrec.cache import check_writable
from specrec.datasets import open_source
from specrec.errors import SpecrecError, UsageError
from specrec.parameters import parse_spec, slug
from specrec.reconstruction.loading import choose_device
from specrec.reconstruction.training import Training, checkpoint_path, read_scenes, run_training
from specrec.registry import registry
from specrec.scenes import Scaling
from specrec.weights import read_card

SUFFIX = ".safetensors"


class TrainingWatcher:
    """Is told how the trainings go; here all do nothing."""

    def phase(self, words: str, done: float) -> None:
        """Take notice of the work before the trainings, which is common to all."""

    def planned(self, total: int, missing: int) -> None:
        """Take notice of how many methods there are, and how many are to be trained."""

    def progress(self, method: str, done: float, words: str) -> None:
        """Take notice of the fraction of a training that is done; called from several threads."""

    def note(self, method: str, words: str) -> None:
        """Take notice of what a training has logged; called from several threads."""

    def finished(self, method: str, target: Path, card: Mapping[str, Any]) -> None:
        """Take notice of weights that are stored."""

    def failed(self, method: str, error: Exception) -> None:
        """Take notice of a method that could not be trained."""


@dataclass
class Trained:
    """What became of the methods, each by its weights file."""

    finished: dict[Path, dict[str, Any]] = field(default_factory=dict)
    """The cards of the weights."""
    failed: dict[Path, Exception] = field(default_factory=dict)
    kept: list[Path] = field(default_factory=list)
    """Left out because they exist."""


Begin = Callable[[int, TrainingWatcher], Executor]
"""Begins what computes the trainings, given how many there are and who is told of their progress."""


def train_many(
    methods: Sequence[str],
    dataset: str,
    data: Path | None,
    folder: Path,
    begin: Begin,
    *,
    scaling: Scaling = "minmax",
    seed: int = 0,
    threads: int = 1,
    device: str = "auto",
    jobs: int | None = 1,
    overwrite: bool = False,
    skip_existing: bool = False,
    skip_damaged: bool = False,
    watcher: TrainingWatcher | None = None,
) -> Trained:
    """Fit methods on every scene of a data set and store the weights of each in a folder.

    The data set is looked at once. Each training keeps its state as `train` does; killed and started again with
    `skip_existing`, what is finished is left out and what was in work goes on.

    Parameters
    ----------
    methods
        With parameters in brackets.
    dataset, data, scaling, seed, threads, device, overwrite, skip_damaged
        As for `train`; threads are those of each.
    folder
        Where ``<method>.safetensors`` go; of two with one name, ``<method>-<hash of its parameters>.safetensors``.
    begin
        Begins what computes them.
    jobs
        How many at a time; None: as many as what computes them will take.
    skip_existing
        Leave methods out whose weights exist. Those must be of the same parameters, seed, scaling and data set.
    watcher
        Is told how it goes.

    Returns
    -------
    What became of each.

    Raises
    ------
    UsageError, SpecrecError
        What concerns all, before any work: an unknown method, weights that exist, damaged data.
    """
    watching = watcher or TrainingWatcher()
    if overwrite and skip_existing:
        raise UsageError("--overwrite and --skip-existing contradict each other; pass one of them")
    targets = name_weights(methods, folder)
    outcome = Trained()
    for target, method in targets.items():
        if target.is_dir():
            raise UsageError(f"{target} is a folder; move it away, or name another folder with -o")
        if not target.exists() or overwrite:
            continue
        if not skip_existing:
            raise UsageError(f"{target} exists; --overwrite replaces it, --skip-existing leaves its method out")
        _check_same(target, method, dataset, data, seed, scaling)
        outcome.kept.append(target)
    todo = {target: method for target, method in targets.items() if target not in outcome.kept}
    watching.planned(len(targets), len(todo))
    if not todo:
        return outcome
    check_writable(folder)
    devices = _devices(todo.values(), device, jobs)
    source, found = read_scenes(
        dataset, data, skip_damaged=skip_damaged, progress=lambda done, words: watching.phase(words, done)
    )
    path = None if source.path is None else str(source.path.absolute())
    facts = [asdict(one) for one in found.facts.values()]
    for target in todo:
        _remove_left(target)
    trainings = {
        target: Training(method, dataset, path, str(target.absolute()), facts, scaling, seed, threads, device, overwrite)
        for target, method in todo.items()
    }
    executor = begin(len(todo), watching)
    done = False
    try:
        _run(executor, trainings, devices, outcome, watching)
        done = True
    finally:
        executor.shutdown(cancel_futures=not done)
        for target in todo:
            _remove_left(target)
    return outcome


def name_weights(methods: Sequence[str], folder: Path) -> dict[Path, str]:
    """Name the weights file of each method.

    Raises
    ------
    UsageError
        For an unknown method or parameter, or one method named twice.
    """
    built = [registry().reconstructor(name)(**given) for name, given in map(parse_spec, methods)]
    names = [method.name for method in built]
    targets: dict[Path, str] = {}
    for spec, method in zip(methods, built, strict=True):
        plain = names.count(method.name) == 1
        target = folder / f"{method.name if plain else slug(method.name, method.settings)}{SUFFIX}"
        if target in targets:
            raise UsageError(f"{targets[target]} and {spec} are the same method with the same parameters; name it once")
        targets[target] = spec
    return targets


def _run(
    executor: Executor,
    trainings: Mapping[Path, Training],
    devices: list[str] | None,
    outcome: Trained,
    watching: TrainingWatcher,
) -> None:
    """Give each free device the next training; without devices, give all at once."""
    waiting = list(trainings)
    free = list(devices) if devices is not None else [trainings[target].device for target in waiting]
    running: dict[Future[dict[str, Any]], tuple[Path, str]] = {}
    while waiting or running:
        while waiting and free:
            target, device = waiting.pop(0), free.pop(0)
            training = trainings[target]
            values = {**asdict(training), "device": device, "label": training.method}
            running[executor.submit(run_training, values)] = target, device
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            target, device = running.pop(future)
            free.append(device)
            try:
                outcome.finished[target] = card = future.result()
            except Exception as error:  # of a process that died, say
                outcome.failed[target] = error
                watching.failed(trainings[target].method, error)
            else:
                watching.finished(trainings[target].method, target, card)


def _devices(methods: Any, device: str, jobs: int | None) -> list[str] | None:
    """Choose a device for each training that computes at a time, here; None: whoever computes chooses."""
    if jobs is None:
        return None
    built = [registry().reconstructor(name)(**given) for name, given in map(parse_spec, methods)]
    chosen = [choose_device(method, device) for method in built]
    if device in ("auto", "cuda") and any(one.startswith("cuda") for one in chosen):
        from specrec.training.session import cuda_devices

        there = cuda_devices()
        return [there[index % len(there)] for index in range(jobs)]
    return [device] * jobs


def _check_same(target: Path, method: str, dataset: str, data: Path | None, seed: int, scaling: str) -> None:
    """Refuse to take weights for finished that were trained in another way."""
    name, given = parse_spec(method)
    source = open_source(dataset, data)
    wanted = {
        "method": name,
        "settings": dict(registry().reconstructor(name)(**given).settings),
        "seed": seed,
        "scaling": scaling,
        "dataset": {"name": source.name, "options": dict(source.settings)},
    }
    card = read_card(target)
    for key, value in wanted.items():
        if card.get(key) != value:
            raise SpecrecError(
                f"{target} exists and is not what would be trained: its {_difference(key, card.get(key), value)}; "
                "move it away, or pass --overwrite"
            )


def _difference(name: str, before: Any, now: Any) -> str:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        key = next(key for key in [*now, *before] if before.get(key) != now.get(key))
        return _difference(key, before.get(key), now.get(key))
    return f"{name} is {before}, not {now}"


def _remove_left(target: Path) -> None:
    """Remove what a process of this training that was killed had begun to write."""
    for path in (target, checkpoint_path(target)):
        left = re.compile(rf"\.{re.escape(path.stem[:32])}-[0-9a-f]{{8}}{re.escape(SUFFIX)}")
        for file in path.parent.glob(f".*{SUFFIX}"):
            if left.fullmatch(file.name):
                file.unlink(missing_ok=True)
