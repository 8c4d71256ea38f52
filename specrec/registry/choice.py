"""Which plugins are loaded: ``SPECREC_PLUGINS`` selects some, or blocks some."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint

from specrec.errors import UsageError
from specrec.parameters import nearest

OWN = "specrec"
"""The distribution whose plugins are always loaded unless they are blocked by name."""
VARIABLE = "SPECREC_PLUGINS"


@dataclass(frozen=True)
class Found:
    """A plugin as its distribution announces it.

    Parameters
    ----------
    point
        Its entry point.
    distribution, version
        Who announces it.
    """

    point: EntryPoint
    distribution: str
    version: str

    @property
    def own(self) -> bool:
        """Whether it comes with specrec itself."""
        return normal(self.distribution) == OWN

    @property
    def names(self) -> set[str]:
        """What it may be called: its entry point, or its distribution."""
        return {normal(self.point.name), normal(self.distribution)}


def normal(name: str) -> str:
    """Write a name as those of distributions are compared.

    Examples
    --------
    >>> normal("Specrec_Grey")
    'specrec-grey'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def chosen(text: str, plugins: Sequence[Found]) -> tuple[list[Found], list[Found]]:
    """Divide plugins into those to load and those that are blocked.

    Parameters
    ----------
    text
        Names of distributions or entry points, with commas: ``a,b`` loads these beside specrec's own, ``-c`` all but
        that one; empty: all.
    plugins
        All that are installed.

    Raises
    ------
    UsageError
        If a name is that of no plugin; the nearest is suggested.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    known = {name for plugin in plugins for name in plugin.names}
    for word in words:
        name = word.removeprefix("-").strip()
        if normal(name) not in known:
            raise UsageError(f"{VARIABLE} names {name!r}, and no plugin is called that; {nearest(normal(name), known)}")
    blocked = {normal(word[1:].strip()) for word in words if word.startswith("-")}
    selected = {normal(word) for word in words if not word.startswith("-")}
    load: list[Found] = []
    leave: list[Found] = []
    for plugin in plugins:
        wanted = not selected or plugin.own or plugin.names & selected
        (load if wanted and not plugin.names & blocked else leave).append(plugin)
    return load, leave
