"""The name of a new plugin: what it may be, and what follows from it."""

import re
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from specrec.errors import UsageError
from specrec.registry import Offer, Registry
from specrec.registry.choice import normal

LONGEST = 32
"""Characters."""
PREFIX = "specrec-"
"""Distributions of plugins begin so, by custom; nothing depends on it."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def check_name(name: str, kind: str, installed: Registry) -> str:
    """Return the name of the method, metric or data set that a new plugin shall offer.

    Parameters
    ----------
    name
        With or without ``specrec-`` before it.
    kind
        Of plugin, as `specrec.scaffold.KINDS` has them.
    installed
        What is offered already.

    Raises
    ------
    UsageError
        If it is no name, too long, or taken: by what is offered, by a plugin, a distribution or a module.

    Examples
    --------
    >>> check_name("specrec-my-ridge", "method", Registry())
    'my-ridge'
    """
    bare = name.removeprefix(PREFIX)
    if not _NAME.fullmatch(bare):
        raise UsageError(
            f"{name!r} cannot be the name of a plugin: it begins with a lower-case letter and goes on with lower-case"
            f" letters, digits and single hyphens{_alike(bare)}"
        )
    if len(bare) > LONGEST:
        raise UsageError(
            f"{bare!r} has {len(bare)} characters, a plugin's name at most {LONGEST}; choose a shorter one"
        )
    offers: dict[str, tuple[str, Mapping[str, Offer[Any]]]] = {
        "metric": ("metric", installed.metrics),
        "scenes": ("data set", installed.scene_sources),
    }
    what, taken = offers.get(kind, ("method", installed.reconstructors))
    if bare in taken:
        raise UsageError(f"there is a {what} {bare!r} already, of {taken[bare].distribution}; choose another name")
    for broken in installed.broken:
        if broken.name == bare:
            raise UsageError(f"{broken.distribution} uses the name {bare!r} already; choose another one")
    if find_spec(module_of(bare)) is not None:
        raise UsageError(f"there is a module {module_of(bare)} already; choose another name than {bare!r}")
    for plugin in installed.plugins:
        if {normal(plugin.name), normal(plugin.distribution)} & {bare, f"{PREFIX}{bare}"}:
            who = f"a plugin {plugin.name!r} already, of {plugin.distribution}"
            raise UsageError(f"there is {who}; choose another name than {bare!r}")
    if _is_installed(f"{PREFIX}{bare}"):
        raise UsageError(f"a distribution {PREFIX}{bare} is installed already; choose another name")
    return bare


def module_of(name: str) -> str:
    """Name the import package of a plugin.

    Examples
    --------
    >>> module_of("my-ridge")
    'specrec_my_ridge'
    """
    return f"specrec_{name.replace('-', '_')}"


def class_of(name: str) -> str:
    """Spell a name as classes are.

    Examples
    --------
    >>> class_of("my-ridge")
    'MyRidge'
    """
    return "".join(part.capitalize() for part in name.split("-"))


def _is_installed(distribution: str) -> bool:
    try:
        metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _alike(name: str) -> str:
    """Suggest what may be meant."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", name)
    guess = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
    return f"; {guess!r} would be one" if _NAME.fullmatch(guess) else ""
