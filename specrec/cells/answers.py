"""What a method says of itself and what a metric gives, looked at before it is written: a plugin may give anything."""

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from specrec.cells.record_form import LARGEST_SCORE
from specrec.errors import SpecrecError, plain_line
from specrec.interfaces import Reconstructor, Score
from specrec.spectra import Cube

ANSWERS = ("history_", "parameter_count")
"""What a method says of itself that costs it no score where it is wrong."""
MOST_POINTS = 1_000_000
"""Of a loss curve."""


def check_estimate(estimate: Any, reference: Cube, name: str) -> None:
    """Refuse an estimate that is not what its reference is.

    Raises
    ------
    SpecrecError
        If its shape or type is another, it is of a subclass of NumPy's array, or it holds NaN or infinity.
    """
    if not isinstance(estimate, np.ndarray) or estimate.shape != reference.shape:
        shape = getattr(estimate, "shape", type(estimate).__name__)
        raise SpecrecError(f"the estimate of {name} has shape {shape}, the reference {reference.shape}")
    if type(estimate) is not np.ndarray:  # its own arithmetic would score it
        raise SpecrecError(f"the estimate of {name} is a {type(estimate).__name__}, it must be a plain NumPy array")
    if estimate.dtype != np.float32:
        raise SpecrecError(f"the estimate of {name} is {estimate.dtype}, it must be float32")
    if not np.isfinite(estimate).all():
        raise SpecrecError(f"the estimate of {name} holds NaN or infinity")


def score_as_json(score: Any) -> list[float | str]:
    """Write a score as value, weight and share left out.

    Raises
    ------
    SpecrecError
        If it is none: NaN where it counts, a weight that is no number from 0, another type.
    """
    if not isinstance(score, Score):
        raise SpecrecError(f"it gives {plain_line(repr(score), 80)}, not a specrec.Score")
    numbers = [_number(part) for part in (score.value, score.weight, score.left_out)]
    if None in numbers:
        raise SpecrecError(f"its score holds what is no number: {plain_line(repr(score), 200)}")
    value, weight, left_out = (float(number) for number in numbers if number is not None)
    if not (math.isfinite(weight) and weight >= 0 and math.isfinite(left_out)):
        raise SpecrecError(f"its weight is {weight:g} and its share left out {left_out:g}; both are numbers from 0")
    if math.isfinite(value) and max(abs(value), weight) >= LARGEST_SCORE:
        raise SpecrecError(f"it gives {value:g} with the weight {weight:g}; both are less than {LARGEST_SCORE:g}")
    if math.isnan(value) and weight > 0:
        raise SpecrecError(f"it gives NaN with the weight {weight:g}; where nothing can be said the weight is 0")
    return [value if math.isfinite(value) else str(value), weight, left_out]  # JSON has no infinity


def curve_as_json(method: Reconstructor) -> list[dict[str, float | str]]:
    """Write the loss curve of a fitted method.

    Raises
    ------
    SpecrecError
        If it is no list of dictionaries of numbers.
    """
    history = method.history_
    if not isinstance(history, list | tuple) or len(history) > MOST_POINTS:
        raise SpecrecError(f"history_ is a list of dictionaries of numbers, not {type(history).__name__}")
    points = []
    for point in history:
        numbers = {str(key): _number(value) for key, value in point.items()} if isinstance(point, Mapping) else {}
        wrong = [key for key, number in numbers.items() if number is None]
        if wrong or not numbers:
            what = f"{plain_line(wrong[0], 80)} is no number" if wrong else f"it holds {type(point).__name__}"
            raise SpecrecError(f"history_ is a list of dictionaries of numbers, and {what}")
        points.append({key: one if math.isfinite(one) else str(one) for key, one in numbers.items() if one is not None})
    return points


def count_as_json(method: Reconstructor) -> int:
    """Write how many numbers a method has learnt.

    Raises
    ------
    SpecrecError
        If it says no whole number from 0.
    """
    count = method.parameter_count
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 0:
        raise SpecrecError(f"parameter_count is a whole number from 0, not {plain_line(repr(count), 80)}")
    return int(count)


def check_geometry(method: Reconstructor) -> None:
    """Refuse what a method cannot mean by its receptive field, grid, halo, memory and input.

    Raises
    ------
    SpecrecError
        For the first that is no such number.
    """
    for name, least in (("receptive_field", 1), ("grid", 1), ("halo", 0), ("bytes_per_pixel", 1)):
        value = getattr(method, name)
        if value is None and name == "receptive_field":
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            none = " or None" if name == "receptive_field" else ""
            raise SpecrecError(f"{name} is a whole number from {least}{none}, not {plain_line(repr(value), 80)}")
    if not isinstance(method.tiles_exactly, bool):
        raise SpecrecError(f"tiles_exactly is True or False, not {plain_line(repr(method.tiles_exactly), 80)}")
    if method.input not in ("srgb8", "linear"):
        raise SpecrecError(f"input is 'srgb8' or 'linear', not {plain_line(repr(method.input), 80)}")


def _number(value: Any) -> float | None:
    """Take a number of Python or NumPy, also one in an array or tensor of its own; None: it is none."""
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    if getattr(value, "shape", None) == () and hasattr(value, "item") and isinstance(value.item(), int | float):
        return float(value.item())
    return None
