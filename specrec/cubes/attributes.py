"""The attributes of an HDF5 file as plain values, none of them longer than any honest one is."""

from collections.abc import Iterable
from pathlib import Path

import h5py

from specrec.cubes.inside import plain_value
from specrec.cubes.texts_apart import texts_of
from specrec.errors import DataError
from specrec.parameters import Value

_LONGEST = 1 << 20  # bytes


def attributes_of(holder: h5py.File | h5py.Dataset, path: Path, keys: Iterable[str] | None = None) -> dict[str, Value]:
    """Read attributes, all or those of `keys` that are there, as plain values.

    Raises
    ------
    DataError
        For one that claims to be longer than any is, or texts that are damaged.
    """
    found: dict[str, Value] = {}
    for key in holder.attrs if keys is None else (key for key in keys if key in holder.attrs):
        held = holder.attrs.get_id(key)
        if held.get_storage_size() > _LONGEST:
            raise DataError(f"{path}: the attribute {key!r} is damaged; copy or download the file again")
        if not held.dtype.hasobject:
            found[str(key)] = plain_value(holder.attrs[key])
        elif (text := texts_of(path).get(holder.name, {}).get(str(key))) is not None:
            found[str(key)] = text
    return found
