"""Room on the disk for the cubes that are under way at the same time: none is promised twice."""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from specrec.cache import check_room


class Room:
    """Knows what the cubes under way will still take from each disk."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: dict[tuple[int, Path], float] = {}

    @contextmanager
    def reserve(self, target: Path, needed: int, what: str) -> Iterator[Callable[[float], None]]:
        """Keep room for a cube while it is written.

        Parameters
        ----------
        target
            Where it goes; its folder exists.
        needed
            Bytes.
        what
            For the message, as for `specrec.cache.check_room`.

        Yields
        ------
        A function to call with the fraction that is written, which the disk no longer counts as free.

        Raises
        ------
        SpecrecError
            If the disk does not hold it beside the others.
        """
        key = (target.parent.stat().st_dev, target)
        with self._lock:
            others = math.ceil(sum(due for (disk, _), due in self._due.items() if disk == key[0]))
            check_room(target.parent, needed + others, f"{what} and the cubes under way" if others else what)
            self._due[key] = needed

        def written(fraction: float) -> None:
            with self._lock:
                self._due[key] = needed * (1.0 - fraction)

        try:
            yield written
        finally:
            with self._lock:
                del self._due[key]
