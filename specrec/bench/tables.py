"""The table of a bench in its five forms; the rows are those of the paper's Table 1."""

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from specrec.bench.ceiling.row import column
from specrec.bench.manifest import Manifest
from specrec.bench.rows import TRAINING, Number, Row
from specrec.errors import SpecrecError, UsageError

FORMS = ("table", "md", "csv", "tex", "json")
SPREAD = "± is the standard deviation over runs (ddof = 1)"


@dataclass(frozen=True)
class _Table:
    rows: Sequence[Row]
    metrics: Sequence[str]
    manifest: Manifest
    notes: Sequence[str]


def write(form: str, rows: Sequence[Row], metrics: Sequence[str], manifest: Manifest, notes: Sequence[str] = ()) -> str:
    """Write rows in one of `FORMS`; `metrics` are the columns, `notes` further footnotes.

    Raises
    ------
    UsageError
        For another form.
    """
    writers: dict[str, Callable[[_Table], str]] = {
        "table": _text,
        "md": _markdown,
        "csv": _csv,
        "tex": _tex,
        "json": _json,
    }
    if form not in writers:
        raise UsageError(f"unknown table format {form!r}; choose from {', '.join(FORMS)}")
    return writers[form](_Table(rows, metrics, manifest, notes))


def _text(table: _Table) -> str:
    rows = [["method", "", *(f"{metric}{_arrow(metric)}" for metric in table.metrics), ""]]
    rows += [[_name(row), row.part, *_cells(row, table.metrics), row.note] for row in table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        left = [row[column].ljust(widths[column]) for column in (0, 1)]
        numbers = [text.rjust(width) for text, width in zip(row[2:-1], widths[2:-1], strict=True)]
        lines.append("  ".join([*left, *numbers, row[-1]]).rstrip())
    lines.insert(1, "-" * max(len(line) for line in lines))
    return "\n".join([_title(table), "", *lines, "", *_footnotes(table)]) + "\n"


def _markdown(table: _Table) -> str:
    head = ["method", "", *(f"{metric} {_arrow(metric)}" for metric in table.metrics)]
    noted = any(row.note for row in table.rows)
    lines = [_title(table), "", "| " + " | ".join(head + ([""] if noted else [])) + " |"]
    lines.append("|---|---|" + "---:|" * len(table.metrics) + ("---|" if noted else ""))
    for row in table.rows:
        cells = [f"`{_name(row)}`" if row.slug else _name(row), row.part, *_cells(row, table.metrics)]
        lines.append("| " + " | ".join(cells + ([row.note.replace("|", "/")] if noted else [])) + " |")
    return "\n".join([*lines, "", *_footnotes(table)]) + "\n"


def _csv(table: _Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    spreads = [f"{metric} spread" for metric in table.metrics]
    writer.writerow(["method", "slug", "part", *table.metrics, *spreads, "note"])
    for row in table.rows:
        found = [row.numbers.get(metric) for metric in table.metrics]
        means = ["" if number is None else repr(number.mean) for number in found]
        others = ["" if number is None or number.spread is None else repr(number.spread) for number in found]
        writer.writerow([row.method, row.slug, row.part, *means, *others, row.note])
    return out.getvalue()


def _tex(table: _Table) -> str:
    columns = "ll" + "r" * len(table.metrics)
    head = ["method", "", *(_escape(metric) for metric in table.metrics)]
    lines = [f"% {line}" for line in (_title(table), *_footnotes(table)) if line]
    lines += [f"\\begin{{tabular}}{{{columns}}}", "\\hline", " & ".join(head) + r" \\", "\\hline"]
    for row in table.rows:
        if row.slug and row.note:
            span = f"\\multicolumn{{{len(table.metrics)}}}{{l}}{{{_escape(row.note)}}}"
            lines.append(f"{_escape(_name(row))} & {row.part} & {span} \\\\")
            continue
        numbers = [text.replace("±", r"$\pm$") for text in _cells(row, table.metrics)]
        lines.append(" & ".join([_escape(_name(row)), row.part, *numbers]) + r" \\")
    return "\n".join([*lines, "\\hline", "\\end{tabular}"]) + "\n"


def _json(table: _Table) -> str:
    def plain(number: Number) -> dict[str, Any]:
        values = {"mean": number.mean, "spread": number.spread}
        return {key: value if value is None or math.isfinite(value) else str(value) for key, value in values.items()}

    rows = [
        {
            "method": row.method,
            "slug": row.slug,
            "part": row.part,
            "numbers": {metric: plain(number) for metric, number in row.numbers.items()},
            "note": row.note,
        }
        for row in table.rows
    ]
    settings = table.manifest.settings
    whole = {"settings": settings, "rendering": table.manifest.rendering, "rows": rows, "notes": list(table.notes)}
    return json.dumps(whole, indent=1) + "\n"


def _name(row: Row) -> str:
    return row.method if row.slug else f"{row.method} ({'diagnostic' if row.diagnostic else 'reported'})"


def _cells(row: Row, metrics: Sequence[str]) -> list[str]:
    return [_number(row.numbers.get(metric)) for metric in metrics]


def _number(number: Number | None) -> str:
    if number is None:
        return "-"
    digits = 3 if abs(number.mean) >= 1 else 5
    text = f"{number.mean:.{digits}f}"
    return text if number.spread is None else f"{text} ± {number.spread:.{digits}f}"


def _arrow(metric: str) -> str:
    try:
        return "↑" if column(metric).higher_is_better else "↓"
    except SpecrecError:  # of a plugin that is not there now
        return ""


def _title(table: _Table) -> str:
    settings = table.manifest.settings
    sizes = ", ".join(str(len(fold["test"])) for fold in table.manifest.folds)
    tested = f", tested: {', '.join(map(str, settings['tested']))}" if settings["tested"] else ""
    data = settings["dataset"] + (
        " (synthetic scenes, no stand-in for real data)" * (settings["dataset"] == "synthetic")
    )
    return (
        f"Protocol {settings['name']}: {data}, {len(table.manifest.folds)} folds of {sizes} scenes{tested},"
        f" {settings['runs']} run{'s' * (settings['runs'] > 1)}, seed {settings['seed']}, region {settings['region']}"
    )


def _footnotes(table: _Table) -> list[str]:
    settings = table.manifest.settings
    weighted = "; weighted by valid pixels" if any(row.part == "weighted" for row in table.rows) else ""
    lines = [f"Fold k is tested by what was trained on the others{weighted}."]
    if settings["runs"] > 1:
        lines[0] += f" {SPREAD}"
    if settings["score_training"]:
        lines.append(f"{TRAINING.strip()}: on up to {settings['score_training']} of the scenes that were trained on.")
    return [*lines, *table.notes]


def _escape(text: str) -> str:
    for letter in ("\\", "{", "}", "&", "%", "$", "#", "_", "^", "~"):
        text = text.replace(letter, {"\\": r"\textbackslash ", "^": r"\^{}", "~": r"\~{}"}.get(letter, "\\" + letter))
    return text
