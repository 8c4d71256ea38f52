"""What the workers of a cluster must have for a method: the same plugin, and devices of their own choice."""

import os
import socket
from pathlib import Path
from typing import Any

from specrec.cluster.job import RefusalError
from specrec.errors import UsageError
from specrec.interfaces import Reconstructor
from specrec.registry import registry
from specrec.registry.sameness import identity, unlike

DEVICES = ("auto", "cpu", "cuda")
"""What ``--device`` may say with a cluster."""


def provider(name: str, *, now: bool = False) -> dict[str, Any] | None:
    """Say who offers a method here, as `specrec.registry.sameness.identity` does; None: nobody."""
    offer = registry().reconstructors.get(name)
    return None if offer is None else identity(offer, now=now)


def check_provider(name: str, theirs: dict[str, Any], *, now: bool = False) -> None:
    """Refuse to work with a method that is not here as it is where the work was asked for: RefusalError.

    With `now` its code is read once more: the work is done in a process that is started for it.
    """
    unfit = unlike(f"the method {name}", theirs, provider(name, now=now), "this run")
    if unfit is not None:
        raise RefusalError(f"{socket.gethostname()} {unfit}")


def sees(folder: Path) -> bool:
    """Say whether this machine sees a folder, whose name nobody else has."""
    return folder.is_dir()


def check_device(device: str) -> None:
    """Refuse a device that names one of this machine's: UsageError."""
    if device not in DEVICES:
        raise UsageError(
            f"--device {device} names a device of one machine; with --dask choose from {', '.join(DEVICES)}, and start"
            " each worker with its own CUDA_VISIBLE_DEVICES"
        )


def wants_gpu(method: type[Reconstructor], device: str) -> bool:
    """Whether a job of a method goes to a worker with a GPU, where there are such."""
    return "torch" in method.requires and device != "cpu"


def own_devices(device: str, *, networks: bool) -> list[str]:
    """List the CUDA devices of this machine for workers of its own, as ``CUDA_VISIBLE_DEVICES`` names them."""
    if device == "cpu" or not networks:
        return []
    from specrec.training.session import cuda_devices

    count = len(cuda_devices())
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return [str(index) for index in range(count)] if visible is None else visible.split(",")[:count]
