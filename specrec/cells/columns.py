"""What a column means: a metric, one on the pixels of the ceiling, or one under a condition, ``rmse@jpeg=50``."""

from collections.abc import Sequence
from dataclasses import replace

from specrec.cells.ceiling import COLUMNS
from specrec.errors import UsageError
from specrec.interfaces import Metric
from specrec.metrics.spectral import GFC, RMSE
from specrec.parameters import nearest
from specrec.registry import registry
from specrec.robustness.conditions import Condition, condition

SCORED: dict[str, Metric] = {"rmse": replace(RMSE, definition="rmse"), "gfc": replace(GFC, definition="gfc")}
"""By these an estimate is scored under a condition: how far off it is, and how far its shape alone is."""

UNCLIPPED = "unclipped"
"""``rmse@unclipped=2``: the clean error on the pixels that ``exposure=2`` is scored on."""
FLOOR = "rmse@metamer-floor"
"""Half the distance of the two spectra of ``metamer-pair``: no answer has a smaller mean error against both."""
BACK = "rmse@back-projection"
CROSS = "@cross-data"
"""Ends the columns whose scenes are those of another data set."""


def column(name: str) -> Metric:
    """Return what a column of a table means.

    Raises
    ------
    UsageError
        If there is no such column.
    """
    return COLUMNS.get(name) or under_condition(name) or registry().metric(name)


def check_column(name: str, *, ceiling: bool, robustness: Sequence[str] = ()) -> None:
    """Refuse a column that there is not, or that needs a ceiling or a condition which a protocol lacks.

    Raises
    ------
    UsageError
        If it is unknown, the message names the nearest; or it is not computed here.
    """
    try:
        column(name)
    except UsageError:
        known = [*registry().metrics, *(COLUMNS if ceiling else ()), *columns_of(robustness)]
        raise UsageError(f"unknown metric {name!r}; {nearest(name, known)} (specrec metrics lists them)") from None
    if name in COLUMNS and not ceiling:
        raise UsageError(f"{name} needs a ceiling, and there is none here; specrec bench --ceiling N finds one")
    if name not in COLUMNS and under_condition(name) and name not in columns_of(robustness):
        raise UsageError(
            f"{name} needs its condition in the key 'robustness' of the protocol (as --protocol robustness has it)"
        )


def columns_of(robustness: Sequence[str]) -> list[str]:
    """List every column that some conditions give, those to be shown first of each."""
    found = []
    for text in robustness:
        what = condition(text)
        found += [shown(text)] if what.kind == "back-projection" else [f"{metric}@{text}" for metric in SCORED]
        if what.kind == "exposure":
            found += [f"{metric}@{UNCLIPPED}={what.number:g}" for metric in SCORED]
        if what.kind == "metamer-pair":
            found.append(FLOOR)
    return found


def shown(text: str) -> str:
    """Name the column that a protocol shows for a condition."""
    return f"rmse@{text}"


def under_condition(name: str) -> Metric | None:
    """Return what a column means that is under a condition; None where it is none."""
    metric, _, text = name.partition("@")
    if metric not in SCORED:
        return None
    if name == FLOOR:
        words = "half the rmse between two spectra that render alike: no answer has a smaller mean against both"
        return replace(SCORED["rmse"], name=name, definition=words)
    kind, _, value = text.partition("=")
    try:
        what = condition(f"exposure={value}" if kind == UNCLIPPED else text)
    except UsageError:
        return None
    words = what.words
    if kind == UNCLIPPED:
        words = f"of the clean photo, on the pixels that exposure={value} does not clip"
    if what.kind == "back-projection":
        return _back_projection(what) if metric == "rmse" else None
    return replace(SCORED[metric], name=name, definition=f"{metric} {words}")


def _back_projection(what: Condition) -> Metric:
    definition = f"255 x root of the mean squared difference of sRGB: {what.words}"
    return replace(SCORED["rmse"], name=BACK, definition=definition, reference="", symmetric=False)
