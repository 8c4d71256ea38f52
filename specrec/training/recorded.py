"""Updates on a CUDA device: recorded once as a graph of kernels, then replayed with one launch.

At batch 1 an update of a small network is hundreds of kernels of a few microseconds each, and starting them one by one
takes several times as long as they run. A replay does the same arithmetic in the same order.
"""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from specrec.training.crops import Batch

if TYPE_CHECKING:
    from specrec.training.loop import Training

UNRECORDED = 3  # updates of each kind at first, in which libraries choose their kernels and optimisers make their state


def is_wanted(device: torch.device) -> bool:
    """Tell whether updates on a device are recorded: on CUDA, unless SPECREC_CUDA_GRAPHS is 0."""
    return device.type == "cuda" and os.environ.get("SPECREC_CUDA_GRAPHS", "1") != "0"


class Plain:
    """Does every update as it is written.

    Parameters
    ----------
    training
        Whose updates.
    """

    def __init__(self, training: "Training") -> None:
        self.training = training

    def update(self, index: int, batch: Batch) -> dict[str, Tensor]:
        """Do one update; return its losses, and the length of its gradient as ``gradient``."""
        self.training.schedule(index)
        losses = self.training.update(index, batch)
        return {**losses, "gradient": self.training.gradient}

    @contextmanager
    def around(self) -> Iterator[None]:
        """What all updates are done in."""
        yield


class Recorded(Plain):
    """Does the first updates of each kind as they are written, and replays the others.

    Parameters
    ----------
    training
        Whose updates; those whose `Training.kind` is None are never recorded.
    device
        A CUDA device, on which the networks are.
    """

    def __init__(self, training: "Training", device: torch.device) -> None:
        super().__init__(training)
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._seen: Counter[str | None] = Counter()
        self._records: dict[tuple[object, ...], _Record] = {}

    def update(self, index: int, batch: Batch) -> dict[str, Tensor]:
        """Do one update; return its losses, and the length of its gradient as ``gradient``."""
        kind = self.training.kind(index)
        if kind is None or self._seen[kind] < UNRECORDED:
            self._seen[kind] += 1
            return super().update(index, batch)
        self.training.schedule(index)
        key = kind, batch.rgb.shape, batch.cube.shape
        if key not in self._records:
            self._records[key] = _Record(self.training, index, batch, self._stream)
        return self._records[key].replay(batch)

    @contextmanager
    def around(self) -> Iterator[None]:
        """Work on a stream of its own, because the one that is there cannot be recorded."""
        before = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(before)
        with torch.cuda.stream(self._stream):
            yield
        before.wait_stream(self._stream)


class _Record:
    def __init__(self, training: "Training", index: int, batch: Batch, stream: torch.cuda.Stream) -> None:
        self._batch = Batch(torch.empty_like(batch.rgb), torch.empty_like(batch.cube))  # their layout, too
        self._graph = torch.cuda.CUDAGraph()
        with _recordable(training), torch.cuda.graph(self._graph, stream=stream, capture_error_mode="thread_local"):
            losses = training.update(index, self._batch)
            self._names = [*losses, "gradient"]
            self._values = torch.stack([*losses.values(), training.gradient])

    def replay(self, batch: Batch) -> dict[str, Tensor]:
        self._batch.rgb.copy_(batch.rgb)
        self._batch.cube.copy_(batch.cube)
        self._graph.replay()
        return dict(zip(self._names, self._values.clone().unbind(), strict=True))


@contextmanager
def _recordable(training: "Training") -> Iterator[None]:
    """Tell optimisers that they are recorded; elsewhere they would warn of it."""
    groups = [group for one in training.optimisers.values() for group in one.param_groups if "capturable" in group]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group in groups:
            group["capturable"] = False
