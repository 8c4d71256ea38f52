"""The page one looks at: one HTML file that holds its data, its style and its script, and asks no server for anything.

`write_page` puts together ``page.html``, ``page.css``, the scripts beside them, and the data as JSON. Everything that
comes from a user reaches the page inside that JSON and is set as text by the script, never as markup.
"""

import json
from html import escape
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from specrec.cache import written_whole
from specrec.errors import SpecrecError

SCRIPTS = ("arrays.js", "numbers.js", "plot.js", "panels.js", "pixels.js", "looking.js", "tables.js", "scores.js",
           "about.js", "start.js")  # fmt: skip
"""In the order in which they are put together."""
PAGE_BYTES = 25_000_000
"""No page is larger."""
RESERVE = 500_000
"""Of them for what is neither cube nor table: the page's own code and markup."""


def page(title: str, data: dict[str, Any]) -> str:
    """Return the whole page as text.

    Parameters
    ----------
    title
        Of the page; plain text.
    data
        Plain JSON values: ``kind`` (``"view"`` or ``"results"``), ``title``, ``lead`` and ``scenes`` as
        `specrec.report.looking.pack_scenes` gives them; a results page has further parts
        (`specrec.report.results_page`).
    """
    folder = files("specrec.report.page")
    scripts = "\n".join((folder / name).read_text("utf-8") for name in SCRIPTS)
    parts = {
        "TITLE": escape(title),
        "STYLE": (folder / "page.css").read_text("utf-8"),
        "DATA": as_json({**data, "colours": _colour_map(), "version": version("specrec")}),
        "SCRIPT": f'(() => {{\n"use strict";\n{scripts}\n}})();',
    }
    head, *rest = (folder / "page.html").read_text("utf-8").split("{{")
    pieces = [head]
    for piece in rest:
        name, _, after = piece.partition("}}")
        pieces += [parts[name], after]
    return "".join(pieces)


def as_json(data: Any) -> str:
    r"""Write plain values so that they may stand inside a script element, whatever their text says.

    Examples
    --------
    >>> as_json({"scene": "</script><script>"})
    '{"scene":"\\u003c/script\\u003e\\u003cscript\\u003e"}'
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def write_page(target: Path, title: str, data: dict[str, Any], *, overwrite: bool = True) -> Path:
    """Write the page, whole or not at all, and return its path.

    Raises
    ------
    SpecrecError
        If the page would be larger than `PAGE_BYTES`, the folder cannot be written to, or the page exists and
        must not be replaced.
    """
    content = page(title, data).encode(errors="backslashreplace")  # a name may be of an older encoding
    if (size := len(content)) > PAGE_BYTES:
        raise SpecrecError(
            f"{target} would have {size / 1e6:.1f} MB, and a page has {PAGE_BYTES // 10**6} at most: its tables alone "
            "are too long, ask for fewer metrics or methods"
        )
    with written_whole(target, overwrite=overwrite) as temporary:
        temporary.write_bytes(content)
    return target


def _colour_map() -> list[str]:
    """The perceptually uniform colours of error maps, from little to much, as sRGB in hex."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colour) for colour in colormaps["inferno"](range(256))]
