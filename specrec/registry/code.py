"""The code of a plugin as hashes, so that one that was edited is told from what it was, whatever its version says.

Read are the modules that define the method's class and its bases, and, of a distribution of a third party, every
module that its list of files names; specrec itself is known by its version. Weights and data that a plugin brings are
not read: whoever changes those gives the plugin a new version.
"""

import hashlib
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from specrec.hookspecs import PROJECT

CODE = frozenset((".py", ".so", ".pyd", ".dll", ".dylib"))
"""Suffixes of what is read; weights and data are none of it."""


def code_of(thing: Any, distribution_name: str) -> dict[str, str]:
    """Hash the code behind a class or a function, by module; read once per process, and empty where there are no files.

    Parameters
    ----------
    thing
        A method's class, or a metric's function.
    distribution_name
        Who brings it.
    """
    return dict(_code_of(_made_in(thing), distribution_name))


def code_now(thing: Any, distribution_name: str) -> dict[str, str]:
    """Hash the same as it is on the disk now, for a process that has lived long: what it starts imports that."""
    return dict(_code_of.__wrapped__(_made_in(thing), distribution_name))


def _made_in(thing: Any) -> tuple[str, ...]:
    classes = getattr(thing, "__mro__", ())
    return tuple(str(base.__module__) for base in classes) or (str(getattr(thing, "__module__", "")),)


@cache
def _code_of(modules: tuple[str, ...], distribution_name: str) -> tuple[tuple[str, str], ...]:
    names = {*modules, *(_top_levels(distribution_name) if distribution_name != PROJECT else ())} - {""}
    homes = {home for name in names if (home := _home(name)) is not None}
    return tuple(sorted((name, _hash(path)) for name, path in homes))


def _home(module: str) -> tuple[str, Path] | None:
    """Find the package or module that a module belongs to: its name, and its folder or file.

    The outermost one that has a file counts, so not a namespace that several distributions share.
    """
    parts = module.split(".")
    if parts[0] in (PROJECT, "builtins") or parts[0] in sys.stdlib_module_names:
        return None
    for count in range(1, len(parts) + 1):
        name = ".".join(parts[:count])
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is None and name not in sys.modules:
            with suppress(Exception):  # a finder of somebody else may raise anything
                found = find_spec(name)
                file = found.origin if found is not None and found.has_location else None
        if file is not None:
            path = Path(file)
            return name, path.parent if path.stem == "__init__" else path
    return None


def _top_levels(name: str) -> set[str]:
    """List the modules that a distribution has installed; none of one that is installed to be edited."""
    with suppress(Exception):  # of any distribution that is installed, the metadata may be damaged
        files = distribution(name).files or []
        tops = {file.parts[0] for file in files if file.suffix in CODE}
        return {top.partition(".")[0] for top in tops if not top.startswith(("__editable__", "..", "_virtualenv"))}
    return set()


def _hash(home: Path) -> str:
    whole = hashlib.sha256()
    files = [home] if home.is_file() else sorted(path for path in home.rglob("*") if path.suffix in CODE)
    for path in files:
        with suppress(OSError):  # it went just now, or is no file
            content = path.read_bytes()
            if path.suffix == ".py":
                content = content.replace(b"\r\n", b"\n")  # as Git writes them on Windows
            name = path.relative_to(home.parent).as_posix()
            whole.update(f"{name}\0{len(content)}\0".encode("utf-8", "surrogateescape"))
            whole.update(content)
    return whole.hexdigest()
