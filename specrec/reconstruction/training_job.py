"""One training in a worker of a cluster: in a process of its own, on files the worker sees or that were sent to it."""

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from pathlib import Path
from typing import Any

from specrec.cluster.files import FileFacts, is_here
from specrec.cluster.store import arrange, stored
from specrec.errors import SpecrecError
from specrec.parameters import parse_spec
from specrec.process_pool import ProcessPool
from specrec.reconstruction.photo_job import TOLD, Job
from specrec.reconstruction.training import run_training
from specrec.reconstruction.workers import check_provider, sees
from specrec.registry.trial import environment


def train_on_worker(job: Job, task: Mapping[str, Any]) -> dict[str, Any]:
    """Do one training in a worker.

    Parameters
    ----------
    job
        The worker.
    task
        ``training``, a `Training` as a dictionary, and who offers its method (``provider``); ``files``, the facts of
        the files that its scenes are read from; ``staging``, a hidden folder beside the weights' place.

    Returns
    -------
    Plain values, one of: ``unseen``, places of the files that must be sent; ``failed``, why; ``stopped``; or ``card``,
    of the weights, which are at their place, or where that is not ``shared`` with this worker, at ``path``, of ``size``
    bytes.
    """
    check_provider(parse_spec(task["training"]["method"])[0], task["provider"], now=True)
    files: Sequence[FileFacts] = task["files"]
    unseen = [index for index, one in enumerate(files) if not is_here(one) and stored(one) is None]
    if unseen:
        return {"unseen": unseen}
    shared = sees(Path(task["staging"]))
    place = Path(tempfile.mkdtemp(prefix="training-", dir=job.scratch))
    values = dict(task["training"])
    if not all(is_here(one) for one in files):
        arrange(place / "data", list(files))
        values["data"] = str(place / "data")
    if not shared:
        values["target"] = str(place / Path(values["target"]).name)
    kept = False
    try:
        card = _in_process(job, values)
        if card is None:
            return {"stopped": True}
        kept = not shared
        weights = Path(values["target"])
        return {"card": card, "shared": shared, "path": str(weights), "size": weights.stat().st_size}
    except SpecrecError as error:
        return {"failed": str(error).replace(str(place), "")}
    finally:
        if not kept:
            shutil.rmtree(place, ignore_errors=True)


def _in_process(job: Job, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Train in a process, tell now and then, and end it where nobody waits any more."""
    last = time.monotonic()

    def progress(_label: str, done: float, words: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > TOLD:
            last = now
            job.tell({"done": done, "words": words})

    pool = ProcessPool(1, progress, lambda _label, words: job.tell({"note": words}), environment)
    future = pool.submit(run_training, values)
    try:
        while not wait([future], TOLD).done:
            if not job.wanted:
                return None
        card: dict[str, Any] = future.result()
        return card
    finally:
        pool.shutdown(cancel_futures=True)
