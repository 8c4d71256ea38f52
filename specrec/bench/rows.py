"""The rows of a table: one number per metric, with its spread over runs."""

from dataclasses import dataclass, field


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
        Its name in paths; empty for a reported row.
    part
        ``weighted`` (over folds), ``fold 0``, ``fold 1``, ..
    numbers
        By metric id; one that is not there was not computed.
    note
        Why a cell failed, or where a reported row comes from.
    """

    method: str
    slug: str
    part: str
    numbers: dict[str, Number] = field(default_factory=dict)
    note: str = ""
