"""Error against cost: every method a point, and a line through the best that each cost buys."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specrec.bench.cost import CPU, GPU, OPERATIONS, PARAMETERS, Column, CostRow, cost_rows
from specrec.bench.figures.labels import place_labels
from specrec.bench.figures.style import MARKERS, PALETTE, broken, plain_text, save
from specrec.bench.scores import shown_part
from specrec.cells.columns import column

if TYPE_CHECKING:
    from specrec.bench.results import Results

COSTS = (CPU, GPU, OPERATIONS, PARAMETERS)
LINE = "0.55"
FAR = 3.0  # of the worst error over the best: beyond, a level scale would crowd the good methods
_LEAST_DRAWN = 1e-30  # no cost and no error is so small, and 1e30 is none either


@dataclass(frozen=True)
class Point:
    """A method's error and cost."""

    slug: str
    method: str
    cost: float
    error: float


def points(results: "Results", rows: Sequence[CostRow], by: Column, metric: str, part: str) -> list[Point]:
    """List the methods that have both numbers, above zero in cost, in the order of the table.

    A number that no axis can show beside others is left out, in either.
    """
    errors = {row.slug: row.numbers[metric].mean for row in results.rows if row.part == part and metric in row.numbers}
    found = []
    for row in rows:
        cost, error = row.numbers[by.key], errors.get(row.slug)
        if cost and error is not None and all(map(_can_be_drawn, (cost, error))):
            found.append(Point(row.slug, row.method, float(cost), error))
    return found


def _can_be_drawn(number: float) -> bool:
    return number == 0 or _LEAST_DRAWN < abs(number) < 1 / _LEAST_DRAWN  # not for NaN, either


def frontier(some: Sequence[Point], metric: str) -> list[Point]:
    """Keep the methods that no other beats at no more cost, from the cheapest to the best.

    Of two that are alike in both the first is kept.
    """
    sign = -1.0 if column(metric).higher_is_better else 1.0
    kept: list[Point] = []
    for point in sorted(some, key=lambda one: (one.cost, sign * one.error)):
        if not kept or sign * point.error < sign * kept[-1].error:
            kept.append(point)
    return kept


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
    metric, part = results.metrics[0], shown_part(results)
    panels = {by: found for by in COSTS if (found := points(results, rows, by, metric, part))}
    if not panels:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    count = len(panels)
    size = (max(5.5 * count, 6.5), 4.8) if width is None else (width, 0.62 * width * count)
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    grid = (1, count) if width is None else (count, 1)
    axes = figure.subplots(*grid, squeeze=False).ravel()
    _leave_margins(figure, *((0.75, 0.6) if width is None else (0.5, 0.4)))
    styles = {slug: index for index, slug in enumerate(results.manifest.methods)}
    for axis, (by, found) in zip(axes, panels.items(), strict=True):
        _draw_panel(axis, by, found, metric, styles, 6.0 if width is None else 4.5)
    figure.suptitle(_title(results, rows, part), fontsize="medium" if width is None else "small")
    for axis, found in zip(axes, panels.values(), strict=True):
        names = [broken(point.method, 26) for point in found]
        corners = _corners(frontier(found, metric))
        place_labels(
            axis, [(point.cost, point.error) for point in found], names, 8.0 if width is None else 6.0, corners
        )
    return figure


def _leave_margins(figure: Any, beside: float, below: float) -> None:
    """Leave room for the names of the axes, in inches: a layout that matplotlib finds by drawing takes longer."""
    across, up = figure.get_size_inches()
    count_across, count_up = figure.axes[0].get_gridspec().ncols, figure.axes[0].get_gridspec().nrows
    wide, high = across / count_across - beside - 0.1, up / count_up - below - 0.1
    figure.subplots_adjust(
        beside / across, below / up, 1 - 0.1 / across, 1 - 1.1 * below / up,
        wspace=(beside + 0.1) / wide, hspace=(below + 0.1) / high,
    )  # fmt: skip


def _corners(best: list[Point]) -> list[tuple[float, float]]:
    """The line: level from each method of the frontier to the cost of the next, and down to it; it ends in the last."""
    line = []
    for point, following in itertools.pairwise(best):
        line += [(point.cost, point.error), (following.cost, point.error)]
    return [*line, *((point.cost, point.error) for point in best[-1:])]


def _draw_panel(axis: Any, by: Column, found: list[Point], metric: str, styles: dict[str, int], size: float) -> None:
    offer = column(metric)
    best = frontier(found, metric)
    costs, errors = [point.cost for point in found], [point.error for point in found]
    _log(axis.xaxis, min(costs), max(costs), 0.18)
    if min(errors) > 0 and max(errors) > FAR * min(errors):
        _log(axis.yaxis, min(errors), max(errors), 0.14)
    else:
        spread = max(max(errors) - min(errors), 1e-3 * abs(max(errors)), 1e-9)
        axis.set_ylim(min(errors) - 0.14 * spread, max(errors) + 0.14 * spread)
    axis.plot(*zip(*_corners(best), strict=True), color=LINE, linewidth=1.2, zorder=2)
    on_it = {point.slug for point in best}
    for point in found:
        style = styles[point.slug]
        colour = PALETTE[style % len(PALETTE)]
        axis.plot(
            point.cost, point.error, marker=MARKERS[style % len(MARKERS)], markersize=size, color=colour,
            markerfacecolor=colour if point.slug in on_it else "white", zorder=4,
        )  # fmt: skip
    axis.set_xlabel(by.head)
    unit = f", {offer.unit}" if offer.unit != "1" else ""
    axis.set_ylabel(f"{metric}{unit} ({'higher' if offer.higher_is_better else 'lower'} is better)")
    axis.grid(linewidth=0.5, alpha=0.4, zorder=0)
    axis.spines[["top", "right"]].set_visible(False)


def _log(axis: Any, low: float, high: float, margin: float) -> None:
    """Make one of the two axes logarithmic, with room at both ends and ticks in plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    decades = max(math.log10(high) - math.log10(low), 0.3)
    name, figure_axis = axis.axis_name, axis.axes
    getattr(figure_axis, f"set_{name}scale")("log")
    getattr(figure_axis, f"set_{name}lim")(low * 10 ** (-margin * decades), high * 10 ** (margin * decades))
    steps = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0) if decades < 1 else (1.0, 2.0, 5.0) if decades < 2 else (1.0,)
    axis.set_major_locator(LogLocator(10.0, steps, numticks=20))
    axis.set_major_formatter(FuncFormatter(lambda value, _place: _short(value)))
    axis.set_minor_formatter(NullFormatter())


def _short(value: float) -> str:
    """Write a tick.

    Examples
    --------
    >>> [_short(value) for value in (0.02, 5.0, 200.0, 1e4, 2e6)]
    ['0.02', '5', '200', '10 k', '2 M']
    """
    for least, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= 0.999 * least:
            return f"{value / least:.3g}{letter}"
    return f"{value:.3g}"


def _title(results: "Results", rows: list[CostRow], part: str) -> str:
    settings = results.manifest.settings
    dataset = settings["dataset"]
    data = "synthetic scenes, no stand-in for real data" if dataset == "synthetic" else dataset
    where = ", ".join(sorted({row.record["cost"]["processor"] for row in rows if row.record["cost"].get("processor")}))
    threads = settings["threads"]
    on = f"; CPU: {where}, {threads} thread{'s' * (threads > 1)}" if where else ""
    return f"{data}; {part}{on}\nFilled, and the line: nothing below it costs less"
