"""Photos over a cluster: each is one job, given out from here, and its cube is put in place here.

So a job that is begun again, because its worker was lost, replaces nothing, and no cube is there before it is whole.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import as_completed
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from specrec.cache import put_in_place
from specrec.cluster import ClusterError
from specrec.cluster.connecting import Connection, connected
from specrec.cluster.executor import ClusterExecutor
from specrec.cluster.files import FileFacts, facts_of
from specrec.cluster.given import Again, Done
from specrec.cluster.job import Answer
from specrec.cluster.sending import Sender
from specrec.cluster.workers import identities, look_at
from specrec.errors import SpecrecError, UsageError
from specrec.images import Photo
from specrec.reconstruction.many_photos import Outcome, Watcher
from specrec.reconstruction.one_photo import Workshop
from specrec.reconstruction.outputs import Work
from specrec.reconstruction.photo_job import MOST_SENT, made_of, reconstruct_photo
from specrec.reconstruction.staging import staging
from specrec.reconstruction.workers import check_device, own_devices, provider, wants_gpu


def reconstruct_on_cluster(
    method: str, todo: Sequence[Work], workshop: Workshop, dask: str, outcome: Outcome, watching: Watcher
) -> None:
    """Reconstruct photos on the workers of a cluster, and note in `outcome` what became of each.

    Parameters
    ----------
    method
        As the user wrote it.
    todo
        Photos and their cubes.
    workshop
        With the method, loaded here, and the choices; threads are those of one photo, one unless told.
    dask
        As for `specrec.cluster.connecting.connected`.
    outcome, watching
        Are told.

    Raises
    ------
    UsageError
        For a method that draws random numbers where it reconstructs.
    ClusterError
        If the cluster cannot do the work at all, or no longer; what is finished stays.
    """
    if not workshop.loaded.method.tiles_exactly:
        raise UsageError(f"{method} as it is set draws random numbers, photo after photo; leave --dask out")
    check_device(workshop.choices.device)
    watching.begun(workshop, len(todo))
    if not todo:
        return
    with ExitStack() as stack:
        device, networks = workshop.choices.device, "torch" in workshop.loaded.method.requires
        connection = stack.enter_context(connected(dask, watching.note, own_devices(device, networks=networks)))
        folders = {folder: stack.enter_context(staging(folder)) for folder in {work.target.parent for work in todo}}
        run = _Run(method, workshop, connection, folders, watching)
        again = run.round(todo, outcome)
        for work in again:  # what memory did not hold beside others
            run.round([work], outcome, alone=True)


class _Run:
    """What all photos have in common."""

    def __init__(
        self, method: str, workshop: Workshop, connection: Connection, folders: Mapping[Path, Path], watching: Watcher
    ) -> None:
        choices, loaded = workshop.choices, workshop.loaded
        self._choices, self._connection, self._folders, self._watching = choices, connection, folders, watching
        self._sender = Sender(connection.client, watching.note)
        self._threads = choices.threads or 1
        self._gpu = wants_gpu(type(loaded.method), choices.device)
        kept = {key: value for key, value in asdict(choices).items() if key not in ("weights", "overwrite")}
        self._task = {
            "method": method,
            "provider": provider(loaded.method.name),
            "choices": {**kept, "threads": self._threads},
            "threads": self._threads,
            "share": _most_slots(connection),
            "weights": facts_of(loaded.path, loaded.path.parent),
        }

    def round(self, todo: Sequence[Work], outcome: Outcome, *, alone: bool = False) -> list[Work]:
        """Give the photos out, and return those that memory did not hold beside others."""
        by_label = {str(work.photo): work for work in todo}

        def told(label: str, message: Mapping[str, Any]) -> None:
            if label in by_label:
                self._watching.progress(by_label[label], message["done"], message["words"])

        executor = ClusterExecutor(
            self._connection, threads=self._threads, told=told, note=self._watching.note, receive=self._receive
        )
        done = False
        again = []
        try:
            futures = {}
            for number, work in enumerate(todo):
                try:
                    task = self._of(work, number)
                except Exception as error:  # there is no such photo, say
                    self._fail(work, error, outcome)
                    continue
                futures[executor.submit(reconstruct_photo, task, label=str(work.photo), gpu=self._gpu)] = work
            for future in as_completed(futures):
                work = futures[future]
                try:
                    found = future.result()
                except ClusterError:
                    raise
                except Exception as error:
                    self._fail(work, error, outcome)
                    continue
                if found["made"] is not None:
                    outcome.finished[work] = made_of(found["made"])
                    self._watching.finished(work, outcome.finished[work])
                elif found["memory"] and not alone:
                    again.append(work)
                else:
                    self._fail(work, SpecrecError(found["failed"]), outcome)
            done = True
        finally:
            executor.shutdown(cancel_futures=not done)
        return again

    def _of(self, work: Work, number: int) -> dict[str, Any]:
        try:
            photo = facts_of(work.photo, work.photo.parent)
        except OSError:
            Photo(work.photo)  # which says it better
            raise
        return {
            **self._task,
            "photo": photo,
            "shown": str(work.photo),
            "number": number,
            "staging": str(self._folders[work.target.parent]),
            "target": work.target.name,
            "path": str(work.target),
        }

    def _fail(self, work: Work, error: Exception, outcome: Outcome) -> None:
        outcome.failed[work] = error
        self._watching.failed(work, error)

    def _receive(self, args: tuple[Any, ...], answer: Answer) -> Done | Again:
        """Send what a worker does not see, or put in place what it has made."""
        (task,), value = args, answer.value
        if "unseen" in value:
            sent = {name: self._sendable(task, name, answer.worker) for name in value["unseen"]}
            self._sender.send(answer.worker, list(sent.values()))
            return Again(({**task, **sent},), answer.worker)
        if "made" not in value:
            return Done({"made": None, "failed": value.get("failed", "it was stopped"), "memory": value.get("memory")})
        place = Path(value["place"])
        if not value["shared"]:
            fetched = Path(task["staging"]) / f"fetched-{task['number']}"
            made = [(name, size, fetched / name) for name, size in value["files"].items()]
            self._sender.fetch(answer.worker, str(place), made)
            self._sender.remove(answer.worker, str(place))
            place = fetched
        target = Path(task["path"])
        files = [path for path in self._choices.files(target) if path.name in value["files"]]
        put_in_place([place / path.name for path in files], files, overwrite=self._choices.overwrite)
        with suppress(OSError):
            place.rmdir()
        return Done({"made": value["made"]})

    def _sendable(self, task: Mapping[str, Any], name: str, worker: str) -> FileFacts:
        facts: FileFacts = task[name]
        if facts.size > MOST_SENT:
            raise SpecrecError(
                f"worker {worker} does not see {facts.path}, and its {facts.size / 1e6:.0f} MB are more than the "
                f"{MOST_SENT / 1e6:.0f} MB that can be sent; put it on storage that all machines share"
            )
        if not facts.name:
            facts = replace(facts, name=Path(facts.path).name)
        return facts.with_digest()


def _most_slots(connection: Connection) -> int:
    """Count the jobs that share the memory of one machine, of the one with most."""
    slots: dict[str, int] = defaultdict(int)
    for worker in look_at(connection.client, identities(connection.client)):
        slots[worker.host] += worker.slots
    return max(slots.values(), default=1)
