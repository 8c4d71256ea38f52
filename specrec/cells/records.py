"""The record of a cell, which is one file: written and read."""

import json
import platform
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

import numpy as np

from specrec.cache import written_whole
from specrec.cells.cell import Cell
from specrec.cells.key import RESULTS_VERSION, decided_by, key_of
from specrec.cells.machine import accelerator, processor
from specrec.cells.record_form import is_record
from specrec.errors import SpecrecError
from specrec.hookspecs import PROJECT
from specrec.registry import registry
from specrec.registry.code import code_of
from specrec.rendering import rendering_id
from specrec.untrusted import parse_json, read_plain

READ = (1, RESULTS_VERSION)
"""Versions of records that can be read; those of version 1 (specrec 0.5 and before) have no key."""


def write_failure(cell: Cell, reason: str) -> dict[str, Any]:
    """Write the record of a cell whose process did not live to write it."""
    return write_record(cell, head(cell) | {"status": "failed", "reason": reason})


def head(cell: Cell) -> dict[str, Any]:
    """What every record says of its cell."""
    parts = decided_by(cell)
    return {
        "results_version": RESULTS_VERSION,
        "key": key_of(parts),
        "decided_by": parts,
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
    record = {"device": cell.device, **record}
    record |= {"processor": processor(), "accelerator": accelerator(record["device"])}
    record |= {"versions": _versions(cell.method), "metric_code": metric_code()}
    if record["status"] == "failed":
        with suppress(SpecrecError):  # what is there is no result
            if (read(cell.path) or record)["status"] == "done":
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
    found |= metric_versions()
    if offer is None:  # its plugin broke since the bench began
        return found
    found["plugin"] = f"{offer.distribution} {offer.version}"
    for module in offer.value.requires:
        found |= _version_of(module.partition(".")[0])
    return found


@cache
def _version_of(module: str) -> dict[str, str]:
    """Find the distributions of a module, with their versions."""
    try:
        return {module: version(module)}  # most are called as their module is
    except PackageNotFoundError:
        with suppress(Exception):  # of any distribution that is installed, the metadata may be damaged
            return {name: version(name) for name in packages_distributions().get(module, [])}  # takes half a second
    except Exception:
        return {}
    return {}


def metric_versions() -> dict[str, str]:
    """Say which distributions of third parties score a cell, by ``metric NAME``; specrec's own is known anyway."""
    others = [metric for metric in registry().metrics.values() if metric.distribution != PROJECT]
    return {f"metric {metric.name}": f"{metric.distribution} {metric.version}" for metric in others}


def metric_code() -> dict[str, dict[str, str]]:
    """Hash the code behind the metrics of third parties, by metric and module."""
    others = [metric for metric in registry().metrics.values() if metric.distribution != PROJECT]
    return {metric.name: code_of(metric.value.function, metric.distribution) for metric in others}


def read(path: Path) -> dict[str, Any] | None:
    """Read the record of a cell; None where there is none.

    Raises
    ------
    SpecrecError
        If the file is no record of a version in `READ`.
    """
    try:
        return parse(read_plain(path), path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise _no_record(path) from None


def parse(content: bytes, path: Path) -> dict[str, Any]:
    """Take a record from the bytes of its file; errors are those of `read`."""
    try:
        record = parse_json(content)
        known = record["results_version"] in READ and is_record(record)
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise _no_record(path)
    result: dict[str, Any] = record
    return result


def check_place(record: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a record that is of the cell its path names; SpecrecError where it is another cell's."""
    there = record.get("slug", path.parent.name), f"fold{record['fold']}-run{record['run']}"
    if there != (path.parent.name, path.stem):
        raise SpecrecError(
            f"{path} is the result of another cell ({there[0]}/{there[1]}); move it back to where it was, or away"
        )
    return record


def _no_record(path: Path) -> SpecrecError:
    return SpecrecError(f"{path} is not a result of this specrec; move it away or choose another --output")
