"""Arrays as text inside the page, and back: 16 bit, differences along the bands, deflate, base64.

A browser unpacks them with `DecompressionStream`, which every one has since 2023; ``page/arrays.js`` is the other half
of this module. Of a cube, neighbouring bands differ little, and methods give many pixels one spectrum: the differences,
pixel by pixel, low bytes before high bytes, deflate to less than half of what the levels take.
"""

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.cells.looks import to_levels

NOTHING = 65535
"""The level of a map where there is no value."""

Packed = dict[str, Any]
"""``shape``, ``offset`` and ``step`` (value = offset + step * level), and ``data``; plain JSON values."""


def pack_cube(cube: NDArray[np.float32], valid: NDArray[np.bool_]) -> Packed:
    """Pack a cube, (rows, columns, bands); what is not valid becomes the least level and is marked elsewhere.

    Returns
    -------
    Values off by half a step at most: by the range of the valid values over 131,070.
    """
    levels = np.zeros(cube.shape, dtype=np.uint16)
    levels[valid], offset, step = to_levels(cube[valid])
    differences = levels.copy()
    differences[..., 1:] -= levels[..., :-1]  # modulo 65536, as the browser adds them up again
    return {"shape": list(cube.shape), "offset": offset, "step": step, "data": _text(_split(differences))}


def unpack_cube(packed: Packed) -> NDArray[np.float64]:
    """Do what the browser does with a cube: (rows, columns, bands) float64."""
    differences = _join(_bytes(packed["data"])).reshape(packed["shape"])
    levels = np.add.accumulate(differences, axis=2, dtype=np.uint16)
    values: NDArray[np.float64] = packed["offset"] + packed["step"] * levels.astype(np.float64)
    return values


def pack_map(values: NDArray[np.float64]) -> Packed:
    """Pack numbers per pixel, (rows, columns); NaN stays what it is."""
    known = np.isfinite(values)
    levels = np.full(values.shape, NOTHING, dtype=np.uint16)
    low, high = (float(values[known].min()), float(values[known].max())) if known.any() else (0.0, 0.0)
    step = (high - low) / (NOTHING - 1) or 1.0
    levels[known] = np.rint((values[known] - low) / step).astype(np.uint16)
    return {"shape": list(values.shape), "offset": low, "step": step, "data": _text(_split(levels))}


def unpack_map(packed: Packed) -> NDArray[np.float64]:
    """Do what the browser does with a map."""
    levels = _join(_bytes(packed["data"])).reshape(packed["shape"])
    return np.where(levels == NOTHING, np.nan, packed["offset"] + packed["step"] * levels.astype(np.float64))


def pack_bytes(values: NDArray[Any]) -> Packed:
    """Pack 8-bit numbers, such as a picture or a mask."""
    return {"shape": list(values.shape), "data": _text(np.ascontiguousarray(values, dtype=np.uint8).tobytes())}


def unpack_bytes(packed: Packed) -> NDArray[np.uint8]:
    """Do what the browser does with them."""
    return np.frombuffer(_bytes(packed["data"]), dtype=np.uint8).reshape(packed["shape"])


def _split(levels: NDArray[np.uint16]) -> bytes:
    flat = np.ascontiguousarray(levels).reshape(-1)
    return (flat & 255).astype(np.uint8).tobytes() + (flat >> 8).astype(np.uint8).tobytes()


def _join(data: bytes) -> NDArray[np.uint16]:
    low, high = np.frombuffer(data, dtype=np.uint8).reshape(2, -1).astype(np.uint16)
    return (low | (high << 8)).astype(np.uint16)


def _text(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 6)).decode("ascii")


def _bytes(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
