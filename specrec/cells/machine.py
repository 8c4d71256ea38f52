"""What a cell is computed on, as its record names it: the processor, and the accelerator."""

import platform
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def processor() -> str:
    """Name the processor, such as ``Intel(R) Xeon(R) Platinum 8480+``; at least its kind, such as ``x86_64``."""
    found = ""
    with suppress(OSError, subprocess.SubprocessError):
        if sys.platform == "linux":
            lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
            found = next((line.partition(":")[2] for line in lines if line.startswith("model name")), "")
        elif sys.platform == "darwin":
            command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False).stdout
    return " ".join((found.strip() or platform.processor() or platform.machine() or "unknown").split())


def accelerator(device: str) -> str | None:
    """Name the GPU of a device such as ``cuda:0``; None where it is none of NVIDIA's."""
    if not device.startswith("cuda"):
        return None
    with suppress(Exception):  # what it is called decides nothing
        import torch

        return str(torch.cuda.get_device_name(device))
    return None
