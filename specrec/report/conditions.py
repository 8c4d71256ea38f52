"""What a results page says of robustness: the table of errors under each condition, and their picture."""

import math
from typing import TYPE_CHECKING, Any

from specrec.bench.figures.robustness import draw_robustness
from specrec.bench.robustness import footnotes, lines, order_words
from specrec.bench.scores import shown_part
from specrec.bench.tables import short
from specrec.cells.columns import BACK, shown
from specrec.report.embedded import embedded

if TYPE_CHECKING:
    from specrec.bench.results import Results
    from specrec.bench.robustness import Line


def robustness_part(results: "Results") -> dict[str, Any] | None:
    """Give conditions, their errors by method, and notes as plain values, and the picture; None: no conditions."""
    found = lines(results)
    if not found:
        return None
    return {
        "part": shown_part(results),
        "methods": [{"slug": slug, "method": written} for slug, written in results.manifest.methods.items()],
        "rows": [
            {
                "condition": line.condition or "clean",
                "errors": {slug: _error(line, slug) for slug in line.errors},
                "order": order_words(results, found[0], line),
                "tau": None if math.isnan(line.tau) else line.tau,
            }
            for line in found
        ],
        "notes": footnotes(results),
        "picture": embedded("robustness.png", lambda path: draw_robustness(results, path)),
    }


def _error(line: "Line", slug: str) -> dict[str, Any]:
    times = line.times(slug)
    return {
        "number": line.errors[slug],
        "text": short(line.errors[slug]),
        "times": None if math.isnan(times) or not line.condition else times,
        "best": slug == line.best and shown(line.condition) != BACK,
    }
