"""Threads: how many cores there are, and how many of them the libraries below may use.

Work is spread over large blocks, each computed by kernels of one thread: with small pieces two threads of a BLAS are
slower than one, and their number may change the last bits of a sum.
"""

import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(task: Callable[[int], object], items: Iterable[int], count: int) -> None:
    """Call `task` with every item, on `count` threads; on one, here and in order.

    The error of the first item that has one is raised, and no later item is begun after it.

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

    failed: list[int] = []

    def begin(place: int, item: int) -> None:
        if failed and min(failed) < place:
            return
        try:
            task(item)
        except BaseException:
            failed.append(place)
            raise

    with ThreadPoolExecutor(count, initializer=_follow) as pool:
        for _ in pool.map(begin, itertools.count(), items):
            pass


@contextmanager
def library_threads(count: int) -> Iterator[None]:
    """Let every library compute with so many threads, whether it is loaded already or will be.

    The number is one for the whole process. Where several ask at once, the latest that still runs has its way, and the
    last one to leave puts back what was before the first. Entering takes 1 to 3 milliseconds: the libraries that are
    loaded are looked up each time.
    """
    asked = [count]  # an object of its own, told from others of the same number
    with _lock:
        if not _asking:
            _before.append(_Settings())
        _asking.append(asked)
        _set(count)
    try:
        yield
    finally:
        with _lock:
            _asking[:] = [other for other in _asking if other is not asked]
            if _asking:
                _set(_asking[-1][0])
            else:
                _before.pop().put_back()


_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_lock = threading.Lock()
_asking: list[list[int]] = []
_before: list["_Settings"] = []


class _Settings:
    """How many threads libraries have now, to be put back."""

    def __init__(self) -> None:
        from threadpoolctl import threadpool_limits

        self._variables = {name: os.environ.get(name) for name in _VARIABLES}
        self._torch = sys.modules["torch"].get_num_threads() if "torch" in sys.modules else None
        self._limits = threadpool_limits(None)

    def put_back(self) -> None:
        """Give the libraries that were loaded then what they had."""
        self._limits.restore_original_limits()
        if self._torch is not None:
            sys.modules["torch"].set_num_threads(self._torch)
        for name, value in self._variables.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _follow() -> None:
    """Take the number that is asked for in a new thread too: OpenMP keeps one for every thread."""
    if _asking:
        _set(_asking[-1][0])


def _set(count: int) -> None:
    from threadpoolctl import threadpool_limits

    os.environ.update(dict.fromkeys(_VARIABLES, str(count)))  # for libraries loaded later
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    threadpool_limits(count)
