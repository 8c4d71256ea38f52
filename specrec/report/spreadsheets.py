"""What a bench found as .csv files with full precision: every score of every image, and every comparison."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from specrec.bench.statistics import WORDS

if TYPE_CHECKING:
    from specrec.bench.results import Results


def scores(results: "Results") -> str:
    """Write one line per method, fold, run, test scene and metric."""
    lines = []
    for (slug, fold, run), record in sorted(results.records.items(), key=lambda item: _order(results, item[0])):
        for image in (*record.get("images", []), *record.get("cross_images", [])):
            for metric in results.metrics:
                if metric in image["scores"]:
                    value, weight = image["scores"][metric][:2]
                    written = results.manifest.methods[slug]
                    lines.append((written, slug, fold, run, image["scene"], metric, float(value), float(weight)))
    return _write(("method", "slug", "fold", "run", "scene", "metric", "value", "weight"), lines)


def comparisons(results: "Results") -> str:
    """Write one line per part, metric and method that was compared with the best one."""
    head = (
        "part", "metric", "higher_is_better", "best", "method", "slug", "difference", "low", "high", "interval",
        "wilcoxon_p", "holm_p", "scenes", "scenes_that_differ", "runs", "standing",
    )  # fmt: skip
    lines = [
        (
            part, metric, found.higher_is_better, found.best, one.method, one.slug, one.estimate, one.low, one.high,
            one.interval, one.p, one.p_holm, found.scenes, one.scenes, found.runs,
            WORDS[found.standing(one.slug)],
        )
        for (part, metric), found in results.comparisons.items()
        for one in found.differences
    ]  # fmt: skip
    return _write(head, lines)


def _order(results: "Results", key: tuple[str, int, int]) -> tuple[int, int, int]:
    return list(results.manifest.methods).index(key[0]), key[1], key[2]


def _write(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_guarded(cell) for cell in line] for line in lines)
    return out.getvalue()


def _guarded(cell: Any) -> Any:
    """Keep a text a text that a spreadsheet would compute, as the page's own .csv files do.

    Examples
    --------
    >>> _guarded("=1+1"), _guarded("-1e-3"), _guarded(-2.0)
    ("'=1+1", '-1e-3', -2.0)
    """
    if not isinstance(cell, str) or not cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
