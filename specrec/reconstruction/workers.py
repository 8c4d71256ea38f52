"""What the workers of a cluster must have for a method: the same plugin, and devices of their own choice."""

import os
import socket
from pathlib import Path

from specrec.cluster.job import RefusalError
from specrec.errors import UsageError
from specrec.interfaces import Reconstructor
from specrec.registry import registry

DEVICES = ("auto", "cpu", "cuda")
"""What ``--device`` may say with a cluster."""


def provider(name: str) -> str:
    """Say which distribution offers a method here, with its version; empty: none does."""
    offer = registry().reconstructors.get(name)
    return "" if offer is None else f"{offer.distribution} {offer.version}"


def check_provider(name: str, theirs: str) -> None:
    """Refuse to work with a method that is not here as it is where the work was asked for: RefusalError."""
    mine = provider(name)
    if mine != theirs:
        have = f"has {mine} for" if mine else "lacks"
        raise RefusalError(f"{socket.gethostname()} {have} the method {name}; install {theirs} there")


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
