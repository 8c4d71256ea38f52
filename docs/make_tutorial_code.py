"""Write the files that the tutorials show as `specrec plugin new` writes them: python docs/make_tutorial_code.py."""

import re
from pathlib import Path

from specrec.scaffold.writing import filled

DOCS = Path(__file__).parent
PAGES = {
    "write-a-method.md": ("my-ridge", "method"),
    "write-a-network.md": ("my-net", "network"),
    "write-a-metric.md": ("my-error", "metric"),
    "add-a-data-set.md": ("my-set", "scenes"),
}
"""The plugin that each page writes: its name and its kind."""

_SHOWN = re.compile(r"^`(?P<path>[\w./-]+)`:\n\n```(?P<language>\w+)\n(?:.*?\n)??```$", re.MULTILINE | re.DOTALL)


def shown(page: str) -> list[str]:
    """List the files that the text of a page shows."""
    return [match["path"] for match in _SHOWN.finditer(page)]


def renewed(page: str, name: str, kind: str) -> str:
    """Put the files that a new plugin has in place of those that the page shows."""
    files = filled(name, kind)
    return _SHOWN.sub(lambda match: f"`{match['path']}`:\n\n```{match['language']}\n{files[match['path']]}```", page)


if __name__ == "__main__":
    for file, (plugin, sort) in PAGES.items():
        path = DOCS / file
        path.write_text(renewed(path.read_text("utf-8"), plugin, sort), "utf-8", newline="\n")
