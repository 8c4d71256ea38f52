"""How much a function holds of what it is to read later, and how much memory a call takes."""

import gc
import tracemalloc
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

_MOST_OBJECTS = 10_000


def most_held(function: Callable[..., Any]) -> int:
    """Count the numbers of the largest array, or the bytes of the largest buffer, that a function carries with it.

    That is in its closure, defaults, bound arguments and object, and in what these hold; not what its module holds. An
    array that lies in a file counts nothing.

    Examples
    --------
    >>> from functools import partial
    >>> most_held(partial(np.sum, np.zeros((4, 5))))
    20
    >>> most_held(np.sum)
    0
    """
    largest = 0
    seen: set[int] = set()
    waiting: list[Any] = [function]
    while waiting and len(seen) < _MOST_OBJECTS:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type | ModuleType | BuiltinFunctionType):
            continue
        seen.add(id(thing))
        if isinstance(thing, np.ndarray):
            if not isinstance(thing, np.memmap):
                largest = max(largest, thing.size)
                waiting.append(thing.base)
        elif isinstance(thing, bytes | bytearray):
            largest = max(largest, len(thing))
        elif isinstance(thing, FunctionType):  # not its globals
            waiting += [thing.__closure__, thing.__defaults__, thing.__kwdefaults__]
        else:
            waiting += gc.get_referents(thing)
    return largest


def peak_bytes(call: Callable[[], object]) -> int:
    """Measure the most memory that Python and numpy had allocated at once during a call, over what was before it."""
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()
