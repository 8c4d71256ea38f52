"""What the whole process shares and a plugin may change while it is loaded: it is put back, and told.

A number type, a way of warning or a folder that one plugin sets for itself would change the rows of all others. New
variables of the environment stay, as libraries set some for themselves, but for specrec's and the numbers of threads.
"""

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import numpy as np

_OURS = ("SPECREC_", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_")
Handler = Callable[[int, FrameType | None], Any] | int | None


@contextmanager
def kept(told: Callable[[str], None]) -> Iterator[None]:
    """Put back at the end of the block what it has changed, and tell each thing in a word or two."""
    watches = (_modules, _folder, _environment, _numpy, _warnings, _recursion, _signals, _logging, _torch)
    watched = [watch() for watch in watches]
    try:
        yield
    finally:
        for put_back in watched:
            with suppress(OSError, ValueError, TypeError, RecursionError):
                if changed := put_back():
                    told(changed)


def _modules() -> Callable[[], str | None]:
    before = dict(sys.modules)

    def put_back() -> str | None:
        gone = {name: module for name, module in before.items() if sys.modules.get(name) is not module}
        sys.modules.update(gone)
        return "the list of loaded modules" if gone else None

    return put_back


def _folder() -> Callable[[], str | None]:
    before = _where()

    def put_back() -> str | None:
        if before is None or _where() == before:
            return None
        os.chdir(before)
        return "the working folder"

    return put_back


def _where() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - pathlib has no other
    except OSError:  # it is gone
        return None


def _environment() -> Callable[[], str | None]:
    before = dict(os.environ)

    def put_back() -> str | None:
        now = dict(os.environ)
        new = [name for name in now if name not in before and name.startswith(_OURS)]
        changed = [name for name, value in before.items() if now.get(name) != value]
        for name in new:
            del os.environ[name]
        os.environ.update({name: before[name] for name in changed})
        return f"the environment ({', '.join(sorted(new + changed)[:3])})" if new or changed else None

    return put_back


def _numpy() -> Callable[[], str | None]:
    before = np.geterr()

    def put_back() -> str | None:
        return "numpy's errors" if np.seterr(**before) != before else None

    return put_back


def _warnings() -> Callable[[], str | None]:
    before = list(warnings.filters)

    def put_back() -> str | None:
        # libraries add filters of their own, which only keep something quiet
        if not any(one[0] == "error" and one not in before for one in warnings.filters):
            return None
        warnings.resetwarnings()
        warnings.filters[:] = before  # type: ignore[index] # it is a list, and said to be a sequence
        return "warnings into errors"

    return put_back


def _recursion() -> Callable[[], str | None]:
    before = sys.getrecursionlimit()

    def put_back() -> str | None:
        if sys.getrecursionlimit() == before:
            return None
        sys.setrecursionlimit(before)
        return "the recursion limit"

    return put_back


def _signals() -> Callable[[], str | None]:
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    before: dict[int, Handler] = {one: signal.getsignal(one) for one in signal.valid_signals()}

    def put_back() -> str | None:
        changed = [one for one, handler in before.items() if signal.getsignal(one) != handler and handler is not None]
        for one in changed:
            signal.signal(one, before[one])
        return "what signals do" if changed else None

    return put_back


def _logging() -> Callable[[], str | None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)

    def put_back() -> str | None:
        if (root.level, root.handlers) == (level, handlers):
            return None
        root.setLevel(level)
        root.handlers[:] = handlers
        return "the root logger"

    return put_back


def _torch() -> Callable[[], str | None]:
    before = _settings_of_torch()

    def put_back() -> str | None:
        now, torch = _settings_of_torch(), sys.modules.get("torch")
        if now is None or torch is None:
            return None
        # where the block has loaded torch, its numbers were those it begins with, and its threads are not known
        dtype, grad, threads = before or (torch.float32, True, now[2])
        if now == (dtype, grad, threads):
            return None
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        if now[2] != threads:
            torch.set_num_threads(threads)
        return "torch's settings"

    return put_back


def _settings_of_torch() -> tuple[Any, bool, int] | None:
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "get_default_dtype"):  # half of it, where its import has failed
        return None
    return torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads()
