"""Training several methods on one data set: what fails is told and the rest goes on, and nothing is trained twice."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from specrec.cache import check_writable
from specrec.cluster import ClusterError
from specrec.datasets import open_source
from specrec.errors import SpecrecError, UsageError
from specrec.interfaces import Reconstructor, SceneSource
from specrec.output_lock import locked_weights
from specrec.parameters import parse_spec, slug
from specrec.process_pool import ProcessPool
from specrec.reconstruction.loading import choose_device
from specrec.reconstruction.training import Training, checkpoint_path, difference, read_scenes, run_training
from specrec.reconstruction.workers import check_device, own_devices
from specrec.registry import registry
from specrec.registry.trial import environment
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
        """Take notice of what a training has logged, or without a method of another sentence; from several threads."""

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


def train_many(
    methods: Sequence[str],
    dataset: str,
    data: Path | None,
    folder: Path,
    *,
    scaling: Scaling = "minmax",
    seed: int = 0,
    threads: int = 1,
    device: str = "auto",
    jobs: int = 1,
    dask: str | None = None,
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
    jobs
        How many at a time, each in a process of its own.
    dask
        A Dask cluster that computes them instead, as `specrec.cluster.address.parse_address` reads it; `jobs` then
        means nothing.
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
    opened = open_source(dataset, data)
    path = None if opened.path is None else str(opened.path.absolute())
    trainings = {
        target: Training(method, dataset, path, str(target.absolute()), [], scaling, seed, threads, device, overwrite)
        for target, method in targets.items()
    }
    outcome = Trained(kept=_existing(trainings, opened, overwrite=overwrite, skip=skip_existing))
    trainings = {target: training for target, training in trainings.items() if target not in outcome.kept}
    watching.planned(len(targets), len(trainings))
    if not trainings:
        return outcome
    if dask is not None:
        check_device(device)
    check_writable(folder)
    with ExitStack() as stack:
        stack.enter_context(locked_weights(targets))  # of those that are left out too: a kill may have left theirs
        devices = None if dask is not None else _devices(trainings.values(), device, jobs)
        source, found = read_scenes(
            dataset, data, skip_damaged=skip_damaged, progress=lambda done, words: watching.phase(words, done)
        )
        facts = [asdict(one) for one in found.facts.values()]
        trainings = {target: replace(training, facts=facts) for target, training in trainings.items()}
        executor: Executor
        stack.callback(_remove_left, trainings)
        _remove_left(trainings)
        if dask is not None:
            from specrec.reconstruction.trainings_on_cluster import cluster_trainings

            names, told = list(found.facts), (watching.progress, watching.note)
            networks = any("torch" in one.requires for one in _built(trainings.values()))
            own = own_devices(device, networks=networks)
            executor = stack.enter_context(cluster_trainings(dask, source, names, folder, threads, own, *told))
        else:
            executor = stack.enter_context(_processes(jobs, watching))
        _run(executor, trainings, devices, outcome, watching)
    return outcome


@contextmanager
def _processes(jobs: int, watching: TrainingWatcher) -> Iterator[Executor]:
    pool = ProcessPool(jobs, watching.progress, watching.note, environment)
    done = False
    try:
        yield pool
        done = True
    finally:
        pool.shutdown(cancel_futures=not done)


def _existing(trainings: Mapping[Path, Training], source: SceneSource, *, overwrite: bool, skip: bool) -> list[Path]:
    """List weights that exist and are left out; refuse those that are in the way."""
    kept = []
    for target, training in trainings.items():
        if target.is_dir():
            raise UsageError(f"{target} is a folder; move it away, or name another folder with -o")
        if not target.exists() or overwrite:
            continue
        if not skip:
            raise UsageError(f"{target} exists; --overwrite replaces it, --skip-existing leaves its method out")
        other = difference(read_card(target), training, source)
        if other is not None:
            raise SpecrecError(
                f"{target} exists and is not what would be trained: its {other}; move it away, or pass --overwrite"
            )
        kept.append(target)
    return kept


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
            except ClusterError:
                raise
            except Exception as error:  # of a process that died, say
                outcome.failed[target] = error
                watching.failed(trainings[target].method, error)
            else:
                watching.finished(trainings[target].method, target, card)


def _devices(trainings: Iterable[Training], device: str, jobs: int) -> list[str]:
    """Choose a device for each training that computes here at a time."""
    chosen = [choose_device(method, device) for method in _built(trainings)]
    if device in ("auto", "cuda") and any(one.startswith("cuda") for one in chosen):
        from specrec.training.session import cuda_devices

        there = cuda_devices()
        return [there[index % len(there)] for index in range(jobs)]
    return [device] * jobs


def _built(trainings: Iterable[Training]) -> list[Reconstructor]:
    specs = [parse_spec(training.method) for training in trainings]
    return [registry().reconstructor(name)(**given) for name, given in specs]


def _remove_left(targets: Iterable[Path]) -> None:
    """Remove what processes of these trainings that were killed had begun to write."""
    for path in (path for target in targets for path in (target, checkpoint_path(target))):
        left = re.compile(rf"\.{re.escape(path.stem[:32])}-[0-9a-f]{{8}}{re.escape(SUFFIX)}")
        for file in path.parent.glob(f".*{SUFFIX}"):
            if left.fullmatch(file.name):
                file.unlink(missing_ok=True)
