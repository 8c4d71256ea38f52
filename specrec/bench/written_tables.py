"""The files that a bench writes beside its cells: the table in every form, and the figures."""

from specrec.bench import cost, robustness
from specrec.bench.figures.ablation import draw_ablation
from specrec.bench.figures.frontier import draw_frontier
from specrec.bench.figures.influence import draw_influence
from specrec.bench.figures.robustness import draw_robustness
from specrec.bench.figures.spectra import draw_figure
from specrec.bench.results import Results
from specrec.cache import written_together

COST_FILES = {"cost.md": cost.as_markdown, "cost.csv": cost.as_csv, "cost.tex": cost.as_tex}
TABLE_FILES = {"md": "table.md", "csv": "table.csv", "tex": "table.tex", "json": "table.json"}


def write_tables(results: Results) -> None:
    """Write the table in every form, what the methods cost, and the figures into the results folder."""
    texts = {name: results.table(form) for form, name in TABLE_FILES.items()}
    if results.manifest.settings["robustness"]:
        texts |= {"robustness.md": robustness.as_markdown(results), "robustness.csv": robustness.as_csv(results)}
    rows = cost.cost_rows(results)
    texts |= {name: written(rows) for name, written in COST_FILES.items()} if rows else {}
    with written_together(*(results.folder / name for name in texts)) as temporaries:
        for text, temporary in zip(texts.values(), temporaries, strict=True):
            temporary.write_text(text, "utf-8", "backslashreplace")
    draw_figure(results, results.folder / "figure.png")
    if rows:
        draw_frontier(results, results.folder / "frontier.png")
    if results.manifest.settings["figure"] == "ablation":
        draw_ablation(results, results.folder / "figure4.png", results.folder / "figure4.pdf")
        draw_influence(results, results.folder / "influence.png", results.folder / "influence.pdf")
    if results.manifest.settings["robustness"]:
        draw_robustness(results, results.folder / "robustness.png")
