"""One photo in a worker of a cluster: its files are those that the worker sees, or those that were sent to it.

The weights are loaded once in each process and kept. The cube is written into a hidden folder beside its place, from
where the process that has asked for it takes it; where the worker does not see that folder, it is fetched.
"""

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from specrec.cluster.files import FileFacts, is_here
from specrec.cluster.store import arrange, stored
from specrec.errors import MemoryShortageError, SpecrecError, Stopped
from specrec.interfaces import Progress
from specrec.memory import is_out_of_memory
from specrec.parameters import parse_spec
from specrec.reconstruction.loading import Loaded, load_with_card
from specrec.reconstruction.many_photos import reason
from specrec.reconstruction.one_photo import Choices, Reconstructed, Workshop
from specrec.reconstruction.room import Room
from specrec.reconstruction.trust import Trust
from specrec.reconstruction.workers import check_provider, sees
from specrec.tiling import SeamCost

MOST_SENT = 2_000_000_000
"""Bytes of a photo or cube that travel at most; what is larger needs storage that all machines share."""
TOLD = 0.5
"""Seconds between two messages of how far a photo is."""


class Job(Protocol):
    """What a worker gives beside the values, as `specrec.cluster.job.Job` has it."""

    @property
    def worker(self) -> str:
        """The address of the worker."""

    @property
    def scratch(self) -> str:
        """A folder of the worker alone."""

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits."""

    def tell(self, message: Mapping[str, Any]) -> None:
        """Tell who waits something, in plain values."""


class Unwanted(Stopped):
    """Ends work that nobody waits for any more; no method may catch it."""


def reconstruct_photo(job: Job, task: Mapping[str, Any]) -> dict[str, Any]:
    """Reconstruct one photo in a worker.

    Parameters
    ----------
    job
        The worker.
    task
        ``method``, who offers it (``provider``), ``choices``, ``threads`` and ``share`` as for a `Workshop`;
        ``weights`` and ``photo``, the facts of these files, and how the photo is ``shown`` to the user; ``staging``,
        the hidden folder; ``target``, the name of the cube; ``number``, of the photo.

    Returns
    -------
    Plain values, one of: ``unseen``, which of the files must be sent; ``failed`` and ``memory``, why, and whether
    memory ran out; ``stopped``; or ``made``, which `made_of` reads, with ``files``, names and bytes, in ``place``, a
    folder that the worker alone sees where it is not ``shared``.
    """
    check_provider(parse_spec(task["method"])[0], task["provider"])
    facts: dict[str, FileFacts] = {name: task[name] for name in ("weights", "photo")}
    unseen = [name for name, one in facts.items() if not is_here(one) and stored(one) is None]
    if unseen:
        return {"unseen": unseen}
    staging = Path(task["staging"])
    shared = sees(staging)
    photo, weights = _found(facts["photo"], job), _found(facts["weights"], job)
    place = Path(tempfile.mkdtemp(prefix=f"{task['number']}-", dir=staging if shared else job.scratch))
    kept = False
    try:
        room = None if shared else _Fetched(job.worker, staging.parent)
        with _workshop(task, weights, room) as workshop:
            made = workshop.make(photo, place / task["target"], teller(job))
        files = {path.name: path.stat().st_size for path in sorted(place.iterdir())}
        kept = True
        return {"made": _plain(made), "files": files, "place": str(place), "shared": shared}
    except Unwanted:
        return {"stopped": True}
    except Exception as error:  # a decoder or a method may raise anything on one photo
        words = reason(error).replace(str(photo), task["shown"]).replace(str(place), str(staging.parent))
        return {"failed": words, "memory": isinstance(error, MemoryShortageError) or is_out_of_memory(error)}
    finally:
        if not kept:
            shutil.rmtree(place, ignore_errors=True)


def made_of(made: Mapping[str, Any]) -> Reconstructed:
    """Read back what was made of a photo."""
    seams = None if made["seams"] is None else SeamCost(**{**made["seams"], "shape": tuple(made["seams"]["shape"])})
    trust = None if made["trust"] is None else Trust(**made["trust"])
    return Reconstructed(made["shape"], seams, made["wavelengths"], trust, made["remarks"])


def teller(job: Job) -> Progress:
    """Make a progress callback that tells who waits now and then, and ends the work where nobody does."""
    last = time.monotonic()

    def progress(done: float, words: str) -> None:
        nonlocal last
        if not job.wanted:
            raise Unwanted
        now = time.monotonic()
        if now - last > TOLD:
            last = now
            job.tell({"done": done, "words": words})

    return progress


def _plain(made: Reconstructed) -> dict[str, Any]:
    values = made._asdict()
    return {**values, **{key: None if values[key] is None else asdict(values[key]) for key in ("seams", "trust")}}


def _found(facts: FileFacts, job: Job) -> Path:
    """Return the file itself, or the one that was sent, under its own name."""
    if is_here(facts):
        return Path(facts.path)
    folder = Path(job.scratch) / f"sent-{facts.digest[:16]}"
    path = folder / facts.name
    if not path.exists():
        with suppress(FileExistsError):  # another job of this worker was quicker
            arrange(folder, [facts])
    return path


class _Fetched(Room):
    """Refuses cubes that are too large to be fetched, before they are computed."""

    def __init__(self, worker: str, folder: Path) -> None:
        super().__init__()
        self._worker, self._folder = worker, folder

    @contextmanager
    def reserve(self, target: Path, needed: int, what: str) -> Iterator[Any]:
        if needed > MOST_SENT:
            raise SpecrecError(
                f"worker {self._worker} does not see the folder {self._folder}, and {what} take {needed / 1e6:.0f} MB, "
                f"more than the {MOST_SENT / 1e6:.0f} MB that can be fetched; name a folder that all machines share"
            )
        with super().reserve(target, needed, what) as told:
            yield told


@contextmanager
def _workshop(task: Mapping[str, Any], weights: Path, room: Room | None) -> Iterator[Workshop]:
    """Take a method that is loaded and free, or load one; jobs of one process never share one."""
    choices = Choices(**task["choices"], weights=weights, overwrite=True)
    key = (task["method"], str(weights), weights.stat().st_mtime_ns, choices.device)
    with _lock:
        for other in [other for other in _free if other != key]:  # of an earlier run
            del _free[other]
        ready = _free.setdefault(key, [])
        loaded = ready.pop() if ready else None
    if loaded is None:
        loaded = load_with_card(task["method"], weights, choices.device)
    loaded.method.threads = task["threads"]
    try:
        yield Workshop(loaded, choices, share=task["share"], room=room)
    finally:
        with _lock:
            _free.setdefault(key, []).append(loaded)


_lock = threading.Lock()
_free: dict[tuple[str, str, int, str], list[Loaded]] = {}
