"""A reproducible torch session: the device asked for, the threads asked for, one seed, nothing global left behind."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from specrec.errors import UsageError
from specrec.interfaces import FitContext


def choose_device(wanted: str) -> str:
    """Turn ``auto``, ``cpu``, ``cuda[:N]`` or ``mps`` into a device that is there.

    Raises
    ------
    UsageError
        If it is not there or not a device; the message says what is.
    """
    cuda = cuda_devices()
    mps = torch.backends.mps.is_available()
    if wanted == "auto":
        return "cuda:0" if cuda else "mps" if mps else "cpu"
    there = ["cpu", *cuda, *(["mps"] if mps else [])]
    chosen = "cuda:0" if wanted == "cuda" else wanted
    if chosen not in there:
        raise UsageError(f"there is no device {wanted!r} here; there is {', '.join(there)}")
    return chosen


def cuda_devices() -> list[str]:
    """Every CUDA device there is."""
    return [f"cuda:{index}" for index in range(torch.cuda.device_count())]


@contextmanager
def session(context: FitContext) -> Iterator[torch.device]:
    """Seed torch, set its threads, ask for deterministic kernels and exact float32; put all of it back at the end.

    Parameters
    ----------
    context
        Seed, threads and device are used.
    """
    device = torch.device(context.device)
    threads = torch.get_num_threads()
    with exact(), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(context.seed)
        torch.set_num_threads(context.threads)
        try:
            yield device
        finally:
            torch.set_num_threads(threads)


@contextmanager
def exact() -> Iterator[None]:
    """Let CUDA's convolutions repeat to the bit, and compute float32 as float32: it would shorten products to TF32."""
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.allow_tf32
    cudnn.deterministic, cudnn.allow_tf32 = True, False
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.allow_tf32 = before
