"""What of specrec is public for the authors of plugins, read from the source alone.

Nothing is imported and nothing rendered by `inspect`, so that every Python and every platform reads the same.
"""

import ast
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]

Function = ast.FunctionDef | ast.AsyncFunctionDef

Surface = dict[str, str]
"""Full name of everything public -> what it is, in one line."""

PROMISED: dict[str, tuple[str, ...]] = {
    "specrec": (),
    "specrec.compiled": ("compiled",),
    "specrec.cubes": ("CubeFile", "StoredCube", "open_cube", "read_cube", "write_cube"),
    "specrec.distinct": ("Places", "distinct_colours", "sum_by_place"),
    "specrec.errors": (
        "DataError",
        "MemoryShortageError",
        "PartialFailureError",
        "PluginError",
        "SpecrecError",
        "UsageError",
    ),
    "specrec.hookspecs": (
        "PROJECT",
        "hookimpl",
        "specrec_metrics",
        "specrec_reconstructors",
        "specrec_scene_sources",
    ),
    "specrec.interfaces": (
        "INTERFACE_VERSION",
        "Arrays",
        "FitContext",
        "Metric",
        "MetricFunction",
        "Progress",
        "Reconstructor",
        "SceneSource",
        "Score",
        "Spent",
        "silent",
    ),
    "specrec.network": (),
    "specrec.network.inference": ("influence",),
    "specrec.parameters": ("Parameter", "Settings", "Value"),
    "specrec.per_pixel": ("PerPixelReconstructor", "Rows", "all_valid_pixels", "sample_pixels"),
    "specrec.rendering": (
        "Quantisation",
        "RGB_TO_XYZ",
        "XYZ_TO_RGB",
        "decode_srgb",
        "encode_srgb",
        "lab",
        "linear_srgb",
        "render",
        "srgb_to_xyz",
        "white_point",
        "xyz",
        "xyz_weights",
    ),
    "specrec.scenes": (
        "Image",
        "InputKind",
        "Mask",
        "Quantity",
        "Scaling",
        "Scene",
        "TrainingScene",
        "Window",
        "check_image",
    ),
    "specrec.spectra": ("Cube", "WAVELENGTHS", "check_cube", "check_wavelengths", "is_standard_grid"),
    "specrec.testing": (),
    "specrec.training.crops": ("Batch", "Crops"),
    "specrec.training.loop": ("Curve", "Stream", "Training", "run"),
    "specrec.training.session": ("exact", "session"),
}
"""The public names of each public module; an empty list: every one that has no underscore."""


@dataclass
class Module:
    """What a module defines and imports, by name."""

    name: str
    defined: dict[str, ast.stmt] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)
    passed_on: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """What is public of it."""
        own = [name for name in self.defined if not name.startswith("_")]
        return sorted(PROMISED.get(self.name) or {*own, *self.passed_on})


@cache
def read_module(name: str, root: Path = ROOT) -> Module:
    """Read a module of specrec."""
    path = root.joinpath(*name.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    module = Module(name)
    body = list(ast.parse(path.read_text("utf-8")).body)
    while body:
        node = body.pop(0)
        if isinstance(node, ast.If | ast.Try):
            body = node.body + body
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                module.imported[alias.asname or alias.name] = (str(node.module), alias.name)
                module.passed_on += [alias.name] if alias.name == alias.asname else []  # "X as X" says: mine too
        elif isinstance(node, Function | ast.ClassDef):
            module.defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            (target,) = node.targets if isinstance(node, ast.Assign) else [node.target]
            if isinstance(target, ast.Name) and target.id == "__all__":
                listed = [element.value for element in ast.walk(node) if isinstance(element, ast.Constant)]
                module.passed_on += [name for name in listed if name in module.imported]
            for name in ast.walk(target):
                if isinstance(name, ast.Name):
                    module.defined[name.id] = node
        elif not isinstance(node, ast.Import | ast.Expr | ast.Pass | ast.Assert | ast.Delete | ast.AugAssign):
            raise _unknown(node, name)
    return module


def surface(root: Path = ROOT) -> Surface:
    """Describe everything public."""
    found: Surface = {}
    for name in PROMISED:
        module = read_module(name, root)
        for public in module.names:
            found.update(_describe(f"{name}.{public}", module, public, root))
    return found


def _describe(shown: str, module: Module, name: str, root: Path) -> Surface:
    node = module.defined.get(name)
    if node is None:
        if name not in module.imported:
            return {}
        source, original = module.imported[name]
        if source in PROMISED and original in read_module(source, root).names:
            return {shown: f"the same as {source}.{original}"}
        return _describe(shown, read_module(source, root), original, root)
    return describe(shown, node)


def describe(shown: str, node: ast.stmt) -> Surface:
    """Describe a function, a class with its members, or a value, under the name it is shown by."""
    if isinstance(node, Function):
        marks = _marks(node)
        kind = "hook" if "hookspec" in marks else "context manager" if "contextmanager" in marks else "function"
        return {shown: f"{_waits(node)}{kind} {_signature(node)}"}
    if isinstance(node, ast.ClassDef):
        marks = [f"{word} " for mark in node.decorator_list if "dataclass" in (word := ast.unparse(mark))]
        head = f"{''.join(marks)}class ({', '.join(map(ast.unparse, node.bases))})"
        has_fields = bool(marks) or "NamedTuple" in head
        return {shown: head, **_members(shown, node, has_fields)}
    if shown.endswith(".INTERFACE_VERSION"):
        return {shown: "value: str"}  # which one is said above
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        raise _unknown(node, shown)
    if isinstance(node, ast.AnnAssign):
        return {shown: f"value: {ast.unparse(node.annotation)}{_value(node.value)}"}
    return {shown: f"value{_value(node.value)}"}


def _members(owner: str, node: ast.ClassDef, has_fields: bool) -> Surface:
    methods = [part for part in node.body if isinstance(part, Function)]
    found: Surface = {}
    for constructor in (method for method in methods if method.name == "__init__"):
        found = {**_attributes(owner, constructor), f"{owner}.__init__": f"constructor {_signature(constructor)}"}
    place = 0
    for part in node.body:
        if isinstance(part, Function):
            sets = {f"{part.name}.setter", f"{part.name}.deleter"} & _marks(part)
            if not sets and (not part.name.startswith("_") or part.name == "__call__"):
                found[f"{owner}.{part.name}"] = _method(part)
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            name, kind = part.target.id, ast.unparse(part.annotation)
            if has_fields and not kind.startswith("ClassVar"):
                place += 1
                required = "" if _has_default(part.value) else "required "
                found[f"{owner}.{name}"] = f"{required}field {place}: {kind}{_value(part.value)}"
            elif not name.startswith("_"):
                found[f"{owner}.{name}"] = f"attribute: {kind}{_value(part.value)}"
        elif isinstance(part, ast.Assign):
            for name in (target.id for target in part.targets if isinstance(target, ast.Name)):
                if not name.startswith("_"):
                    found[f"{owner}.{name}"] = f"attribute{_value(part.value)}"
        elif not isinstance(part, ast.Expr | ast.Pass):
            raise _unknown(part, owner)
    return found


def _unknown(node: ast.stmt, owner: str) -> ValueError:
    return ValueError(f"{owner} holds {ast.unparse(node).partition(chr(10))[0]!r}, which this page cannot describe")


def _method(node: Function) -> str:
    marks = _marks(node)
    abstract = "abstract " if "abstractmethod" in marks else ""
    if {"property", "cached_property"} & marks:
        return f"{abstract}property{_returns(node)}"
    kind = next((f"{mark} " for mark in ("classmethod", "staticmethod") if mark in marks), "")
    return f"{abstract}{_waits(node)}{kind}method {_signature(node)}"


def _waits(node: Function) -> str:
    return "async " if isinstance(node, ast.AsyncFunctionDef) else ""


def _attributes(owner: str, constructor: Function) -> Surface:
    """Describe what a constructor sets: its name, and its type where one is written."""
    found: Surface = {}
    for node in ast.walk(constructor):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            kind = f": {ast.unparse(node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for name in re.findall(r"self\.([a-z]\w*)", ast.unparse(target)):
                    found[f"{owner}.{name}"] = f"attribute{kind}"
    return found


def _has_default(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "field":
        return any(keyword.arg in ("default", "default_factory") for keyword in value.keywords)
    return value is not None


def _marks(node: Function) -> set[str]:
    return {ast.unparse(mark) for mark in node.decorator_list}


def _signature(node: Function) -> str:
    return f"({ast.unparse(node.args)}){_returns(node)}"


def _returns(node: Function) -> str:
    return f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""


def _value(node: ast.expr | None) -> str:
    """Say a small value as it is written; a larger one is no part of the promise."""
    text = "" if node is None else ast.unparse(node)
    return f" = {text}" if text and len(text) <= 80 else ""
