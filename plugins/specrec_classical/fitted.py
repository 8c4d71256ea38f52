"""What a stored state must look like: the arrays a classical method keeps, checked when they come from a file."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from specrec.interfaces import Arrays

Shape = tuple[int | str, ...]
"""Sizes; a word stands for any size, the same wherever the word stands."""


def checked(arrays: Arrays, shapes: Mapping[str, Shape]) -> dict[str, NDArray[np.float64]]:
    """Return the arrays as float64, or raise ValueError unless just these are there, finite and of these shapes.

    Examples
    --------
    >>> checked({"spectrum": np.ones(31)}, {"spectrum": ("bands",)})["spectrum"].shape
    (31,)
    >>> checked({"spectrum": np.ones((2, 2))}, {"spectrum": ("bands",)})
    Traceback (most recent call last):
        ...
    ValueError: spectrum must be finite and of shape (bands), this one has (2, 2)
    """
    if set(arrays) != set(shapes):
        raise ValueError(f"wanted are the arrays {', '.join(sorted(shapes))}, these are {', '.join(sorted(arrays))}")
    sizes: dict[str, int] = {}
    found = {}
    for name, shape in shapes.items():
        array = np.array(arrays[name], dtype=np.float64)
        expected = tuple(sizes.get(size, size) if isinstance(size, str) else size for size in shape)
        fits = array.ndim == len(shape) and all(
            isinstance(size, str) or size == actual for size, actual in zip(expected, array.shape, strict=True)
        )
        if not fits or not np.isfinite(array).all():
            words = ", ".join(map(str, expected))
            raise ValueError(f"{name} must be finite and of shape ({words}), this one has {array.shape}")
        sizes.update({word: size for word, size in zip(shape, array.shape, strict=True) if isinstance(word, str)})
        found[name] = array
    return found
