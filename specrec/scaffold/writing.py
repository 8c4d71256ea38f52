"""Fills in the templates and writes them: a folder that is there as a whole or not at all.

The templates are the files themselves with ``.txt`` behind their names, so that no tool takes them for code of specrec;
what differs from plugin to plugin stands in them as ``@name@``.
"""

import re
import secrets
import shutil
from contextlib import suppress
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from specrec.cache import cannot_write
from specrec.errors import UsageError
from specrec.interfaces import INTERFACE_VERSION
from specrec.registry import registry
from specrec.scaffold.names import PREFIX, check_name, class_of, module_of

KINDS = ("method", "network", "metric", "scenes")
"""A method that computes, one that is a trained network, a metric, a data set."""

_FILES = {
    "pyproject.toml": "every-kind/pyproject.toml",
    "README.md": "@kind@/README.md",
    "LICENSE": "every-kind/LICENSE",
    ".gitignore": "every-kind/gitignore",
    ".github/workflows/test.yml": "every-kind/test.yml",
    "@module@/__init__.py": "@kind@/init.py",
    "@module@/@kind@.py": "@kind@/@kind@.py",
    "tests/test_@snake@.py": "@kind@/test.py",
}
_FURTHER = {
    "network": {"@module@/method.py": "network/method.py"},
    "scenes": {"tests/make_scenes.py": "scenes/make_scenes.py"},
}


def write_plugin(name: str, kind: str = "method", folder: Path | None = None) -> Path:
    """Write a complete distribution to begin a plugin from.

    Parameters
    ----------
    name
        Of the method, metric or data set; the distribution is called ``specrec-NAME``.
    kind
        One of `KINDS`.
    folder
        Where to; it does not exist, or is empty. Default: ``specrec-NAME`` in the working directory.

    Returns
    -------
    The folder.

    Raises
    ------
    UsageError
        For a name that cannot be used, an unknown kind, or a folder that holds something.
    SpecrecError
        If the folder cannot be written; nothing is left behind.
    """
    if kind not in KINDS:
        raise UsageError(f"unknown kind of plugin {kind!r}; choose from {', '.join(KINDS)}")
    name = check_name(name, kind, registry())
    target = Path(f"{PREFIX}{name}") if folder is None else folder
    if target.is_symlink() and not target.exists():
        raise UsageError(f"{target} is a link to {target.readlink()}, which is not there; name another folder with -o")
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; name another folder with -o")
    if target.is_dir() and any(target.iterdir()):
        raise UsageError(f"{target} is there already and holds files; name another folder with -o")
    _put(target, filled(name, kind))
    return target


def filled(name: str, kind: str) -> dict[str, str]:
    """Return the text of every file of a plugin, by its path inside the folder, with ``/`` between the parts."""
    words = {
        "name": name,
        "kind": kind,
        "snake": name.replace("-", "_"),
        "upper": name.replace("-", "_").upper(),
        "class": class_of(name),
        "module": module_of(name),
        "distribution": f"{PREFIX}{name}",
        "interface": INTERFACE_VERSION,
        "version": version("specrec"),
    }

    def fill(text: str) -> str:
        return re.sub("@([a-z]+)@", lambda match: words[match[1]], text)

    templates = files("specrec.scaffold") / "templates"
    wanted = _FILES | _FURTHER.get(kind, {})
    return {fill(path): fill((templates / f"{fill(source)}.txt").read_text("utf-8")) for path, source in wanted.items()}


def _put(target: Path, texts: dict[str, str]) -> None:
    """Write all files into a folder beside the target, or inside it where it is there, and move them at the end."""
    is_there = target.is_dir()
    new = [folder for folder in target.absolute().parents if not folder.exists()]  # the innermost first
    temporary = (target if is_there else target.absolute().parent) / f".specrec-{secrets.token_hex(4)}"
    moved: list[Path] = []
    try:
        for path, text in texts.items():
            (temporary / path).parent.mkdir(parents=True, exist_ok=True)
            (temporary / path).write_text(text, "utf-8", newline="\n")
        if not is_there:
            temporary.rename(target)
            return
        for part in sorted(temporary.iterdir()):
            part.rename(target / part.name)
            moved.append(target / part.name)
        temporary.rmdir()
    except BaseException as error:
        for part in moved:
            shutil.rmtree(part) if part.is_dir() else part.unlink()
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in new:
            with suppress(OSError):  # it was not made, or somebody else has put something there
                folder.rmdir()
        if isinstance(error, OSError):
            raise cannot_write(target, error) from None
        raise
