"""What decides a cell, in parts that can be compared and named, and one hash of all of them: its key.

Two cells of one key are of the same method, parameters, plugin, code, scenes, protocol and seed. Their numbers are the
same to the bit on the same machine; the machine is no part of the key, and stands beside it in the record.
Nor are the metrics of third parties: a newly installed one would make every stored cell another. The record's
``versions`` and ``metric_code`` say what their scores were computed with.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any

from specrec.cells.cell import Cell
from specrec.interfaces import INTERFACE_VERSION
from specrec.registry import registry
from specrec.registry.code import code_of
from specrec.rendering import rendering_id

RESULTS_VERSION = 2
"""Of the records: what their keys mean, and what their numbers are."""


def decided_by(cell: Cell) -> dict[str, Any]:
    """Say what decides a cell as it would be computed now, here, in plain values."""
    return {
        "results": RESULTS_VERSION,
        "method": cell.method,
        "settings": dict(cell.settings),
        **installed(cell.method),
        "seed": cell.seed,
        "trained_on": _fingerprint(cell.contents[name] for name in cell.train),
        "tested_on": _fingerprint(cell.contents[name] for name in cell.test),
        "scored_training": _fingerprint(cell.contents[name] for name in cell.scored_training),
        "rendering": rendering_id(cell.quantisation),
        "scaling": cell.scaling,
        "region": cell.region,
        "tiles": cell.tiles,
        "threads": cell.threads,
        "influence": cell.influence,
        "ceiling": cell.ceiling,
        "robustness": list(cell.robustness),
        "cross_data": _fingerprint(cell.cross["contents"][name] for name in cell.cross["scenes"]) if cell.cross else "",
    }


def installed(method: str) -> dict[str, Any]:
    """Say what of it is decided by what is installed: specrec, its interface, the plugin and the plugin's code."""
    offer = registry().reconstructors.get(method)
    return {
        "specrec": _specrec(),
        "interface": INTERFACE_VERSION,
        "plugin": None if offer is None else f"{offer.distribution} {offer.version}",
        "code": {} if offer is None else code_of(offer.value, offer.distribution),
    }


@cache
def _specrec() -> str:
    return f"specrec {version('specrec')}"


def key_of(parts: Mapping[str, Any]) -> str:
    """Hash the parts: SHA-256 of their JSON with sorted keys, 64 hex digits.

    Examples
    --------
    >>> key_of({"seed": 1, "method": "mean"}) == key_of({"method": "mean", "seed": 1})
    True
    """
    return hashlib.sha256(_canonical(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Difference:
    """One part in which a stored cell differs from one that would be computed now.

    Parameters
    ----------
    then
        In words, such as ``mine 1.0``.
    now
        Likewise; empty where there are no words for it, as for code.
    here
        Whether it lies in what is installed.
    """

    then: str
    now: str = ""
    here: bool = False

    def __str__(self) -> str:
        return f"{self.then} (now {self.now})" if self.now else self.then

    @property
    def sentence(self) -> str:
        """What comes after *computed with*."""
        return f"{self.then}, and {self.now} is {'installed' if self.here else 'asked for'}" if self.now else self.then


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """Name the parts in which two cells differ; of parts that only one of them has nothing is said.

    Examples
    --------
    >>> [str(one) for one in differences({"plugin": "mine 1.0", "seed": 1}, {"plugin": "mine 1.1", "seed": 1})]
    ['mine 1.0 (now mine 1.1)']
    """
    found = []
    for part in [name for name in then if name in now and then[name] != now[name]]:
        before, after = then[part], now[part]
        if part == "code":
            if then.get("plugin") == now.get("plugin"):  # of another version it is another one of course
                found.append(Difference(f"other code of {', '.join(_other_names(before, after))} than is installed"))
        elif part == "settings":
            for name in _other_names(before, after):
                found.append(Difference(f"{name} {_plain(before.get(name))}", _plain(after.get(name))))
        elif part in _SCENES:
            found.append(Difference(f"other scenes {_SCENES[part]}"))
        elif part in ("plugin", "specrec"):
            found.append(Difference(before or "an unknown plugin", after or "none", here=True))
        else:
            found.append(Difference(f"{part} {_plain(before)}", _plain(after), here=part == "interface"))
    return list(dict.fromkeys(found))


def _other_names(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


_SCENES = {
    "trained_on": "trained on",
    "tested_on": "tested",
    "scored_training": "trained on and scored",
    "cross_data": "of the other data set",
}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _canonical(parts: Any) -> str:
    return json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _fingerprint(contents: Iterable[str]) -> str:
    return _hash(tuple(contents))


@lru_cache(64)  # the cells of a fold share their scenes
def _hash(contents: tuple[str, ...]) -> str:
    return hashlib.sha256(_canonical(contents).encode()).hexdigest()
