"""The record of a cell, which is one file: written, read, and held against what would be computed now."""

import json
import platform
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import numpy as np

from specrec.cache import written_whole
from specrec.cells.cell import Cell
from specrec.cells.record_form import is_record
from specrec.errors import SpecrecError
from specrec.registry import registry
from specrec.rendering import rendering_id
from specrec.untrusted import read_json

RESULTS_VERSION = 1


def write_failure(cell: Cell, reason: str) -> dict[str, Any]:
    """Write the record of a cell whose process did not live to write it."""
    return write_record(cell, head(cell) | {"status": "failed", "reason": reason})


def head(cell: Cell) -> dict[str, Any]:
    """What every record says of its cell."""
    return {
        "results_version": RESULTS_VERSION,
        "method": cell.method,
        "written": cell.written,
        "slug": cell.slug,
        "settings": cell.settings,
        "fold": cell.fold,
        "run": cell.run,
        "seed": cell.seed,
        "rendering": rendering_id(cell.quantisation),
        "dataset": cell.dataset,
        "scaling": cell.scaling,
        "region": cell.region,
        "tiles": cell.tiles,
        "threads": cell.threads,
        "train": cell.train,
    }


def write_record(cell: Cell, record: dict[str, Any]) -> dict[str, Any]:
    """Write the record of a cell, whole or not at all, and return it; a failure never replaces a good result."""
    record = {"device": cell.device, **record, "versions": _versions(cell.method)}
    if record["status"] == "failed" and (read(cell.path) or record)["status"] == "done":
        return record
    with written_whole(cell.path) as temporary:
        temporary.write_text(json.dumps(record, indent=1, allow_nan=False), "utf-8")
    return record


def _versions(method: str) -> dict[str, str]:
    offer = registry().reconstructors.get(method)
    found = {
        "specrec": version("specrec"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "numpy": np.__version__,
    }
    found |= _providers(method)
    if offer is None:  # its plugin broke since the bench began
        return found
    with suppress(Exception):  # of any distribution that is installed, the metadata may be damaged
        # a module and its distribution need not share a name; looking all of them up takes half a second
        installed = packages_distributions() if offer.value.requires else {}
        for module in offer.value.requires:
            for distribution in installed.get(module.partition(".")[0], []):
                found[distribution] = version(distribution)
    return found


def _providers(method: str) -> dict[str, str]:
    """Say which distributions decide the numbers of a cell: that of its method, those of third parties' metrics."""
    offer = registry().reconstructors.get(method)
    found = {} if offer is None else {"plugin": f"{offer.distribution} {offer.version}"}
    others = [metric for metric in registry().metrics.values() if metric.distribution != "specrec"]
    return found | {f"metric {metric.name}": f"{metric.distribution} {metric.version}" for metric in others}


def outdated(cells: Sequence[Cell]) -> list[str]:
    """Say of cells that are there which other versions of what is installed now have computed them."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for cell in cells:
        record = read(cell.path)
        if record is None or record["status"] != "done":
            continue
        for what, now in _providers(cell.method).items():
            then = record["versions"].get(what, now)
            if then != now:
                counts[cell.written, what, then, now] += 1
    return [
        f"{count} of the cells of {written} that are there were computed with {then}"
        f"{'' if what == 'plugin' else f' for the {what}'}, and {now} is installed; --overwrite computes them again"
        for (written, what, then, now), count in counts.items()
    ]


def pending(cells: Sequence[Cell]) -> list[Cell]:
    """List the cells whose result is missing, failed, or lacks the cubes that are wanted now."""
    waiting = []
    for cell in cells:
        record = read(cell.path)
        if record is None or record["status"] != "done" or (cell.save_cubes and not record["cubes_saved"]):
            waiting.append(cell)
    return waiting


def read(path: Path) -> dict[str, Any] | None:
    """Read the record of a cell; None where there is none.

    Raises
    ------
    SpecrecError
        If the file is no record of this version.
    """
    try:
        record = read_json(path)
        known = record["results_version"] == RESULTS_VERSION and is_record(record)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise SpecrecError(f"{path} is not a result of this specrec; move it away or choose another --output")
    result: dict[str, Any] = record
    return result
