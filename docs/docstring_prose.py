"""How the API reference reads our docstrings: an extension of griffe that mkdocs.yml names.

They say in plain words what comes back, describe two parameters in one breath, and lead to code by a double colon.
Griffe takes the words for a type, gives both parameters the type of the first, and prints the colons, so each docstring
is rewritten before it is parsed.
"""

import re
from typing import Any

import griffe

SECTION = re.compile(r"^(Parameters|Returns|Yields)\n-+\n(.*?)(?=\n\n\S[^\n]*\n-{3,}$|\Z)", re.DOTALL | re.MULTILINE)
SEVERAL = re.compile(r"^(\w+(?:, \w+)+)\n((?: {4}.*\n|\n)*(?: {4}.*))", re.MULTILINE)


class Prose(griffe.Extension):
    """Rewrites the docstring of every object."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite one."""
        if obj.docstring is not None:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(docstring: str) -> str:
    r"""Give what comes back no type but that of the signature, and every parameter a description of its own.

    Examples
    --------
    >>> rewritten("Count.\n\nReturns\n-------\nHow many,\nat most 3.")
    'Count.\n\nReturns\n-------\n:\n    How many,\n    at most 3.'
    >>> rewritten("Count.\n\nParameters\n----------\nlow, high\n    Bounds.")
    'Count.\n\nParameters\n----------\nlow\n    Bounds.\nhigh\n    Bounds.'
    >>> rewritten("In a test::\n\n    check()")
    'In a test:\n\n    check()'
    """
    plain = docstring.replace("\n::\n", "\n").replace("::\n", ":\n")
    return SECTION.sub(_section, plain)


def _section(match: re.Match[str]) -> str:
    title, text = match.groups()
    if title == "Parameters":
        text = SEVERAL.sub(lambda found: "\n".join(f"{name}\n{found[2]}" for name in found[1].split(", ")), text)
    else:
        text = ":\n" + "\n".join(f"    {line}" if line else "" for line in text.splitlines())
    return f"{title}\n{'-' * len(title)}\n{text}"
