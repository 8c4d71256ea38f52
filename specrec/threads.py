"""Threads: how many cores there are, and how many of them the libraries below may use.

Work is spread over large blocks, each computed by kernels of one thread: with small pieces two threads of a BLAS are
slower than one, and their number may change the last bits of a sum.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(task: Callable[[int], object], items: Iterable[int], count: int) -> None:
    """Call `task` with every item, on `count` threads; on one, here and in order. The first error is raised.

    Examples
    --------
    >>> found = [0, 0, 0]
    >>> each(lambda item: found.__setitem__(item, item**2), range(3), count=2)
    >>> found
    [0, 1, 4]
    """
    if count == 1:
        for item in items:
            task(item)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(count) as pool:
        for _ in pool.map(task, items):
            pass


@contextmanager
def library_threads(count: int) -> Iterator[None]:
    """Let every library compute with so many threads, whether it is loaded already or will be.

    Entering it takes 1 to 3 milliseconds: the libraries that are loaded are looked up each time.
    """
    from threadpoolctl import threadpool_limits

    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, str(count)))  # for libraries loaded later
    torch = sys.modules.get("torch")
    torch_threads = torch.get_num_threads() if torch else None
    if torch:
        torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        if torch:
            torch.set_num_threads(torch_threads)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
