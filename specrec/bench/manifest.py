"""The manifest of a results folder: what was set, which scenes stand in which fold, what the data was."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from specrec.bench.folds import Split
from specrec.bench.links import check_links
from specrec.bench.protocol import Protocol
from specrec.cache import written_whole
from specrec.cells.record_form import is_decided, is_file_name, is_line, is_name
from specrec.errors import SpecrecError, UsageError
from specrec.parameters import parse_spec
from specrec.rendering import rendering_id
from specrec.untrusted import read_json

MANIFEST_VERSION = 1
SHOWN = ("metrics", "methods", "controls", "figure")


@dataclass(frozen=True)
class Manifest:
    """Everything that all cells of a folder share.

    Parameters
    ----------
    settings
        The protocol with all overrides, resolved.
    folds
        For each fold the names tested and trained on.
    unused
        Scenes in no fold.
    scenes
        For each scene its size, range, valid pixels, the SHA-256 of its content, and the name, size in bytes and
        SHA-256 of each of its files.
    rendering
        Id of the rendering.
    cross_scenes
        The same as `scenes`, of the other data set that is only tested.
    methods
        How the user wrote each method, by its slug, in the order of the table.
    unusable
        Why a method of the protocol could not be computed at all, by how it is written there.
    installed
        What computes each method, by its slug, as of the last bench that had it: as `specrec.cells.key.installed` says.
        The table holds the records against it.
    reasons
        Why a scene is in no fold, where it would be: it is damaged, or has the content of another.
    """

    settings: dict[str, Any]
    folds: list[dict[str, list[str]]]
    unused: list[str]
    scenes: dict[str, dict[str, Any]]
    rendering: str
    methods: dict[str, str] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    installed: dict[str, dict[str, Any]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    cross_scenes: dict[str, dict[str, Any]] = field(default_factory=dict)
    specrec_version: str = ""
    manifest_version: int = MANIFEST_VERSION


def make_manifest(
    protocol: Protocol,
    split: Split,
    scenes: Mapping[str, Mapping[str, Any]],
    reasons: Mapping[str, str] | None = None,
    cross_scenes: Mapping[str, Mapping[str, Any]] | None = None,
) -> Manifest:
    """Write down a protocol, its folds and its data in plain values."""
    settings = _plain(protocol)
    folds = [{"test": list(fold.test), "train": list(fold.train)} for fold in split.folds]
    plain, cross = (_without_times(some) for some in (scenes, cross_scenes or {}))
    rendering = rendering_id(protocol.quantisation)
    return Manifest(
        settings,
        folds,
        list(split.unused),
        plain,
        rendering,
        reasons=dict(reasons or {}),
        cross_scenes=cross,
        specrec_version=version("specrec"),
    )


def _plain(protocol: Protocol) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(protocol)))
    return plain


def _without_times(scenes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    plain: dict[str, dict[str, Any]] = json.loads(json.dumps({name: dict(facts) for name, facts in scenes.items()}))
    for facts in plain.values():
        for file in facts.get("files", ()):
            del file["mtime_ns"]  # a copy of the data is the same data
    return plain


def agree(folder: Path, manifest: Manifest) -> Manifest:
    """Return the manifest with the methods the folder already has, or say what differs.

    Raises
    ------
    UsageError
        If the folder holds results of something else; the message names the first difference.
    """
    if not (folder / "manifest.json").exists():
        return manifest
    before = read_manifest(folder)
    one, two = _deciding(before), _deciding(manifest)
    difference = _difference(one["settings"], two["settings"], "settings")
    changed = "" if difference else _changed_scene(before, manifest)
    if difference := difference or changed or _difference(one, two, ""):
        former = before.settings["ceiling"]
        go_on = f"pass --ceiling {former} to go on with it, " * (former != manifest.settings["ceiling"])
        go_on += "put back what was there, " * bool(changed)
        raise UsageError(
            f"{folder} holds results of something else ({difference}); {go_on}choose another --output,"
            " or pass --overwrite to start it anew"
        )
    return replace(
        manifest, methods=dict(before.methods), unusable=dict(before.unusable), installed=dict(before.installed)
    )


def rewritten_files(folder: Path, manifest: Manifest) -> list[str]:
    """Say which files are others than those a folder's manifest knows, though their scene holds the same."""
    if not (folder / "manifest.json").exists():
        return []
    return [
        f"scene {name}: {', '.join(files)} is not the file it was, and holds the same; going on"
        for name, then, facts in _pairs(read_manifest(folder), manifest)
        if (files := _other_files(then, facts))
    ]


def _changed_scene(before: Manifest, now: Manifest) -> str:
    """Name the first scene whose content is another, and its files that are."""
    for name, then, facts in _pairs(before, now):
        if then.get("sha256") != facts["sha256"]:
            files = ", ".join(_other_files(then, facts))
            return f"the content of scene {name} has changed{f': {files}' if files else ''}"
    return ""


def _pairs(before: Manifest, now: Manifest) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Give every scene that both know, its name as one says it, what was known of it, and what is now."""
    for one, other, where in (
        (before.scenes, now.scenes, ""),
        (before.cross_scenes, now.cross_scenes, " of the other data set"),
    ):
        for name, facts in other.items():
            if name in one:
                yield f"{name}{where}", one[name], facts


def _other_files(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """List files whose bytes are others; none where the manifest is older than that it knows them."""
    known = {file["name"]: file["sha256"] for file in before.get("files", ())}
    return [file["name"] for file in now["files"] if known and known.get(file["name"]) != file["sha256"]]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json``, whole or not at all."""
    with written_whole(folder / "manifest.json") as temporary:
        temporary.write_text(json.dumps(asdict(manifest), indent=1), "utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read ``manifest.json``.

    Raises
    ------
    SpecrecError
        If there is none, it is not one of this version, or a link in the folder leads out of it.
    """
    path = folder / "manifest.json"
    check_links(folder)
    try:
        values = read_json(path)
        values["settings"] = {**_plain(Protocol("", "")), **values["settings"]}  # keys that are newer than the folder
        manifest = Manifest(**values)
        _check(manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise SpecrecError(f"{folder} is no results folder: it has no manifest.json") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, UsageError) as error:
        why = f" ({error})" if isinstance(error, UsageError) else ""
        raise SpecrecError(f"{path} is not a manifest of this specrec{why}") from None
    if manifest.manifest_version != MANIFEST_VERSION:
        raise SpecrecError(f"{path} has version {manifest.manifest_version}, this specrec reads {MANIFEST_VERSION}")
    return manifest


def _check(manifest: Manifest) -> None:
    """Raise whatever comes first where a manifest holds what none does: a folder of results may be anyone's."""
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in manifest.settings.items()}
    known: Any = {item.name: values[item.name] for item in fields(Protocol) if item.name in values}
    chosen = Protocol(**known).changed()
    names = [name for fold in manifest.folds for part in ("test", "train") for name in fold[part]]
    if not all(
        map(is_file_name, (*names, *manifest.unused, *manifest.scenes, *manifest.cross_scenes, *manifest.methods))
    ):
        raise ValueError("a name that leads elsewhere")
    lines = (
        *manifest.methods.values(),
        *manifest.unusable,
        chosen.name or "-",
        chosen.dataset or "-",
        chosen.cross or "-",
    )
    if not all(map(is_name, (*lines, *chosen.metrics, *chosen.methods, *chosen.controls))):
        raise ValueError("a name of several lines")
    "".join(lines).encode()  # figures show these: a ValueError where one is no text
    for written in manifest.unusable:
        parse_spec(written)  # the tables do, and would not name the file
    reasons = (*manifest.unusable.values(), *manifest.reasons.values())
    if not all(map(is_line, (*_texts(vars(manifest)), *reasons, manifest.rendering))):
        raise ValueError("a text of several lines")
    if not all(isinstance(facts, Mapping) for facts in (*manifest.scenes.values(), *manifest.cross_scenes.values())):
        raise ValueError("a scene without facts")
    if not all(map(is_decided, manifest.installed.values())):
        raise ValueError("a method computed by nothing")
    if any(fold >= len(manifest.folds) for fold in chosen.tested):
        raise ValueError("a fold that there is not")


def _texts(values: Any) -> Iterator[str]:
    """Give every text that a value holds, names of fields among them, however deep it is."""
    left = [values]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            left += [*value, *value.values()]
        elif isinstance(value, list | tuple):
            left += value


def _deciding(manifest: Manifest) -> dict[str, Any]:
    """What two starts in one folder must agree on: not what is only shown, since a cell holds every metric."""
    settings = {key: value for key, value in manifest.settings.items() if key not in SHOWN}
    return {
        "settings": settings,
        "folds": manifest.folds,
        "scenes": _contents(manifest.scenes),
        "cross_scenes": _contents(manifest.cross_scenes),
        "rendering": manifest.rendering,
    }


def _contents(scenes: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {key: value for key, value in facts.items() if key != "files"} for name, facts in scenes.items()}


def _difference(before: Any, now: Any, where: str) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *(key for key in now if key not in before)]:
            place = f"{where}.{key}".lstrip(".")
            if key not in before or key not in now:
                return f"{place} is {'new' if key not in before else 'gone'}"
            found = _difference(before[key], now[key], place)
            if found:
                return found
        return ""
    return "" if before == now else f"{where} was {_short(before)}, is now {_short(now)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
