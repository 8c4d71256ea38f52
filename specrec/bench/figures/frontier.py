"""Error against cost: every method a point, and a line through those that none beats at no more cost."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specrec.bench.cost import CPU, OPERATIONS, PARAMETERS, Column, CostRow, Point, cost_rows, frontier, points
from specrec.bench.figures.ablation import part_shown
from specrec.bench.figures.labels import place_labels
from specrec.bench.figures.style import MARKERS, PALETTE, broken, plain_text, save
from specrec.cells.ceiling import column

if TYPE_CHECKING:
    from specrec.bench.results import Results

COSTS = (CPU, OPERATIONS, PARAMETERS)
LINE = "0.55"


def draw_frontier(results: "Results", *paths: Path) -> bool:
    """Draw the first metric against the costs into every path; return False where nothing was measured."""
    with plain_text():
        figure = frontier_figure(results)
        if figure is None:
            return False
        save(figure, paths)
    return True


def frontier_figure(results: "Results", width: float | None = None) -> Any:
    """Make the figure, a `matplotlib.figure.Figure`, for a screen, or `width` inches wide, panel below panel.

    None: there is no method with an error and a cost.
    """
    rows = cost_rows(results)
    metric, part = results.metrics[0], part_shown(results)
    panels = {by: found for by in COSTS if (found := points(results, rows, by, metric, part))}
    if not panels:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = len(panels)
    size = (max(5.5 * count, 6.5), 4.8) if width is None else (width, 0.62 * width * count)
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    grid = (1, count) if width is None else (count, 1)
    axes = figure.subplots(*grid, squeeze=False).ravel()
    styles = {slug: index for index, slug in enumerate(results.manifest.methods)}
    for axis, (by, found) in zip(axes, panels.items(), strict=True):
        _draw_panel(axis, by, found, metric, styles)
    figure.suptitle(_title(results, rows, part), fontsize="medium" if width is None else "small")
    figure.canvas.draw()  # so that the sizes of the axes are known
    figure.set_layout_engine("none")
    for axis, found in zip(axes, panels.values(), strict=True):
        names = [broken(point.method, 26) for point in found]
        place_labels(axis, [(point.cost, point.error) for point in found], names, 8.0 if width is None else 6.0)
    return figure


def _draw_panel(axis: Any, by: Column, found: list[Point], metric: str, styles: dict[str, int]) -> None:
    offer = column(metric)
    best = frontier(found, metric)
    costs, errors = [point.cost for point in found], [point.error for point in found]
    axis.set_xscale("log")
    room = max(math.log10(max(costs) / min(costs)), 0.3)
    left, right = (10 ** (math.log10(edge) + sign * 0.18 * room) for edge, sign in ((min(costs), -1), (max(costs), 1)))
    axis.set_xlim(left, right)
    spread = max(max(errors) - min(errors), 1e-3 * abs(max(errors)), 1e-9)
    axis.set_ylim(min(errors) - 0.14 * spread, max(errors) + 0.14 * spread)
    steps = [*((point.cost, point.error) for point in best), (right, best[-1].error)]
    axis.plot(*zip(*steps, strict=True), color=LINE, linewidth=1.2, drawstyle="steps-post", zorder=2)
    on_it = {point.slug for point in best}
    for point in found:
        style = styles[point.slug]
        colour = PALETTE[style % len(PALETTE)]
        axis.plot(
            point.cost, point.error, marker=MARKERS[style % len(MARKERS)], markersize=6, color=colour,
            markerfacecolor=colour if point.slug in on_it else "white", zorder=4,
        )  # fmt: skip
    axis.set_xlabel(by.head)
    unit = f", {offer.unit}" if offer.unit != "1" else ""
    axis.set_ylabel(f"{metric}{unit} ({'higher' if offer.higher_is_better else 'lower'} is better)")
    axis.grid(linewidth=0.5, alpha=0.4, zorder=0)
    axis.spines[["top", "right"]].set_visible(False)


def _title(results: "Results", rows: list[CostRow], part: str) -> str:
    settings = results.manifest.settings
    dataset = settings["dataset"]
    data = "synthetic scenes, no stand-in for real data" if dataset == "synthetic" else dataset
    where = ", ".join(sorted({row.record["cost"]["processor"] for row in rows if row.record["cost"].get("processor")}))
    threads = settings["threads"]
    on = f"; CPU: {where}, {threads} thread{'s' * (threads > 1)}" if where else ""
    return f"{data}; {part}{on}\nFilled: no method is better at no more cost"
