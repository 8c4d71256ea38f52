"""A protocol: everything that decides the numbers of a bench beside the methods, read from a TOML file."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import numpy as np

from specrec.errors import UsageError
from specrec.parameters import Settings, nearest
from specrec.rendering import Quantisation
from specrec.scenes import Mask, Scaling
from specrec.tiling import parse_tiles

_REGION = re.compile(r"full|(tiles|crop):([1-9][0-9]*)")


@dataclass(frozen=True)
class Protocol:
    """What is trained and tested on what, and how it is scored.

    Parameters
    ----------
    name
        Of the protocol.
    dataset, options
        The scene source and its options.
    folds
        Number of folds; fold k is tested, the others are trained on.
    scenes_per_fold
        0: all scenes in equal parts.
    runs
        Repetitions with further seeds.
    seed
        Of the split and of every cell.
    scaling, quantisation
        As in `specrec.scenes.TrainingScene`.
    region
        Pixels that count: ``full``, ``tiles:256`` (what whole tiles cover, from the upper left) or ``crop:128`` (off
        each side).
    tiles
        How images are reconstructed, as in `specrec.tiling`; which pixels count is the region's business alone.
    metrics
        Columns of the table; a cell holds all metrics there are.
    preset
        Parameter preset of the methods that have one of that name.
    threads
        Of each cell.
    reported
        A file of rows to show beside, from a publication; empty: none.
    """

    name: str
    dataset: str
    options: Settings = field(default_factory=dict)
    folds: int = 2
    scenes_per_fold: int = 0
    runs: int = 1
    seed: int = 0
    scaling: Scaling = "minmax"
    quantisation: Quantisation = "round"
    region: str = "full"
    tiles: str = "auto"
    metrics: tuple[str, ...] = ("rmse", "rrmse", "gfc", "de2000", "rmse@arad2016")
    preset: str = "paper"
    threads: int = 1
    reported: str = ""

    def changed(self, **changes: Any) -> "Protocol":
        """Return this protocol with what is not None replaced, checked again."""
        given = {key: value for key, value in changes.items() if value is not None}
        return _checked(replace(self, **given), self.name)


def names() -> list[str]:
    """List the protocols that come with specrec."""
    folder = files("specrec.bench") / "protocols"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def reported_names() -> list[str]:
    """List the publications whose tables come with specrec."""
    folder = files("specrec.bench") / "reported"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load(name: str) -> Protocol:
    """Read a protocol by its name or from a file.

    Raises
    ------
    UsageError
        For an unknown name, a file that is no TOML, or an unknown or ill-typed key.
    """
    if name in names():
        return parse((files("specrec.bench") / "protocols" / f"{name}.toml").read_text("utf-8"), name)
    path = Path(name)
    if not path.is_file():
        raise UsageError(f"unknown protocol {name!r}; {nearest(name, names())} (a path to a .toml file is fine too)")
    try:
        return parse(path.read_text("utf-8"), path.stem)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the protocol {path}: {error}") from None


def for_dataset(dataset: str) -> Protocol:
    """Choose the protocol that a data set alone stands for."""
    chosen = {"synthetic": "embedded"}.get(dataset, dataset)
    return load(chosen) if chosen in names() else load("cave").changed(name=dataset, dataset=dataset)


def parse(text: str, name: str) -> Protocol:
    """Read the TOML text of a protocol; an unknown key is an error."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"protocol {name}: not a TOML file ({error})") from None
    known = {item.name for item in fields(Protocol)} - {"name"}
    for key in values:
        if key not in known:
            raise UsageError(f"protocol {name}: unknown key {key!r}; {nearest(key, known)}")
    if "dataset" not in values:
        raise UsageError(f"protocol {name}: the key 'dataset' is missing")
    if isinstance(values.get("metrics"), list):
        values["metrics"] = tuple(values["metrics"])
    return _checked(Protocol(name=name, **values), name)


def _checked(protocol: Protocol, name: str) -> Protocol:
    def refuse(key: str, wanted: str) -> None:
        raise UsageError(f"protocol {name}: {key} must be {wanted}, not {getattr(protocol, key)!r}")

    for key, least in {"folds": 2, "scenes_per_fold": 0, "runs": 1, "seed": 0, "threads": 1}.items():
        value = getattr(protocol, key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            refuse(key, f"a whole number of at least {least}")
    for key, choices in {"scaling": get_args(Scaling), "quantisation": get_args(Quantisation)}.items():
        if getattr(protocol, key) not in choices:
            refuse(key, f"one of {', '.join(choices)}")
    for key in ("dataset", "region", "tiles", "preset", "reported"):
        if not isinstance(getattr(protocol, key), str):
            refuse(key, "a word")
    if not isinstance(protocol.options, Mapping):
        refuse("options", "a table")
    if (
        not isinstance(protocol.metrics, tuple)
        or not protocol.metrics
        or not all(isinstance(metric, str) for metric in protocol.metrics)
    ):
        refuse("metrics", "a list of metric ids")
    if protocol.reported and protocol.reported not in reported_names():
        refuse("reported", f"empty or one of {', '.join(reported_names())}")
    if not _REGION.fullmatch(protocol.region):
        refuse("region", "full, tiles:SIZE or crop:BORDER")
    parse_tiles(protocol.tiles)
    return protocol


def region_mask(region: str, height: int, width: int) -> Mask:
    """Mark the pixels that count, (height, width) bool.

    Raises
    ------
    UsageError
        If the image is too small to hold any.

    Examples
    --------
    >>> region_mask("tiles:256", 1392, 1300).sum() == 1280 * 1280
    True
    """
    mask = np.zeros((height, width), dtype=np.bool_)
    match = _REGION.fullmatch(region)
    if match is None:
        raise UsageError(f"unknown region {region!r}; write full, tiles:SIZE or crop:BORDER")
    if match[1] == "tiles":
        side = int(match[2])
        mask[: height // side * side, : width // side * side] = True
    elif match[1] == "crop":
        border = int(match[2])
        mask[border : max(height - border, 0), border : max(width - border, 0)] = True
    else:
        mask[:] = True
    if not mask.any():
        raise UsageError(f"region {region} leaves no pixel of an image of {height} x {width}")
    return mask
