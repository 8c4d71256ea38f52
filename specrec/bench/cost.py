"""What each method of a bench costs, beside its errors: a table in three forms.

It stands in files of its own: seconds differ from start to start, and the table of the results does not.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from specrec.bench.latex import comment, escape

if TYPE_CHECKING:
    from specrec.bench.results import Results

MIB = 2.0**20


@dataclass(frozen=True)
class Column:
    """One column of the table.

    Parameters
    ----------
    key
        Its name in the spreadsheet, with the unit.
    head
        Its name for readers.
    meaning
        One sentence.
    read
        Takes the number from a record; None where it has none.
    whole
        Whether it is a count.
    per
        What a reader's number is of the spreadsheet's: 2^20 for MiB.
    """

    key: str
    head: str
    meaning: str
    read: Callable[[Mapping[str, Any]], float | None]
    whole: bool = False
    per: float = 1.0

    def text(self, value: float | None) -> str:
        """Write a number for readers, or a dash."""
        if value is None:
            return "-"
        shown = value / self.per
        return f"{shown:,.0f}" if self.whole or shown >= 1000 else f"{shown:.3g}"


def _of_cell(key: str) -> Callable[[Mapping[str, Any]], float | None]:
    return lambda record: record.get(key)


def _measured(key: str) -> Callable[[Mapping[str, Any]], float | None]:
    return lambda record: (record.get("cost") or {}).get(key)


PARAMETERS = Column("parameters", "parameters", "Numbers that were learnt.", _of_cell("parameter_count"), whole=True)
OPERATIONS = Column(
    "operations_per_pixel", "operations per pixel",
    "Multiplications and additions of a pixel whose colour no other has: declared, or counted by torch.",
    _measured("operations_per_pixel"), whole=True,
)  # fmt: skip
CPU = Column(
    "cpu_seconds_per_megapixel", "CPU s per megapixel", "Seconds of the processor, the quickest of a few passes.",
    _measured("cpu_seconds_per_megapixel"),
)  # fmt: skip
GPU = Column(
    "gpu_seconds_per_megapixel", "GPU s per megapixel", "On the clock with the GPU, after a first pass.",
    _measured("gpu_seconds_per_megapixel"),
)  # fmt: skip
COLUMNS = (
    PARAMETERS,
    OPERATIONS,
    Column("memory_bytes", "memory, MiB", "By how much the process grows at most, the cube included.",
           _measured("memory_bytes"), per=MIB),
    CPU,
    Column("wall_seconds_per_megapixel", "clock s per megapixel", "On the clock; what computes beside slows it down.",
           _measured("wall_seconds_per_megapixel")),
    GPU,
    Column("gpu_memory_bytes", "GPU memory, MiB", "Most of the GPU's memory, without the weights.",
           _measured("gpu_memory_bytes"), per=MIB),
    Column("fit_seconds", "training, s", "Training on the clock, with the reading it does.", _of_cell("fit_seconds")),
    Column("fit_cpu_seconds", "training, CPU s", "Of the processor, all threads.", _of_cell("fit_cpu_seconds")),
    Column("peak_memory_bytes", "peak memory, MiB", "Most that the process of the cell had, training and testing.",
           _of_cell("peak_memory_bytes"), per=MIB),
)  # fmt: skip


@dataclass(frozen=True)
class CostRow:
    """What one method costs: numbers by the key of the column, in the units of the spreadsheet."""

    method: str
    slug: str
    numbers: dict[str, float | None]
    record: Mapping[str, Any]


def cost_rows(results: "Results") -> list[CostRow]:
    """List what was measured: of each method the first fold's cell of run 0, where it is done and holds its cost."""
    rows = []
    first = min(results.manifest.settings["tested"] or (0,))
    for slug, written in results.manifest.methods.items():
        record = results.records.get((slug, first, 0), {})
        if record.get("status") == "done" and record.get("cost") is not None:
            rows.append(CostRow(written, slug, {one.key: one.read(record) for one in COLUMNS}, record))
    return rows


def shown_columns(rows: Sequence[CostRow]) -> list[Column]:
    """Leave out columns that have no number at all, such as those of a GPU that nobody had."""
    return [one for one in COLUMNS if any(row.numbers[one.key] is not None for row in rows)]


def footnotes(rows: Sequence[CostRow]) -> list[str]:
    """Say on what it was measured, and what the columns mean."""
    images = {(row.record["cost"].get("image"), *row.record["cost"].get("image_shape", ())) for row in rows} - {(None,)}
    on = "; ".join(f"{height} x {width} pixels of {name}" for name, height, width in sorted(images))
    threads, processors, gpus = (
        ", ".join(sorted({str(row.record["cost"][key]) for row in rows if row.record["cost"].get(key)}))
        for key in ("cpu_threads", "processor", "gpu")
    )
    lines = [f"{one.head}: {one.meaning}" for one in shown_columns(rows)]
    if on:
        gpu = f", and on {gpus}" if gpus else ""
        lines.insert(0, f"Reconstruction of {on}; threads: {threads}; {processors}{gpu}. One cell of each method.")
    return lines


def as_markdown(rows: Sequence[CostRow]) -> str:
    """Write the table in Markdown."""
    columns = shown_columns(rows)
    lines = ["| method | " + " | ".join(one.head for one in columns) + " |", "|---|" + "---:|" * len(columns)]
    for row in rows:
        name = row.method.replace("|", r"\|")
        lines.append(f"| `{name}` | " + " | ".join(one.text(row.numbers[one.key]) for one in columns) + " |")
    return "\n".join([*lines, "", *(f"- {line}" for line in footnotes(rows))]) + "\n"


def as_csv(rows: Sequence[CostRow]) -> str:
    """Write every column with full precision, in the units that its name says."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    also = ("operations_counted", "image", "cpu_threads", "processor", "gpu")
    writer.writerow(["method", "slug", *(one.key for one in COLUMNS), *also])
    for row in rows:
        numbers = [row.numbers[one.key] for one in COLUMNS]
        others = [row.record["cost"].get(key) for key in also]
        writer.writerow([row.method, row.slug, *("" if one is None else one for one in [*numbers, *others])])
    return out.getvalue()


def as_tex(rows: Sequence[CostRow]) -> str:
    """Write the table in LaTeX."""
    columns = shown_columns(rows)
    lines = [comment(line).rstrip("\n") for line in footnotes(rows)]
    lines += [f"\\begin{{tabular}}{{l{'r' * len(columns)}}}", "\\hline"]
    lines += [" & ".join(["method", *(escape(one.head) for one in columns)]) + r" \\", "\\hline"]
    for row in rows:
        cells = [escape(row.method), *(escape(one.text(row.numbers[one.key])) for one in columns)]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, "\\hline", "\\end{tabular}"]) + "\n"
