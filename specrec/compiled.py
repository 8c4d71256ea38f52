"""Compiled functions: loops over pixels that numba turns into machine code, kept on disk between starts.

The arithmetic is strictly IEEE: nothing is reassociated or contracted, so that a result depends on the input alone.
Array arguments only; the interpreter's lock is released, and blocks of an image can be computed by several threads.
A compiled function calls only those of its own module: numba notices a change of a file, not of what it imports.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

Given = ParamSpec("Given")
Result = TypeVar("Result")


def compiled(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Compile `function` when it is first called with arguments of given types.

    References
    ----------
    Lam, Pitrou and Seibert 2015, Numba: a LLVM-based Python JIT compiler, doi:10.1145/2833157.2833162.
    """
    import numba

    chosen: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        made = numba.njit(cache=True, **chosen)(function)
    except RuntimeError:  # there is no folder one may write to: it is compiled at every start
        made = numba.njit(**chosen)(function)
    return cast(Callable[Given, Result], made)
