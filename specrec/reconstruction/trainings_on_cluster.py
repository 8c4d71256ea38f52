"""Trainings over a cluster: each is one job, on data that its worker sees or that is sent to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from specrec.cache import put_in_place
from specrec.cluster.connecting import Connection, connected
from specrec.cluster.executor import ClusterExecutor
from specrec.cluster.files import FileFacts, facts_of
from specrec.cluster.given import Again, Done, LostError
from specrec.cluster.job import Answer
from specrec.cluster.sending import Sender
from specrec.errors import SpecrecError
from specrec.interfaces import SceneSource
from specrec.parameters import parse_spec
from specrec.reconstruction.staging import staging
from specrec.reconstruction.training import appeared, stored_beside
from specrec.reconstruction.training_job import train_on_worker
from specrec.reconstruction.workers import provider, wants_gpu
from specrec.registry import registry


@contextmanager
def cluster_trainings(
    dask: str,
    source: SceneSource,
    names: Sequence[str],
    folder: Path,
    threads: int,
    devices: Sequence[str],
    progress: Callable[[str, float, str], None],
    note: Callable[[str, str], None],
) -> Iterator[Executor]:
    """Connect to a cluster, and give what takes the values of trainings and gives the cards of weights.

    Parameters
    ----------
    dask
        As for `specrec.cluster.connecting.connected`.
    source, names
        The data set, and its scenes that are used.
    folder
        Of the weights.
    threads
        Of each training.
    devices
        CUDA devices for workers of this machine.
    progress, note
        As for `specrec.process_pool.ProcessPool`.

    Raises
    ------
    ClusterError, UsageError
        If the cluster cannot do the work at all.
    """
    files = {file: None for name in names for file in source.files(name)}
    facts = [facts_of(file, source.path) for file in files]

    def said(words: str) -> None:
        note("", words)

    with connected(dask, said, devices) as connection, staging(folder) as place:
        executor = _Trainings(connection, facts, place, threads, progress, note)
        done = False
        try:
            yield executor
            done = True
        finally:
            executor.shutdown(cancel_futures=not done)


class _Trainings(Executor):
    def __init__(
        self,
        connection: Connection,
        files: Sequence[FileFacts],
        place: Path,
        threads: int,
        progress: Callable[[str, float, str], None],
        note: Callable[[str, str], None],
    ) -> None:
        def told(label: str, message: Mapping[str, Any]) -> None:
            if "note" in message:
                note(label, message["note"])
            else:
                progress(label, message["done"], message["words"])

        def said(words: str) -> None:
            note("", words)

        self._files, self._place = list(files), place
        self._sender = Sender(connection.client, said)
        self._jobs = ClusterExecutor(connection, threads=threads, told=told, note=said, receive=self._receive)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_kwargs: Any) -> Future[Any]:  # noqa: ARG002 - one only
        """Do the training whose values are given."""
        values = args[0]
        name, _ = parse_spec(values["method"])
        task = {"training": values, "files": self._files, "staging": str(self._place), "provider": provider(name)}
        gpu = wants_gpu(registry().reconstructor(name), values["device"])
        return self._jobs.submit(train_on_worker, task, label=values["label"], gpu=gpu)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop."""
        self._jobs.shutdown(wait, cancel_futures=cancel_futures)

    def _receive(self, args: tuple[Any, ...], answer: Answer) -> Done | Again:
        """Send what a worker does not see, or fetch the weights from one that does not see their place."""
        (task,), value = args, answer.value
        if "unseen" in value:
            files = list(task["files"])
            for index in value["unseen"]:
                if not files[index].name:
                    raise SpecrecError(
                        f"worker {answer.worker} does not see {files[index].path}, and it cannot be sent, for it lies "
                        "outside of the data set's folder; put it on storage that all machines share"
                    )
                files[index] = files[index].with_digest()
            self._sender.send(answer.worker, [files[index] for index in value["unseen"]])
            return Again(({**task, "files": files},), answer.worker)
        if "card" not in value:
            raise SpecrecError(value.get("failed", "it was stopped"))
        if not value["shared"]:
            target, overwrite = Path(task["training"]["target"]), task["training"]["overwrite"]
            fetched = self._place / target.name
            made = Path(value["path"])
            self._sender.fetch(answer.worker, str(made.parent), [(made.name, value["size"], fetched)])
            with suppress(LostError):  # the weights are here
                self._sender.remove(answer.worker, str(made.parent))
            stored = stored_beside(
                target, lambda path, replaces: put_in_place([fetched], [path], overwrite=replaces), overwrite=overwrite
            )
            if stored != target:
                raise appeared(target, stored)
        return Done(value["card"])
