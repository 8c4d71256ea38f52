"""The layout holds: imports go one way, plugins use public names, nothing is unpickled, nothing prints."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from specrec.registry import registry

ROOT = Path(__file__).parents[1]
FRAMEWORK = sorted((ROOT / "specrec").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
FLOORS = [
    {"errors"},
    {
        "spectra",
        "resampling",
        "parameters",
        "cache",
        "memory",
        "compiled",
        "threads",
        "processes",
        "untrusted",
        "output_lock",
        "cluster",
        "stored_arrays",
        "colour_tables",
    },
    {"child_process", "process_pool", "process_worker"},
    {"rendering", "tristimulus", "distinct"},
    {"scenes"},
    {"interfaces"},
    {"hookspecs"},
    {"per_pixel", "network", "training", "tiling"},
    {"registry"},
    {"weights", "images"},
    {"cubes"},
    {"datasets", "metrics"},
    {"reconstruction", "testing", "scaffold", "robustness"},
    {"cells"},
    {"bench"},
    {"report"},
    {"cli"},
    {"__init__", "__main__"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
UNPICKLERS = {"pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOOR else "__init__"


def home(path: Path) -> str:
    first = path.relative_to(ROOT / "specrec").parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("path", FRAMEWORK, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_go_one_way(path: Path) -> None:
    if home(path) == "__init__":
        return
    for module in imports(path):
        if module.startswith("specrec."):
            assert FLOOR[room(module)] <= FLOOR[home(path)], f"{path.name} imports {module} from above"


@pytest.mark.parametrize("path", FRAMEWORK, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_framework_knows_no_plugin(path: Path) -> None:
    assert not [module for module in imports(path) if module.startswith("specrec_")]


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_plugin_uses_public_names_and_no_other_plugin(path: Path) -> None:
    own = path.relative_to(ROOT / "plugins").parts[0]
    for module in imports(path):
        if module.startswith("specrec_"):
            assert module.split(".")[0] == own
        if module.startswith("specrec."):
            assert not any(part.startswith("_") for part in module.split("."))
            assert room(module) not in ("bench", "cells", "cli", "datasets", "report", "scaffold")


@pytest.mark.parametrize("name", sorted(registry().reconstructors))
def test_a_method_declares_the_heavy_modules_it_needs(name: str) -> None:
    method = registry().reconstructor(name)
    package = ROOT / "plugins" / method.__module__.split(".")[0]
    used = {module.split(".")[0] for path in package.rglob("*.py") for module in imports(path)}
    assert used & {"torch", "spams"} == set(method.requires)  # it is listed as broken without them, and gets a device


@pytest.mark.parametrize("path", FRAMEWORK + PLUGINS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_is_unpickled(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not {module.split(".")[0] for module in imports(path)} & UNPICKLERS
    assert "torch.load" not in text
    assert "allow_pickle=True" not in text


@pytest.mark.parametrize("path", FRAMEWORK + PLUGINS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 300


def test_folder_names_say_what_is_inside() -> None:
    vague = {"utils", "util", "helpers", "common", "misc", "core", "manager"}
    assert not [path for path in FRAMEWORK + PLUGINS if vague & {*path.parts, path.stem}]
