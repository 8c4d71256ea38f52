"""Put measured tables into docs/family.md: python docs/make_family_tables.py LINKED NULL CAVE.

The three are results folders of the family on `embedded`, on `embedded-null` and on CAVE. One row per method, over all
folds, the least error first: by `rmse@matched`, which the ceiling has too; on CAVE, where few pixels match, by `rmse`.
"""

import math
import sys
from pathlib import Path

from make_readme_parts import put

from specrec.bench.results import Results, read_results
from specrec.bench.rows import Row

PAGE = Path(__file__).parent / "family.md"
COLUMNS = ("rmse", "rmse@matched", "rmse@metamers", "gfc", "de2000")


def part(results: Results, column: str) -> str:
    """Write the rows of a results folder as Markdown, sorted by a column."""
    rows = [row for row in results.rows if row.part == "weighted"]
    rows.sort(key=lambda row: row.numbers[column].mean if column in row.numbers else math.inf)
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---|" + "---:|" * len(COLUMNS)]
    for row in rows:
        name = f"`{row.method}`" if row.slug else f"*{row.method}*"
        lines.append(f"| {name} | " + " | ".join(_text(row, column) for column in COLUMNS) + " |")
    return "\n".join(["", *lines])


def _text(row: Row, column: str) -> str:
    return f"{row.numbers[column].mean:.3f}" if column in row.numbers else "-"


def main(linked: Path, null: Path, cave: Path) -> None:
    """Write docs/family.md."""
    text = PAGE.read_text("utf-8")
    for mark, folder in {"linked": linked, "null": null, "cave": cave}.items():
        text = put(text, mark, part(read_results(folder), "rmse" if mark == "cave" else "rmse@matched"))
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
