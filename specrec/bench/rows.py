"""The rows of a table: one number per metric, with its spread over runs."""

from dataclasses import dataclass, field

TRAINING = " (training)"
"""Ends the part of a row whose scenes were trained on."""


@dataclass(frozen=True)
class Number:
    """A mean, and its standard deviation over runs (ddof = 1) where there are several."""

    mean: float
    spread: float | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    method
        As the user wrote it.
    slug
        Its name in paths; empty for a reported or diagnostic row.
    part
        ``weighted`` (over folds, where all are computed), ``fold 0``, ``fold 1``, .., ``fold 0 (training)``: of the
        scenes trained on; empty of a method that could not be computed at all.
    numbers
        By metric id; one that is not there was not computed.
    note
        Why a cell failed, or where a reported row comes from.
    diagnostic
        Whether it is the ceiling, which the harness finds itself; it has no slug either.
    beside
        Of a reported row: the method, as one writes it, that was measured there.
    """

    method: str
    slug: str
    part: str
    numbers: dict[str, Number] = field(default_factory=dict)
    note: str = ""
    beside: str = ""
    diagnostic: bool = False
