"""Box plots of a bench: one box per method over the test scenes, with every scene as a point."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from specrec.bench.figures.style import broken
from specrec.bench.scores import SceneScores, parts, scene_scores, shown_part
from specrec.cells.columns import column
from specrec.errors import SpecrecError

if TYPE_CHECKING:
    from specrec.bench.results import Results

AREA = 9.0  # of a point of mean weight, square points
BOX, POINT, MEAN = "#D9D9D9", "#0072B2", "#D55E00"


def scores_shown(results: "Results", metric: str, part: str) -> dict[str, SceneScores]:
    """Collect the scores per scene of every method that has them all, by slug."""
    folds = dict(parts(results.manifest)).get(part, [])
    found = {
        slug: scene_scores(results.records, slug, results.manifest, folds, metric) for slug in results.manifest.methods
    }
    return {slug: scores for slug, scores in found.items() if scores is not None}


def box_figure(results: "Results", metric: str, width: float) -> Any:
    """Make the figure, a `matplotlib.figure.Figure` `width` inches wide; None: no method has every score.

    A box goes from the lower to the upper quartile, its line is the median, whiskers reach the last scene within 1.5
    times the box. These count every scene once; the diamond is the table's number, in which scenes have their weights.
    """
    part = shown_part(results)
    found = scores_shown(results, metric, part)
    if not found:
        return None
    from matplotlib.figure import Figure

    names = [broken(results.manifest.methods[slug], 26) for slug in found]
    lines = sum(max(2, 1 + name.count("\n")) for name in names)
    figure = Figure(figsize=(width, 0.14 * lines + 0.85), layout="constrained")
    axis = figure.subplots()
    missing = 0
    for place, (slug, scores) in enumerate(found.items()):
        values, weights = scores.per_scene, scores.weights.mean(axis=0)
        shown = np.isfinite(values) & (weights > 0)
        missing += int((~shown & (weights > 0)).sum())
        if shown.any():
            _draw(axis, place, values[shown], weights[shown] / weights[shown].mean())
        row = next(row for row in results.rows if row.slug == slug and row.part == part)
        if metric in row.numbers and np.isfinite(row.numbers[metric].mean):
            axis.plot(
                row.numbers[metric].mean, place, "D", color=MEAN, markeredgecolor="white", markeredgewidth=0.5,
                markersize=4.5, zorder=4,
            )  # fmt: skip
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(axis="x", linewidth=0.4, alpha=0.6)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_xlabel(_described(metric))
    figure.supxlabel(textwrap.fill(_about(results, part, found, missing), round(18 * width)), fontsize="small")
    return figure


def _draw(axis: Any, place: int, values: Any, weights: Any) -> None:
    axis.boxplot(
        values, positions=[place], orientation="horizontal", widths=0.62, showfliers=False, manage_ticks=False,
        patch_artist=True, boxprops={"facecolor": BOX, "linewidth": 0.6}, medianprops={"color": "black"},
        whiskerprops={"linewidth": 0.6}, capprops={"linewidth": 0.6}, zorder=1,
    )  # fmt: skip
    spread = np.random.default_rng(len(values)).uniform(-0.24, 0.24, len(values))  # so that equal scores show
    axis.scatter(values, place + spread, s=AREA * weights, color=POINT, alpha=0.6, linewidths=0, zorder=3)


def _described(metric: str) -> str:
    try:
        offer = column(metric)
    except SpecrecError:  # of a plugin that is not there now
        return metric
    unit = f", {offer.unit}" if offer.unit != "1" else ""
    return f"{metric}{unit} ({'higher' if offer.higher_is_better else 'lower'} is better)"


def _about(results: "Results", part: str, found: dict[str, SceneScores], missing: int) -> str:
    scores = next(iter(found.values()))
    runs = f", mean of {len(scores.values)} runs" if len(scores.values) > 1 else ""
    synthetic = "synthetic scenes, " * (results.manifest.settings["dataset"] == "synthetic")
    lost = f"; {missing} infinite or undefined scores are not drawn" if missing else ""
    return (
        f"{synthetic}{part}: {len(scores.scenes)} scenes{runs}; area of a point: its weight; diamond: the table{lost}"
    )
