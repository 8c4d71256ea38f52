"""What the harness gives a method beside the scenes while it learns."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specrec.interfaces.progress import Progress, silent


@dataclass
class Spent:
    """What earlier starts of a training took that goes on from a checkpoint; the training fills it in."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    starts: int = 0
    circumstances: list[dict[str, Any]] = field(default_factory=list)
    """Of this start and those before, where they differ: the latest last. Device, threads, version of torch."""


@dataclass(frozen=True)
class FitContext:
    """What the harness gives a method beside the scenes.

    Parameters
    ----------
    seed
        The only source of randomness: the same seed gives the same fitted method.
    device
        ``"cpu"``, ``"cuda:0"`` or ``"mps"``, as torch spells it; methods without a network ignore it.
    threads
        How many threads to compute with. Numbers must not depend on anything but this.
    progress
        Call it now and then.
    checkpoint
        A file where a long training may keep its state, to go on from there when it is started again; None: nowhere.
        The harness removes it when what was trained is safe elsewhere.
    spent
        Filled in by a training that goes on from there.
    identity
        Says what code and data the training is of. Keep it in the checkpoint, and go on only where it is the same; a
        checkpoint of another one is removed. Empty: nothing is asked for.
    """

    seed: int = 0
    device: str = "cpu"
    threads: int = 1
    progress: Progress = silent
    checkpoint: Path | None = None
    spent: Spent = field(default_factory=Spent)
    identity: str = ""
