"""Tables of colour-science, each read from the package once per machine: to import it takes over a second.

A table is kept in the cache folder, under a name that holds the versions of colour-science and of specrec, after the
SHA-256 of its bytes. A file that is not exactly that counts as missing.
"""

import hashlib
import math
import warnings
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from specrec.cache import COLOUR, cache_folder
from specrec.errors import SpecrecError
from specrec.stored_arrays import stored_array, write_array

_DIGEST = hashlib.sha256().digest_size
_KIND = np.dtype("<f8")


def colour_table(name: str, shape: tuple[int, ...], make: Callable[[Any], ArrayLike]) -> NDArray[np.float64]:
    """Return a table, float64 in C order; where it cannot be kept it is made every time.

    Parameters
    ----------
    name
        Of its file.
    shape
        That it must have.
    make
        Makes it from the package ``colour``.

    Raises
    ------
    SpecrecError
        If the installed colour-science has another table, or one with NaN or infinity.
    """
    source = f"colour-science {version('colour-science')}"
    path = cache_folder() / COLOUR / f"{name}-{version('colour-science')}-{version('specrec')}.npy"
    table = _kept(path, shape)
    if table is None:
        table = np.array(make(_colour_science()), dtype=_KIND, order="C")
        if table.shape != shape or not np.isfinite(table).all():
            raise SpecrecError(f"{source} has another table {name!r} than specrec knows; install 0.4.7")
        content = table.tobytes()
        with suppress(SpecrecError):  # nobody asked for it to be kept
            write_array(path, np.frombuffer(hashlib.sha256(content).digest() + content, dtype=np.uint8))
    return table


def _kept(path: Path, shape: tuple[int, ...]) -> NDArray[np.float64] | None:
    stored = stored_array(path, (_DIGEST + math.prod(shape) * _KIND.itemsize,), np.uint8)
    if stored is None:
        return None
    digest, content = stored[:_DIGEST].tobytes(), stored[_DIGEST:].tobytes()
    table = np.frombuffer(content, dtype=_KIND).reshape(shape).copy()
    return table if hashlib.sha256(content).digest() == digest and np.isfinite(table).all() else None


def _colour_science() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import, colour warns of optional packages that are not needed here
        import colour
        import colour.characterisation
    return colour
