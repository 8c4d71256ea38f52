"""Keeps what plugins print away from the standard output, which is data: tables and JSON.

Standard output is both `sys.stdout` and descriptor 1, to which C and other processes write.
"""

import io
import os
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from tempfile import TemporaryFile


@contextmanager
def on_standard_error() -> Iterator[None]:
    """Send what is printed to the standard error."""
    with _descriptor_1_is(2), redirect_stdout(sys.stderr):
        yield


class Catcher:
    """Catches what is printed, one piece of work after the other.

    A stream that a plugin keeps, as a logging handler does, goes to the standard error later.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - closed with the catcher
        self._kept = os.dup(self._file.fileno())
        self._stream = _Lasting(
            io.FileIO(self._kept, "w", closefd=False), "utf-8", "backslashreplace", write_through=True
        )
        weakref.finalize(self._stream, os.close, self._kept)

    @contextmanager
    def catching(self, told: Callable[[str], None]) -> Iterator[None]:
        """Catch what is printed in the block, and tell it at its end, where there is something."""
        start = self._file.seek(0, io.SEEK_END)
        try:
            with _descriptor_1_is(self._file.fileno()), redirect_stdout(self._stream):
                yield
        finally:
            self._file.seek(start)
            if printed := self._file.read(_MOST):
                told(printed.decode("utf-8", "replace"))

    def close(self) -> None:
        """End the catching."""
        with suppress(OSError):
            os.dup2(2, self._kept)
        self._file.close()


class _Lasting(io.TextIOWrapper):
    """A stream that a plugin may close without closing it to the next one."""

    def close(self) -> None:
        self.flush()


_MOST = 1 << 16  # bytes that are looked at


@contextmanager
def _descriptor_1_is(other: int) -> Iterator[None]:
    _flush()
    try:
        kept = os.dup(1)
    except OSError:  # there is no standard output
        yield
        return
    try:
        with suppress(OSError):
            os.dup2(other, 1)
        yield
    finally:
        with suppress(OSError, ValueError):
            _flush()
        os.dup2(kept, 1)
        os.close(kept)


def _flush() -> None:
    """Write what is still in Python's and in C's buffers, so that it goes where descriptor 1 leads now."""
    if sys.stdout is not None:
        sys.stdout.flush()
    import ctypes

    with suppress(OSError, TypeError, AttributeError):  # Windows has no such thing
        ctypes.CDLL(None).fflush(None)
