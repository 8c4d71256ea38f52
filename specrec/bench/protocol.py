"""A protocol: everything that decides the numbers of a bench beside the methods, read from a TOML file."""

import tomllib
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from specrec.cells.region import REGION
from specrec.errors import UsageError, plain_line
from specrec.parameters import Settings, nearest, parse_spec
from specrec.rendering import Quantisation
from specrec.robustness.conditions import condition
from specrec.scenes import Scaling
from specrec.tiling import parse_tiles
from specrec.untrusted import is_there


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
    methods, controls
        Trained where the user names none. The figure sets the controls apart; nothing else tells the two apart.
    tested
        The folds that are computed; empty: all.
    score_training
        So many seeded training scenes of each cell are scored too: the training error.
    ceiling
        Show the ceiling of a function of one colour, from so many further scenes where the data set can make some, and
        from the other scenes elsewhere, whatever the number; 0: leave it.
    influence
        Average the influence of the surroundings (`specrec.interfaces.Reconstructor.influence`) over so many seeded
        places of test scenes; 0: leave it.
    robustness
        Conditions under which the test scenes are looked at again, such as ``jpeg=50``: one column each. With
        ``cross-data`` goes `cross`.
    cross, cross_scenes
        Another data set, with options in brackets, and how many seeded scenes of it are tested; 0: all there are.
    figure
        Further figures: ``ablation`` draws the methods against their receptive fields; empty: none.
    preset
        Parameter preset of the methods that have one of that name.
    threads
        Of each cell.
    reported
        A file of rows to show beside, from a publication; empty: none.
    on
        Values that are other on a data set, by its name: the TOML table ``[on.icvl]``.
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
    methods: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    tested: tuple[int, ...] = ()
    score_training: int = 0
    ceiling: int = 0
    influence: int = 0
    robustness: tuple[str, ...] = ()
    cross: str = ""
    cross_scenes: int = 0
    figure: str = ""
    preset: str = "paper"
    threads: int = 1
    reported: str = ""
    on: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def computed_folds(self) -> tuple[int, ...]:
        """The folds that are tested, in order."""
        return tuple(sorted(set(self.tested))) or tuple(range(self.folds))

    def changed(self, **changes: Any) -> "Protocol":
        """Return this protocol with what is not None replaced, checked again."""
        given = {key: value for key, value in changes.items() if value is not None}
        return _checked(replace(self, **given), self.name)

    def settled(self, dataset: str) -> "Protocol":
        """Return this protocol on a data set: options kept where they are of this one, ``[on.NAME]`` applied."""
        kept = self.options if dataset == self.dataset else {}
        there = {"options": kept, **_read(self.on.get(dataset, {}), _OVERRIDABLE, f"{self.name}: on.{dataset}")}
        return self.changed(**there, dataset=dataset, on={})


FIGURES = ("", "ablation")
_LONGEST = 1 << 20  # bytes of a file
_MOST_LISTED = 1000
_MOST_DOTS = 500  # of a line: a key of very many parts is what a trap is made of
_MOST = {"runs": 10_000, "seed": 1 << 64}
_MOST_OF_ANYTHING = 1_000_000
_LEAST = {
    "folds": 2,
    "scenes_per_fold": 0,
    "runs": 1,
    "seed": 0,
    "threads": 1,
    "score_training": 0,
    "ceiling": 0,
    "influence": 0,
    "cross_scenes": 0,
}
_LISTS = {"metrics": "metric ids", "methods": "methods", "controls": "methods", "robustness": "conditions"}
_KEYS = {item.name for item in fields(Protocol)} - {"name"}
_OVERRIDABLE = _KEYS - {"dataset", "on"}


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
    if not is_there(path) or not path.is_file():
        raise UsageError(f"unknown protocol {name!r}; {nearest(name, names())} (a path to a .toml file is fine too)")
    try:
        if path.stat().st_size > _LONGEST:
            raise UsageError(f"{path} is too long for a protocol")
        return parse(path.read_text("utf-8"), path.stem)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the protocol {path}: {error}") from None


def for_dataset(dataset: str) -> Protocol:
    """Choose the protocol that a data set alone stands for."""
    chosen = {"synthetic": "embedded"}.get(dataset, dataset)
    return load(chosen) if chosen in names() else load("cave").changed(name=dataset, dataset=dataset)


def parse(text: str, name: str) -> Protocol:
    """Read the TOML text of a protocol; an unknown key is an error."""
    if any(line.count(".") > _MOST_DOTS for line in text.splitlines()):  # which the parser takes for ever over
        raise UsageError(f"protocol {name}: not a TOML file of a protocol (a line has more than {_MOST_DOTS} dots)")
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of too many digits, or brackets too deep
        raise UsageError(f"protocol {name}: not a TOML file ({plain_line(str(error))})") from None
    values = _read(values, _KEYS, name)
    if "dataset" not in values:
        raise UsageError(f"protocol {name}: the key 'dataset' is missing")
    chosen = _checked(Protocol(name=name, **_without_brackets(values, name)), name)
    for dataset in chosen.on:
        chosen.settled(dataset)  # a mistake there is told on every data set
    return chosen


def _without_brackets(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Take ``synthetic[scenes=8]`` apart into data set and options; those of the table ``[options]`` are others."""
    dataset, options = values["dataset"], values.get("options", {})
    if not isinstance(dataset, str) or "[" not in dataset or not isinstance(options, Mapping):
        return dict(values)
    try:
        dataset, given = parse_spec(dataset)
    except UsageError as error:
        raise UsageError(f"protocol {name}: {error}") from None
    for key in {*given} & {*options}:
        raise UsageError(f"protocol {name}: the option {key!r} stands in 'dataset' and in 'options'; leave one of them")
    return {**values, "dataset": dataset, "options": {**options, **given}}


def _read(values: Mapping[str, Any], known: Set[str], where: str) -> dict[str, Any]:
    """Refuse unknown keys, and make tuples of the lists."""
    for key in values:
        if key not in known:
            raise UsageError(f"protocol {where}: unknown key {key!r}; {nearest(key, known)}")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _checked(protocol: Protocol, name: str) -> Protocol:
    def refuse(key: str, wanted: str) -> None:
        raise UsageError(f"protocol {name}: {key} must be {wanted}, not {getattr(protocol, key)!r}")

    for key, least in _LEAST.items():
        if not _whole(getattr(protocol, key)) or getattr(protocol, key) < least:
            refuse(key, f"a whole number of at least {least}")
        if getattr(protocol, key) > (most := _MOST.get(key, _MOST_OF_ANYTHING)):
            raise UsageError(f"protocol {name}: {key} is {most:,} at most")
    for key, choices in {"scaling": get_args(Scaling), "quantisation": get_args(Quantisation)}.items():
        if getattr(protocol, key) not in choices:
            refuse(key, f"one of {', '.join(choices)}")
    for key in ("dataset", "region", "tiles", "preset", "reported", "cross"):
        if not isinstance(getattr(protocol, key), str):
            refuse(key, "a word")
    if protocol.ceiling and protocol.quantisation == "none":
        refuse("ceiling", "0 where quantisation is none: without levels hardly two pixels have one colour")
    if not isinstance(protocol.options, Mapping):
        refuse("options", "a table")
    for key, wanted in _LISTS.items():
        value = getattr(protocol, key)
        words = isinstance(value, tuple) and all(isinstance(word, str) for word in value)
        if not words or (key == "metrics" and not value):
            refuse(key, f"a list of {wanted}")
        if len(value) > _MOST_LISTED:
            raise UsageError(f"protocol {name}: {key} are {_MOST_LISTED:,} at most")
    tested = protocol.tested
    if not isinstance(tested, tuple) or not all(_whole(fold) and 0 <= fold < protocol.folds for fold in tested):
        refuse("tested", f"a list of folds from 0 to {protocol.folds - 1}")
    if protocol.figure not in FIGURES:
        refuse("figure", f"empty or one of {', '.join(filter(None, FIGURES))}")
    if not isinstance(protocol.on, Mapping) or not all(isinstance(table, Mapping) for table in protocol.on.values()):
        refuse("on", "tables by the names of data sets")
    for key in protocol.on:
        if "[" in key:
            plain = key.partition("[")[0].strip()
            raise UsageError(
                f"protocol {name}: on.{key!r} is no name of a data set; write [on.{plain}], without options"
            )
    if protocol.reported and protocol.reported not in reported_names():
        refuse("reported", f"empty or one of {', '.join(reported_names())}")
    if not REGION.fullmatch(protocol.region):
        refuse("region", "full, tiles:SIZE or crop:BORDER")
    parse_tiles(protocol.tiles)
    _check_robustness(protocol, refuse)
    return protocol


def _check_robustness(protocol: Protocol, refuse: Callable[[str, str], None]) -> None:
    for text in protocol.robustness:
        try:
            condition(text)
        except UsageError as error:
            raise UsageError(f"protocol {protocol.name}: {error}") from None
    if len(set(protocol.robustness)) < len(protocol.robustness):
        refuse("robustness", "a list of conditions, each of them once")
    if ("cross-data" in protocol.robustness) != bool(protocol.cross):
        refuse("cross", "a data set where robustness names cross-data, and nowhere else")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
