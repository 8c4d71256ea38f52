"""Reconstructing any number of photos: a bad one does not stop the others, and reading and writing overlap computing.

Where photos are computed one at a time, two are in work: while one is read or its tile written and examined, a tile of
the other is computed. Where more are computed at a time these overlap by themselves, and another in work only cost time
(`benchmarks/speed/many_photos.py`). Each has a method of its own, its share of the memory and its share of the cores.
"""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from specrec.errors import MemoryShortageError, SpecrecError, Stopped, in_a_line
from specrec.memory import is_out_of_memory
from specrec.reconstruction.loading import Loaded, load_with_card
from specrec.reconstruction.one_photo import Choices, Reconstructed, Workshop
from specrec.reconstruction.outputs import Work, split_existing
from specrec.reconstruction.room import Room
from specrec.threads import available_cores, library_threads

_LOG = logging.getLogger("specrec.reconstruction")


class Watcher:
    """Is told how the work goes, by the thread that asked for it, `progress` by others; here all do nothing."""

    def note(self, words: str) -> None:
        """Take notice of a sentence about the work; called from several threads."""

    def begun(self, workshop: Workshop, total: int) -> None:
        """Take notice that the method is loaded, and of how many photos there are to reconstruct."""

    def progress(self, work: Work, done: float, words: str) -> None:
        """Take notice of the fraction of a photo that is done; called from several threads."""

    def finished(self, work: Work, found: Reconstructed) -> None:
        """Take notice of a cube that is written."""

    def failed(self, work: Work, error: Exception) -> None:
        """Take notice of a photo that could not be reconstructed."""

    def stopping(self) -> None:
        """Take notice that the work ends early, and that tiles which are computed just now are waited for."""

    def kept(self, work: Work, existing: Path, missing: Path | None) -> None:
        """Take notice of a photo that was left out because a file exists that it would make, and perhaps one misses."""


@dataclass
class Outcome:
    """What became of the photos, each list in the order of the work given."""

    finished: dict[Work, Reconstructed] = field(default_factory=dict)
    failed: dict[Work, Exception] = field(default_factory=dict)
    kept: list[Work] = field(default_factory=list)
    """Left out because a file that they would make exists."""
    partial: list[Work] = field(default_factory=list)
    """Those of `kept` of which another file does not exist."""


class InterruptedAgain(KeyboardInterrupt):
    """Ctrl-C came again while tiles were waited for: threads of this process still compute them.

    Whoever catches it ends the process (`specrec.cache.drop_unfinished` first), or waits for them at its end.
    """


class _Stopped(Stopped):
    """Ends a photo that nobody waits for any more; no method may catch it."""


def reconstruct_files(
    method: str,
    works: Sequence[Work],
    choices: Choices | None = None,
    *,
    jobs: int = 1,
    overlap: bool = True,
    dask: str | None = None,
    watcher: Watcher | None = None,
) -> Outcome:
    """Reconstruct photos into cube files; what fails is told and the rest goes on.

    Parameters
    ----------
    method
        As for `specrec.load`.
    works
        Photos and their cubes, as `specrec.reconstruction.name_outputs` gives them.
    choices
        For all of them; its threads are those of all jobs together.
    jobs
        How many photos are computed at a time. A method that draws random numbers computes one at a time.
    overlap
        Whether, with one job, a photo is read and written while another is computed.
    dask
        A Dask cluster that computes them instead, as `specrec.cluster.address.parse_address` reads it. There `choices`
        mean one photo, with one thread unless told, and `jobs` nothing: a worker takes as many as it has slots.
    watcher
        Is told of each photo when it is finished.

    Returns
    -------
    What became of each. A photo whose output exists is kept unless `choices` admit to overwrite.

    Raises
    ------
    UsageError, SpecrecError
        What concerns all photos, before any work: the method, its weights, the device, the tiles, the form.
    KeyboardInterrupt
        After Ctrl-C: cubes that are finished stay, and nothing is half written. `InterruptedAgain` where it came again.
    """
    chosen, watching = choices or Choices(), watcher or Watcher()
    chosen.check(works)
    cores = chosen.threads or available_cores()
    # a cluster's workers choose from the devices they have
    loaded = load_with_card(method, chosen.weights, "cpu" if dask is not None else chosen.device, cores)
    chosen.check_bands(loaded)
    outcome = Outcome()
    todo = []
    for work in works:
        there, missing = split_existing(chosen.files(work.target))
        if chosen.overwrite or not there:
            todo.append(work)
            continue
        outcome.kept.append(work)
        outcome.partial += [work] if missing else []
        watching.kept(work, there[0], missing[0] if missing else None)
    if dask is not None:
        from specrec.reconstruction.photos_on_cluster import reconstruct_on_cluster

        reconstruct_on_cluster(method, todo, Workshop(loaded, chosen), dask, outcome, watching)
    else:
        _reconstruct_here(method, todo, loaded, chosen, jobs, overlap, outcome, watching)
    outcome.finished = {work: outcome.finished[work] for work in todo if work in outcome.finished}
    outcome.failed = {work: outcome.failed[work] for work in todo if work in outcome.failed}
    return outcome


def _reconstruct_here(
    method: str,
    todo: Sequence[Work],
    loaded: Loaded,
    chosen: Choices,
    jobs: int,
    overlap: bool,
    outcome: Outcome,
    watching: Watcher,
) -> None:
    cores = chosen.threads or available_cores()
    if not loaded.method.tiles_exactly:  # whole images take the memory there is, and draws come from one generator
        jobs, overlap = 1, False
    jobs = max(1, min(jobs, len(todo)))
    workers = max(1, min(2 if overlap and jobs == 1 else jobs, len(todo)))
    loaded.method.threads = max(1, cores // jobs)
    computing, decoding = threading.Semaphore(jobs), threading.Lock()
    workshops: SimpleQueue[Workshop] = SimpleQueue()
    room = Room()
    first = Workshop(loaded, chosen, workers, computing, decoding, room)
    watching.begun(first, len(todo))
    workshops.put(first)
    for _ in range(1, workers):
        another = load_with_card(method, loaded.path, loaded.method.device, loaded.method.threads)
        workshops.put(Workshop(another, chosen, workers, computing, decoding, room))
    with library_threads(loaded.method.threads):
        _reconstruct(todo, workshops, workers, outcome, watching)


def _reconstruct(
    todo: Sequence[Work], workshops: "SimpleQueue[Workshop]", workers: int, outcome: Outcome, watching: Watcher
) -> None:
    stop = threading.Event()
    again: list[Work] = []  # what memory did not hold beside others

    def make(work: Work) -> Reconstructed:
        def progress(done: float, words: str) -> None:
            if stop.is_set():
                raise _Stopped
            watching.progress(work, done, words)

        progress(0.0, "")
        workshop = workshops.get()
        workshop.share = workers
        try:
            return workshop.make(work.photo, work.target, progress)
        finally:
            workshops.put(workshop)

    def note(work: Work, future: "Future[Reconstructed]") -> None:
        try:
            found = future.result()
        except Exception as error:  # a decoder or a method may raise anything on one photo
            if workers > 1 and (isinstance(error, MemoryShortageError) or is_out_of_memory(error)):
                again.append(work)
                return
            _LOG.debug("%s failed", work.photo, exc_info=True)
            outcome.failed[work] = error
            watching.failed(work, error)
        else:
            outcome.finished[work] = found
            watching.finished(work, found)

    if workers == 1:
        for work in todo:
            future: Future[Reconstructed] = Future()
            try:
                future.set_result(make(work))
            except Exception as error:
                future.set_exception(error)
            note(work, future)
        return
    pool = ThreadPoolExecutor(workers)
    futures = {pool.submit(make, work): work for work in todo}
    try:
        for future in as_completed(futures):
            note(futures[future], future)
    except BaseException:
        stop.set()
        try:
            watching.stopping()
            pool.shutdown(cancel_futures=True)
        except KeyboardInterrupt:
            raise InterruptedAgain from None
        raise
    pool.shutdown()
    if again:
        _reconstruct(again, workshops, 1, outcome, watching)


def reason(error: Exception) -> str:
    """Say in one line why a photo failed."""
    if isinstance(error, SpecrecError):
        text = str(error)
    elif is_out_of_memory(error):
        text = "memory ran out; use fewer --jobs, or end other programs"
    elif isinstance(error, OSError) and error.strerror:
        text = f"{error.filename or 'the system'}: {error.strerror}"
    else:
        text = in_a_line(error)
    return text.partition("\n")[0]
