"""Write docs/interface.txt, the description of everything public: python docs/make_interface_page.py.

It refuses as long as `INTERFACE_VERSION` does not say what changed since the last release, whose description is
docs/interface-released.txt. ``--released`` copies the one to the other, once, when CHANGELOG.md dates a release.
"""

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from public_surface import PROMISED, ROOT, Surface, read_module, surface

DESCRIPTION = ROOT / "docs" / "interface.txt"
RELEASED = ROOT / "docs" / "interface-released.txt"
COMMAND = "python docs/make_interface_page.py"


@dataclass
class Changes:
    """What a description has that an older one has not, and the other way round; ``breaking`` may break a plugin."""

    added: list[str]
    breaking: list[str]
    widened: list[str]

    def __str__(self) -> str:
        parts = [("removed or changed", self.breaking), ("added", self.added + self.widened)]
        return "\n".join(f"{title}:\n  " + "\n  ".join(lines) for title, lines in parts if lines)


def interface_version() -> str:
    """Return `specrec.INTERFACE_VERSION`, as the source says it."""
    value = getattr(read_module("specrec.interfaces.version").defined["INTERFACE_VERSION"], "value", None)
    return str(ast.literal_eval(value)) if isinstance(value, ast.expr) else ""


def text(found: Surface, version: str, of: str = "") -> str:
    """Write a description: a heading, then one line for each name, in order."""
    parts = [
        f"# Everything of specrec that a plugin may use: interface {version}{of}. Made by docs/make_interface_page.py."
    ]
    for module in PROMISED:
        names = sorted(name for name in found if _module(name) == module)
        parts.append("\n".join(f"{name}: {found[name]}" for name in names))
    return "\n\n".join(parts).rstrip() + "\n"


def _module(name: str) -> str:
    return max((module for module in PROMISED if name.startswith(f"{module}.")), key=len)


def read(path: Path) -> tuple[str, Surface]:
    """Read a description: the version of the interface, and what is public."""
    first, *lines = path.read_text("utf-8").splitlines()
    match = re.search(r"interface ([0-9]+\.[0-9]+)", first)
    return match[1] if match else "", dict(line.split(": ", 1) for line in lines if line)


def compare(old: Surface, new: Surface) -> Changes:
    """Tell additions from what may break a plugin that was written for `old`."""
    changes = Changes([], [f"{name}: {old[name]}  (gone)" for name in old if name not in new], [])
    for name, what in new.items():
        if name not in old:
            # a new duty of a class that plugins already inherit or build is no mere addition
            duty = name.rpartition(".")[0] in old and what.startswith(("abstract ", "required "))
            (changes.breaking if duty else changes.added).append(f"{name}: {what}")
        elif what != old[name]:
            line = f"{name}: {what}  (was {old[name]})"
            (changes.widened if widens(old[name], what) else changes.breaking).append(line)
    return changes


def widens(old: str, new: str) -> bool:
    """Tell whether every call that `old` allows means the same under `new`.

    Only optional parameters were added, and parameters that are named in a call take further types beside the old one.

    A method may have been overridden by a plugin, so that no change of one counts as such.
    """
    before, after = _function(old), _function(new)
    if before is None or after is None or before.name != after.name or _fixed(before) != _fixed(after):
        return False
    first, then = _positional(before), _positional(after)
    further = then[len(first) :]
    if then[: len(first)] != first or (further and before.args.vararg):
        return False
    named, named_then = _named(before), _named(after)
    if before.name != "hook":  # whoever implements one is given the further types
        named_then = {one if one in named else _as_before(one, named) for one in named_then}
    if not named <= named_then:
        return False
    # an implementation of a hook takes as few of its arguments as it likes
    return before.name == "hook" or all(" = " in one for one in [*further, *(named_then - named)])


def _function(line: str) -> ast.FunctionDef | None:
    """Parse the line of a function; its kind becomes its name."""
    match = re.match(r"(function|context manager|constructor|hook) (\(.*)", line)
    if match is None:
        return None
    (node,) = ast.parse(f"def {match[1].replace(' ', '_')}{match[2]}: ...").body
    return node if isinstance(node, ast.FunctionDef) else None


def _fixed(node: ast.FunctionDef) -> list[str]:
    """What may not change at all: the result, ``*args``, ``**kwargs``, what is given by position alone."""
    parts = [node.returns, node.args.vararg, node.args.kwarg, *node.args.posonlyargs]
    return [ast.unparse(part) if part is not None else "" for part in parts]


def _positional(node: ast.FunctionDef) -> list[str]:
    arguments = [*node.args.posonlyargs, *node.args.args]
    values = [None] * (len(arguments) - len(node.args.defaults)) + list(node.args.defaults)
    return [_word(*pair) for pair in zip(arguments, values, strict=True)]


def _named(node: ast.FunctionDef) -> set[str]:
    return {_word(*pair) for pair in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)}


def _as_before(word: str, before: set[str]) -> str:
    """Return the old form of a parameter whose type is now a union that begins with the old one."""
    name, _, rest = word.partition(": ")
    kind, _, default = rest.partition(" = ")
    for old in before:
        other = old.removeprefix(f"{name}: ").partition(" = ")
        if old.startswith(f"{name}: ") and kind.startswith(f"{other[0]} | ") and default == other[2]:
            return old
    return word


def _word(argument: ast.arg, value: ast.expr | None) -> str:
    return ast.unparse(argument) + (f" = {ast.unparse(value)}" if value is not None else "")


def too_low(version: str, before: str, changes: Changes) -> str | None:
    """Say why a version does not tell of the changes since `before`; None where it does."""
    major, minor = (int(part) for part in before.split("."))
    least = (major, minor)
    if changes.breaking:
        least = (major + 1, 0)
    elif changes.added or changes.widened:
        least = (major, minor + 1)
    if tuple(int(part) for part in version.split(".")) >= least:
        return None
    return (
        f"specrec was released with interface {before}, and since then\n{changes}\n"
        f"Raise INTERFACE_VERSION in specrec/interfaces/version.py to {least[0]}.{least[1]}"
        f"{', or bring back what was there' if changes.breaking else ''}; then run {COMMAND}"
    )


def last_release() -> str:
    """Return the newest version in CHANGELOG.md that is not marked as unreleased."""
    headings = re.findall(r"^## ([0-9.]+)(.*)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    return next(version for version, remark in headings if "unreleased" not in remark)


def problem() -> str | None:
    """Say why the description cannot be written as things are; None where it can."""
    before, released = read(RELEASED)
    return too_low(interface_version(), before, compare(released, surface()))


def main(arguments: list[str]) -> str | None:
    """Write the description; return what went wrong."""
    wrong = problem()
    if wrong is not None:
        return wrong
    DESCRIPTION.write_text(text(surface(), interface_version()), "utf-8")
    if arguments == ["--released"]:
        release = f" as released with specrec {last_release()}"
        if release in RELEASED.read_text("utf-8"):
            return f"{RELEASED.name} already says what was{release}; it stays as it is"
        RELEASED.write_text(text(surface(), interface_version(), f",{release}"), "utf-8")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
