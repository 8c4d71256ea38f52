"""What a results folder has of the wanted cells, and what is to be computed; each record is read once, and not kept."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specrec.bench.overwriting import Overwrite, Overwriting
from specrec.cells import records
from specrec.cells.cell import Cell
from specrec.cells.key import Difference, decided_by, differences, key_of
from specrec.untrusted import read_plain


@dataclass
class Stock:
    """What was found.

    Parameters
    ----------
    total
        How many cells are wanted.
    missing
        Those to compute, in their order.
    notes
        What the user should know of the others.
    """

    total: int = 0
    missing: list[Cell] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def take_stock(cells: Iterable[Cell], overwrite: Overwrite, marked: Overwriting) -> Stock:
    """Sort cells into those that are there and those to compute, and say which were computed by something else."""
    stock = Stock()
    others: Counter[tuple[str, str]] = Counter()
    metrics = records.metric_versions(), records.metric_code()
    nameless = 0
    for cell in cells:
        stock.total += 1
        record = to_keep(cell.path, overwrite, marked, save_cubes=cell.save_cubes)
        if record is None:
            stock.missing.append(cell)
        elif record["status"] == "done":
            nameless += "key" not in record
            others.update((cell.written, one.sentence) for one in _otherwise(cell, record, *metrics))
    stock.notes = [
        f"{count} of the cells of {written} that are there were computed with {words}; --overwrite computes them again"
        for (written, words), count in others.items()
    ]
    if nameless:
        stock.notes.append(
            f"{nameless} of the cells that are there were computed before specrec 0.6, and do not say what decided"
            " them; --overwrite computes them again"
        )
    return stock


def to_keep(path: Path, overwrite: Overwrite, marked: Overwriting, *, save_cubes: bool) -> dict[str, Any] | None:
    """Return the record at a path that is not to be computed, and None where it is.

    A good result without the cubes that are wanted now is computed again, whatever `overwrite` says.
    """
    try:
        content = read_plain(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        content = b""  # what it is `parse` says
    if marked.awaits(path, content):
        return None
    record = records.check_place(records.parse(content, path), path)
    if record["status"] == "failed":
        return record if overwrite == "never" else None
    return None if save_cubes and not record["cubes_saved"] else record


def _otherwise(
    cell: Cell, record: dict[str, Any], metrics: dict[str, str], code: dict[str, dict[str, str]]
) -> list[Difference]:
    """Name in what a stored cell differs from one that would be computed now."""
    found = []
    now = decided_by(cell)
    if "key" in record and record["key"] != key_of(now):
        found = differences(record["decided_by"], now) or [Difference("what its record does not name")]
    for what, there in {"plugin": now["plugin"], **metrics}.items():
        then = record["versions"].get(what, there)
        name = what.removeprefix("metric ")
        if then != there:
            found.append(Difference(then if what == "plugin" else f"{then} for the {what}", there, here=True))
        elif record.get("metric_code", {}).get(name, code.get(name)) != code.get(name):
            found.append(Difference(f"other code for the {what} than is installed"))
    return list(dict.fromkeys(found))
