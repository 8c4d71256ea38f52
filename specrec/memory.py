"""How much memory there is to compute with: what the system, its control groups and the user's limits leave."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

_UNKNOWN = 2 << 30  # bytes, where the system does not say
_MEMINFO = Path("/proc/meminfo")
_OWN_GROUPS = Path("/proc/self/cgroup")
_GROUPS = Path("/sys/fs/cgroup")


def available_memory(device: str = "cpu") -> int:
    """Bytes that can be taken now.

    Parameters
    ----------
    device
        As torch spells it; for a CUDA device its own memory counts, for every other one the host's.

    Returns
    -------
    On Linux the least of what the system has available, what the process's control groups leave, and what the limit of
    the address space (``ulimit -v``) leaves; elsewhere half of the machine's memory.
    """
    if device.startswith("cuda"):
        import torch

        free, _total = torch.cuda.mem_get_info(torch.device(device))
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return max(0, min([_of_the_system(), *_of_control_groups(), *_of_the_address_space()]))


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether this is a lack of memory: Python's, or torch's on any device, which is a RuntimeError on a CPU.

    Examples
    --------
    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("sizes differ"))
    (True, False)
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = r"out of memory|not enough memory|can't allocate memory|STATUS_ALLOC_FAILED"
    return isinstance(error, RuntimeError) and re.search(words, str(error), re.IGNORECASE) is not None


def peak_of(process: int | str = "self") -> int | None:
    """Most bytes that a process has had resident so far, by its id; None where the system cannot tell, or it ended."""
    try:
        found = re.search(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text("ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) << 10 if found else None


def _of_the_system() -> int:
    try:
        found = re.search(r"^MemAvailable: +(\d+) kB", _MEMINFO.read_text("ascii"), re.MULTILINE)
        if found:
            return int(found[1]) << 10
    except OSError:  # no Linux
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return _UNKNOWN


def _of_control_groups() -> Iterator[int]:
    """What each memory control group above this process leaves, of version 2 and of version 1."""
    try:
        lines = _OWN_GROUPS.read_text("utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, name = line.split(":", 2)
        if number == "0":
            root, limit, used = _GROUPS, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            root, limit, used = _GROUPS / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        own = root / name.lstrip("/")  # inside a container the name may be another's view: then only the root is there
        for group in (own, *own.parents):
            if not group.is_relative_to(root):
                break
            most, now = _number(group / limit), _number(group / used)
            if most is not None and now is not None:
                yield most - now + _page_cache(group)


def _page_cache(group: Path) -> int:
    """Bytes counted as used that the system gives back when they are needed."""
    try:
        found = re.search(r"^(?:total_)?inactive_file (\d+)", (group / "memory.stat").read_text("ascii"), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def _of_the_address_space() -> Iterator[int]:
    try:
        import resource

        limit, _hard = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
            yield limit - pages * resource.getpagesize()
    except (ImportError, OSError):  # Windows, or no Linux
        return


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):  # no such group, or "max": no limit
        return None
