"""What many records have in common, kept in memory once: a table reads every record of a folder and keeps them all."""

from typing import Any

Known = dict[Any, Any]
"""By a text itself, or by what else is written alike."""

ALIKE = ("settings", "code", "versions", "metric_code", "broken_metrics", "train", "robustness")
"""Parts that are the same in most cells of a method or of a fold."""


def shared(record: dict[str, Any], known: Known) -> dict[str, Any]:
    """Return an equal record of which what `known` holds already takes no more memory; `known` learns the rest.

    Parts of several records may be one object: records are to be read, not to be changed.

    Examples
    --------
    >>> known: Known = {}
    >>> one, other = (shared({"versions": {"numpy": "2.4"}, "run": run}, known) for run in (0, 1))
    >>> other, one["versions"] is other["versions"]
    ({'versions': {'numpy': '2.4'}, 'run': 1}, True)
    """
    try:
        return _alike(record, known)
    except RecursionError:  # deeper than what a cell writes: it is read as it is, and nothing of it is shared
        return record


def _alike(record: dict[str, Any], known: Known) -> dict[str, Any]:
    return {
        known.setdefault(name, name): known.setdefault((name, repr(part)), part)
        if name in ALIKE
        else _shared(part, known)
        for name, part in record.items()
    }


def _shared(part: Any, known: Known) -> Any:
    if type(part) is str:
        return known.setdefault(part, part)
    if type(part) is float:  # weights and zeros come again, scores do not
        return known.setdefault((repr(part),), part) if part.is_integer() else part
    if type(part) is list:
        return [_shared(one, known) for one in part]
    return _alike(part, known) if type(part) is dict else part
