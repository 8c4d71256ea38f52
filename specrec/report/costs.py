"""What a results page says of cost: the table of what the methods take, and the picture of errors against it."""

import base64
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specrec.bench.cost import cost_rows, footnotes, shown_columns
from specrec.bench.figures.frontier import draw_frontier

if TYPE_CHECKING:
    from specrec.bench.results import Results


def cost_part(results: "Results") -> dict[str, Any] | None:
    """Give columns, rows and notes as plain values, and the picture as an address that holds it; None: no costs."""
    rows = cost_rows(results)
    if not rows:
        return None
    columns = shown_columns(rows)
    return {
        "columns": [{"head": one.head, "meaning": one.meaning} for one in columns],
        "rows": [
            {
                "method": row.method,
                "slug": row.slug,
                "numbers": [row.numbers[one.key] for one in columns],
                "texts": [one.text(row.numbers[one.key]) for one in columns],
            }
            for row in rows
        ],
        "notes": footnotes(rows),
        "picture": _picture(results),
    }


def _picture(results: "Results") -> str:
    """Draw the frontier as a PNG in a data address; empty where there is nothing to draw."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frontier.png"
        if not draw_frontier(results, path):
            return ""
        return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
