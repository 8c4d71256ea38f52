"""The table of a bench in its five forms; the rows are those of the paper's Table 1."""

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from specrec.bench.latex import comment, escape
from specrec.bench.manifest import Manifest
from specrec.bench.rows import TRAINING, Number, Row
from specrec.bench.statistics import LEVEL, WORDS, Comparison, Difference
from specrec.cells.columns import column
from specrec.errors import SpecrecError, UsageError

FORMS = ("table", "md", "csv", "tex", "json")
SPREAD = "± is the standard deviation over runs (ddof = 1)"
SIDE_BY_SIDE = 9
"""Columns of the plain text; further ones stand below."""
LONG = 30
"""Letters; a longer note of a row stands below the table and has a number in it."""

Comparisons = Mapping[tuple[str, str], Comparison]
"""By part and metric."""


@dataclass(frozen=True)
class Table:
    """What a table shows; `notes` are further footnotes, and `origins` those of them that tell of a method, by slug."""

    rows: Sequence[Row]
    metrics: Sequence[str]
    manifest: Manifest
    notes: Sequence[str] = ()
    comparisons: Comparisons = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    def standing(self, row: Row, metric: str) -> str:
        """Say whether a number is ``best``, ``tied`` with it or ``worse``; empty where nothing is told."""
        found = self.comparisons.get((row.part, metric)) if row.slug else None
        return found.standing(row.slug) if found is not None else ""

    def difference(self, row: Row, metric: str) -> Difference | None:
        """Return the row's difference to the best, if it has one."""
        found = self.comparisons.get((row.part, metric))
        return found.by_slug.get(row.slug) if found is not None and row.slug else None

    @cached_property
    def long_notes(self) -> dict[str, int]:
        """The notes of rows that are too long to stand in them, each with its number."""
        found = dict.fromkeys(row.note for row in self.rows if len(row.note) > LONG)
        return {note: number for number, note in enumerate(found, 1)}

    def note(self, row: Row) -> str:
        """Return a row's note, or its first word and the number of the whole one."""
        if len(row.note) <= LONG:
            return row.note
        return f"{row.note.partition(':')[0][:LONG]} [{self.long_notes[row.note]}]"

    def footnotes(self, best: str, tied: str) -> list[str]:
        """Explain the table in sentences; `best` and `tied` say how these are marked."""
        settings = self.manifest.settings
        weighted = "; weighted by valid pixels" if any(row.part == "weighted" for row in self.rows) else ""
        lines = [f"Fold k is tested by what was trained on the others{weighted}."]
        if settings["runs"] > 1:
            lines[0] += f" {SPREAD}"
        if settings["score_training"]:
            lines.append(
                f"{TRAINING.strip()}: on up to {settings['score_training']} of the scenes that were trained on."
            )
        lines += [*_about_ties(self.comparisons.values(), best, tied), *self.notes]
        return lines + [f"[{number}] {note}" for note, number in self.long_notes.items()]


def write(form: str, table: Table) -> str:
    """Write a table in one of `FORMS`.

    Raises
    ------
    UsageError
        For another form.
    """
    writers: dict[str, Callable[[Table], str]] = {
        "table": _text,
        "md": _markdown,
        "csv": _csv,
        "tex": _tex,
        "json": _json,
    }
    if form not in writers:
        raise UsageError(f"unknown table format {form!r}; choose from {', '.join(FORMS)}")
    return writers[form](table)


def _text(table: Table) -> str:
    marks = {"best": "*", "tied": "="}
    marked = [any(table.standing(row, metric) for row in table.rows) for metric in table.metrics]

    def cells(row: Row) -> list[str]:
        pairs = zip(table.metrics, marked, strict=True)
        return [number(row, metric) + marks.get(table.standing(row, metric), " ") * some for metric, some in pairs]

    heads = [f"{metric}{arrow(metric)}" + " " * some for metric, some in zip(table.metrics, marked, strict=True)]
    rows = [["method", "", *heads, ""]]
    rows += [[name(row), row.part, *cells(row), table.note(row)] for row in table.rows]
    lines: list[str] = []
    for first in range(0, len(heads), SIDE_BY_SIDE):  # a terminal is not as wide as a file
        part = [[*row[:2], *row[2 + first : 2 + min(first + SIDE_BY_SIDE, len(heads))], row[-1]] for row in rows]
        lines += [*([""] if lines else []), *_aligned(part)]
    return "\n".join([title(table), "", *lines, "", *table.footnotes("*", "=")]) + "\n"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows in columns, names to the left and numbers to the right, with a rule below the first."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        left = [row[column].ljust(widths[column]) for column in (0, 1)]
        numbers = [text.rjust(width) for text, width in zip(row[2:-1], widths[2:-1], strict=True)]
        lines.append("  ".join([*left, *numbers, row[-1]]).rstrip())
    lines.insert(1, "-" * max(len(line) for line in lines))
    return lines


def _markdown(table: Table) -> str:
    def cell(row: Row, metric: str) -> str:
        text, standing = number(row, metric), table.standing(row, metric)
        return f"**{text}**" if standing == "best" else f"{text} =" if standing == "tied" else text

    head = ["method", "", *(f"{metric} {arrow(metric)}" for metric in table.metrics)]
    noted = any(row.note for row in table.rows)
    lines = [title(table), "", "| " + " | ".join(head + ([""] if noted else [])) + " |"]
    lines.append("|---|---|" + "---:|" * len(table.metrics) + ("---|" if noted else ""))
    for row in table.rows:
        first = name(row).replace("|", r"\|")
        cells = [f"`{first}`" if row.slug else first, row.part, *(cell(row, metric) for metric in table.metrics)]
        lines.append("| " + " | ".join(cells + ([table.note(row).replace("|", "/")] if noted else [])) + " |")
    return "\n".join([*lines, "", *table.footnotes("bold", "=")]) + "\n"


def _csv(table: Table) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    spreads, standings = ([f"{metric} {kind}" for metric in table.metrics] for kind in ("spread", "standing"))
    writer.writerow(["method", "slug", "part", *table.metrics, *spreads, *standings, "note"])
    for row in table.rows:
        found = [row.numbers.get(metric) for metric in table.metrics]
        means = ["" if one is None else repr(one.mean) for one in found]
        others = ["" if one is None or one.spread is None else repr(one.spread) for one in found]
        standing = [WORDS[table.standing(row, metric)] for metric in table.metrics]
        note = "; ".join(filter(None, (row.note, table.origins.get(row.slug))))  # a .csv has no place below
        writer.writerow([row.method, row.slug, row.part, *means, *others, *standing, note])
    return out.getvalue()


def _tex(table: Table) -> str:
    def cell(row: Row, metric: str) -> str:
        text, standing = number(row, metric).replace("±", r"$\pm$"), table.standing(row, metric)
        return rf"\textbf{{{text}}}" if standing == "best" else f"{text}$^{{=}}$" if standing == "tied" else text

    columns = "ll" + "r" * len(table.metrics)
    head = ["method", "", *(f"{escape(metric)} {escape(arrow(metric))}".strip() for metric in table.metrics)]
    lines = [comment(line).rstrip("\n") for line in tex_footnotes(table) if line]
    lines += [f"\\begin{{tabular}}{{{columns}}}", "\\hline", " & ".join(head) + r" \\", "\\hline"]
    for row in table.rows:
        if row.slug and row.note:
            span = f"\\multicolumn{{{len(table.metrics)}}}{{l}}{{{escape(table.note(row))}}}"
            lines.append(f"{escape(name(row))} & {escape(row.part)} & {span} \\\\")
            continue
        cells = [cell(row, metric) for metric in table.metrics]
        lines.append(" & ".join([escape(name(row)), escape(row.part), *cells]) + r" \\")
    return "\n".join([*lines, "\\hline", "\\end{tabular}"]) + "\n"


def tex_footnotes(table: Table) -> list[str]:
    """Say what a document says below the table of the form ``tex``; plain text, to be escaped."""
    return [title(table), *table.footnotes("bold", "=")]


def _json(table: Table) -> str:
    def plain(value: float | None) -> float | str | None:
        return value if value is None or math.isfinite(value) else str(value)  # JSON has no infinity

    def described(row: Row, metric: str, shown: Number) -> dict[str, Any]:
        found: dict[str, Any] = {"mean": plain(shown.mean), "spread": plain(shown.spread)}
        if standing := table.standing(row, metric):
            found["standing"] = WORDS[standing]
        if one := table.difference(row, metric):
            numbers = {"to_best": one.estimate, "low": one.low, "high": one.high, "p": one.p, "p_holm": one.p_holm}
            found |= {**{key: plain(value) for key, value in numbers.items()}, "interval": one.interval}
        return found

    rows = [
        {
            "method": row.method,
            "slug": row.slug,
            "part": row.part,
            "numbers": {metric: described(row, metric, shown) for metric, shown in row.numbers.items()},
            "note": row.note,
        }
        for row in table.rows
    ]
    settings = table.manifest.settings
    whole = {"settings": settings, "rendering": table.manifest.rendering, "rows": rows, "notes": list(table.notes)}
    return json.dumps(whole, indent=1) + "\n"


def name(row: Row) -> str:
    """Name a row; one that is not computed says what it is."""
    return row.method if row.slug else f"{row.method} ({'diagnostic' if row.diagnostic else 'reported'})"


def number(row: Row, metric: str) -> str:
    """Write a number of a row with its spread, or a dash."""
    shown = row.numbers.get(metric)
    if shown is None:
        return "-"
    text = short(shown.mean)
    return text if shown.spread is None else f"{text} ± {shown.spread:.{_digits(shown.mean)}f}"


def short(mean: float) -> str:
    """Write a number with as many digits as a table shows."""
    return f"{mean:.{_digits(mean)}f}"


def _digits(mean: float) -> int:
    return 3 if abs(mean) >= 1 else 5


def arrow(metric: str) -> str:
    """Point to where a metric is better."""
    try:
        return "↑" if column(metric).higher_is_better else "↓"
    except SpecrecError:  # of a plugin that is not there now
        return ""


def title(table: Table) -> str:
    """Say what was measured, in one line."""
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


def _about_ties(comparisons: Iterable[Comparison], best: str, tied: str) -> list[str]:
    """Explain the marks, and say where there are too few scenes for any difference to count."""
    found = [one for one in comparisons if one.differences]
    if not found:
        return []
    marked: dict[int, list[Comparison]] = {}
    hopeless: dict[tuple[int, int, float], list[Comparison]] = {}
    for one in found:
        if one.decidable:
            marked.setdefault(one.scenes, []).append(one)
        else:
            hopeless.setdefault((one.scenes, len(one.differences) + 1, one.least_p), []).append(one)
    lines = [f"{best}: best of its column and part."]
    if marked:
        counts = "; ".join(f"{_where(some, found)}: {count} scenes" for count, some in marked.items())
        lines[0] += (
            f" {tied}: not told apart from it over the test scenes ({counts}): Wilcoxon's p, corrected by Holm over all"
            f" pairs of methods, is {LEVEL} or more, or the 95 % interval of the difference holds 0."
        )
    for (count, methods, p), some in hopeless.items():
        lines.append(
            f"{_where(some, found)}: {count} scene{'s' * (count > 1)} and {methods} methods cannot tell any two apart"
            f" (smallest reachable p {p:.2g})."
        )
    return lines


def _where(some: Iterable[Comparison], every: Iterable[Comparison]) -> str:
    """Name the parts of some comparisons, with their metrics where those of a part are not all among them."""
    mine: dict[str, list[str]] = {}
    for one in some:
        mine.setdefault(one.part, []).append(one.metric)
    counts = Counter(one.part for one in every)
    return ", ".join(
        part if len(metrics) == counts[part] else f"{part} ({', '.join(metrics)})" for part, metrics in mine.items()
    )
