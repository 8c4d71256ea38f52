"""What a results page says of cost: the table of what the methods take, and the picture of errors against it."""

from typing import TYPE_CHECKING, Any

from specrec.bench.cost import cost_rows, footnotes, shown_columns
from specrec.bench.figures.frontier import draw_frontier
from specrec.report.embedded import embedded

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
        "picture": embedded("frontier.png", lambda path: draw_frontier(results, path)),
    }
