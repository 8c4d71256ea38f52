"""The loop of every training: updates one after the other, watched, told, and kept in checkpoints.

A method writes a `Training`: its networks, its optimisers and one update. `run` does the rest. Killed and started again
with the same checkpoint file and number of threads, a training ends with the same bits on a CPU.
"""

import logging
import math
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from specrec.errors import SpecrecError, UsageError
from specrec.interfaces import FitContext
from specrec.training.checkpoints import CheckpointFile, Identity
from specrec.training.crops import Batch
from specrec.training.recorded import Plain, Recorded, is_wanted

CHECKPOINT_SECONDS = 20.0  # between two checkpoints, unless SPECREC_CHECKPOINT_SECONDS says otherwise
CHECKPOINT_SHARE = 0.02  # of the time that writing checkpoints may take
TOLD_SECONDS = 0.5  # between two words on progress

_log = logging.getLogger(__name__)

Curve = list[dict[str, float]]
"""Mean losses, one entry a round; ``step`` counts updates."""


class Stream(Protocol):
    """Where batches come from: `specrec.training.crops.Crops`, or anything that can be left and taken up again."""

    def next(self) -> Batch:
        """Draw the next batch."""
        ...

    def state(self) -> dict[str, Any]:
        """Return where the stream stands, in plain JSON values."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        ...


class Training(ABC):
    """Networks, their optimisers, and one update.

    Parameters
    ----------
    modules, optimisers
        By name. The networks are on their device and in training mode.
    updates
        How many there are in all.
    round_length
        Updates between two points of the curve.
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        optimisers: Mapping[str, torch.optim.Optimizer],
        updates: int,
        round_length: int,
    ) -> None:
        self.modules = modules
        self.optimisers = optimisers
        self.updates = updates
        self.round_length = round_length
        self.gradient = torch.zeros(())

    @abstractmethod
    def update(self, index: int, batch: Batch) -> dict[str, Tensor]:
        """Do update number `index`, from 0, and return the losses by name; everything must follow from both arguments.

        No other state is kept than that of `modules` and `optimisers`.
        """

    def schedule(self, index: int) -> None:  # noqa: B027 - most learning rates stay as they are
        """Set learning rates before update `index`, from `index` alone."""

    def kind(self, index: int) -> str | None:  # noqa: ARG002 - by default none is recorded
        """Say of which kind update `index` is: those of one kind launch the same kernels on the same memory.

        On CUDA they are then recorded and replayed (`specrec.training.recorded`), so they must not read a number back,
        their optimisers are fused, and a learning rate that changes is a tensor on the device. None: not recorded.
        """
        return None

    def step(self, index: int) -> int:
        """Say how update `index` is counted in the curve and in messages; by default from 1."""
        return index + 1

    def descend(self, name: str, loss: Tensor) -> None:
        """Go one step of an optimiser down the gradient of a loss, and note the length of that gradient."""
        optimiser = self.optimisers[name]
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        gradients = [part.grad for group in optimiser.param_groups for part in group["params"] if part.grad is not None]
        self.gradient = nn.utils.get_total_norm(gradients)
        optimiser.step()


def run(training: Training, stream: Stream, context: FitContext, identity: Mapping[str, Any]) -> Curve:
    """Train to the end and return the loss curve.

    Parameters
    ----------
    training
        What is trained.
    stream
        Of batches.
    context
        Device, threads, progress; `checkpoint` is the file to keep the state in, and to go on from.
    identity
        What makes this training what it is: settings, seed, fingerprints of the scenes.

    Raises
    ------
    SpecrecError
        If a loss or a gradient is no number: the message names step, scene and crop. If the checkpoint is of another
        training or cannot be written.
    """
    loop = _Loop(training, stream, context, identity)
    return loop.run()


def reading_waits(device: torch.device) -> bool:
    """Tell whether reading a number waits for the device, so that losses are read once a round."""
    return device.type != "cpu"


class _Loop:
    def __init__(self, training: Training, stream: Stream, context: FitContext, identity: Mapping[str, Any]) -> None:
        self.training = training
        self.stream = stream
        self.context = context
        device = torch.device(context.device)
        self.circumstances = {"device": device.type, "threads": context.threads, "torch": torch.__version__}
        self.file = (
            None
            if context.checkpoint is None
            else CheckpointFile(
                context.checkpoint,
                Identity({"updates": training.updates, **identity}, self.circumstances, context.identity),
                training.modules,
                training.optimisers,
                device,
            )
        )
        self.device = device
        self.waits = reading_waits(device)
        self.doing = Recorded(training, device) if is_wanted(device) else Plain(training)
        self.done = 0
        self.curve: Curve = []
        self.round: list[dict[str, float]] = []  # losses of the round under way
        self.unread: list[tuple[int, tuple[str, ...], dict[str, Tensor]]] = []  # no batch: a round of them is large
        self.began = time.perf_counter(), time.process_time()

    def run(self) -> Curve:
        self._restore()
        with self.doing.around():
            self._run(_Clock(self.done))
        return self.curve

    def _run(self, clock: "_Clock") -> None:
        while self.done < self.training.updates:
            batch = self.stream.next()
            self.unread.append((self.done, batch.places, self.doing.update(self.done, batch)))
            self.done += 1
            ends = self.done % self.training.round_length == 0 or self.done == self.training.updates
            due = self.file is not None and clock.checkpoint_is_due()
            if ends or due or not self.waits:
                self._read()
            if ends:
                self.curve.append({"step": float(self.training.step(self.done - 1)), **_means(self.round)})
                self.round = []
            if due:
                self._save(clock)
            if not self.unread and (clock.word_is_due() or self.done == self.training.updates):
                self._tell(clock)

    def _read(self) -> None:
        """Read the losses that were not read yet, and stop where one is no number."""
        losses = [value.detach().to(self.device).reshape(()) for _, _, named in self.unread for value in named.values()]
        numbers = iter(torch.stack(losses).tolist() if losses else [])  # the device is waited for once
        for index, places, named in self.unread:
            values = dict(zip(named, numbers, strict=False))
            wrong = [name for name, value in values.items() if not math.isfinite(value)]
            if wrong:
                where = "; ".join(places) or "an unnamed batch"
                kept = self.context.checkpoint
                also = f" (and remove {kept}, which is of this one)" if kept is not None and kept.exists() else ""
                raise SpecrecError(
                    f"training stopped at step {self.training.step(index)}, {' and '.join(wrong)} being no number there"
                    f" ({where}); lower learning_rate{also}, or look at that scene"
                )
            del values["gradient"]
            self.round.append(values)
        self.unread = []

    def _restore(self) -> None:
        values = None if self.file is None else self.file.restore()
        if values is not None:
            self.done, self.curve, self.round = int(values["done"]), values["curve"], values["round"]
            _log.info("going on after %d of %d updates", self.done, self.training.updates)
            self.stream.restore(values["stream"])
            spent = self.context.spent
            spent.wall_seconds, spent.cpu_seconds, spent.starts = values["spent"]
            spent.circumstances = values.get("circumstances", [])  # not kept by specrec 0.6 and before
        if self.circumstances not in self.context.spent.circumstances[-1:]:
            self.context.spent.circumstances.append(self.circumstances)

    def _save(self, clock: "_Clock") -> None:
        if self.file is not None:
            spent = self.context.spent
            seconds = (time.perf_counter() - self.began[0], time.process_time() - self.began[1])
            values = {
                "done": self.done,
                "curve": self.curve,
                "round": self.round,
                "stream": self.stream.state(),
                "spent": [spent.wall_seconds + seconds[0], spent.cpu_seconds + seconds[1], spent.starts + 1],
                "circumstances": spent.circumstances,
            }
            with clock.writing():
                self.file.save(values)

    def _tell(self, clock: "_Clock") -> None:
        losses = _means(self.round) or {name: value for name, value in self.curve[-1].items() if name != "step"}
        words = ", ".join(f"{name} {value:.4f}" for name, value in losses.items())
        self.context.progress(self.done / self.training.updates, f"{words}, {clock.rate(self.done):.3g} updates/s")


def _interval() -> float:
    given = os.environ.get("SPECREC_CHECKPOINT_SECONDS", "")
    try:
        seconds = float(given or CHECKPOINT_SECONDS)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds < math.inf:
        raise UsageError(f"SPECREC_CHECKPOINT_SECONDS is a number of seconds, not {given!r}")
    return seconds


class _Clock:
    """When it is time for a word and for a checkpoint, and how fast it goes; no number of a training depends on it."""

    def __init__(self, done: int) -> None:
        self._started = self._saved = time.monotonic()
        self._first = done
        self._told = -math.inf
        self._writing = 0.0
        self._interval = _interval()

    def word_is_due(self) -> bool:
        return time.monotonic() - self._told >= TOLD_SECONDS

    def checkpoint_is_due(self) -> bool:
        return time.monotonic() - self._saved >= max(self._interval, self._writing / CHECKPOINT_SHARE)

    @contextmanager
    def writing(self) -> Iterator[None]:
        before = time.monotonic()
        yield
        self._saved = time.monotonic()
        self._writing = self._saved - before

    def rate(self, done: int) -> float:
        """Updates a second since this process began; asked for when a word is said."""
        self._told = time.monotonic()
        return (done - self._first) / max(self._told - self._started, 1e-9)


def _means(rounds: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for losses in rounds for name in losses)
    columns = {name: [losses[name] for losses in rounds if name in losses] for name in names}
    return {name: sum(values) / len(values) for name, values in columns.items()}
