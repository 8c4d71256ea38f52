"""How errors grow as photos get worse: one panel for each disturbance that has a scale, one of dots for the others."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specrec.bench.figures.ablation import part_shown
from specrec.bench.figures.style import MARKERS, PALETTE, broken, plain_text, save
from specrec.bench.robustness import Line, floor, lines
from specrec.cells.columns import BACK, shown
from specrec.robustness.conditions import condition

if TYPE_CHECKING:
    from specrec.bench.results import Results

SCALES = {
    "exposure": ("exposure, times the photo's", 1.0),
    "jpeg": ("JPEG quality", None),
    "noise": ("noise at white, standard deviation", 0.0),
}
"""The axis of each, and where the clean photo stands on it; a JPEG has no such place: a dash stands at the side."""
DASHES = ("-", "--", "-.", ":")


def draw_robustness(results: "Results", *paths: Path) -> bool:
    """Draw the panels into every path, in the format of its suffix; return False where there is nothing to draw."""
    with plain_text():
        figure = robustness_figure(results)
        if figure is None:
            return False
        save(figure, paths)
    return True


def robustness_figure(results: "Results", width: float | None = None) -> Any:
    """Make the figure, a `matplotlib.figure.Figure`, for a screen, or `width` inches wide; None: nothing to draw."""
    found = lines(results)
    if not found or not any(line.errors for line in found[1:]):
        return None
    from matplotlib.figure import Figure

    scaled = {kind: [line for line in found[1:] if _kind(line) == kind and line.errors] for kind in SCALES}
    scaled = {kind: some for kind, some in scaled.items() if some}
    others = [line for line in found[1:] if _kind(line) not in SCALES and shown(line.condition) != BACK and line.errors]
    back = [line for line in found[1:] if shown(line.condition) == BACK and line.errors]
    panels = len(scaled) + bool(others) + bool(back)
    columns = min(panels, 3)
    rows = math.ceil(panels / columns)
    size = (3.7 * columns, 3.1 * rows + 0.7) if width is None else (width, 0.84 * width / columns * rows + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    left = iter(axes)
    for kind, some in scaled.items():
        _draw_scale(next(left), kind, found[0], some, results)
    if others:
        _draw_dots(next(left), [found[0], *others], floor(results), results)
    if back:
        axis = next(left)
        _draw_dots(axis, back, math.nan, results)
        axis.set_title("estimate rendered against the photo", fontsize="medium")
    for unused in left:
        unused.set_axis_off()
    for axis in axes[:panels]:
        axis.set_ylim(0.0, 1.04 * axis.get_ylim()[1])
        axis.grid(axis="y", linewidth=0.5, alpha=0.5)
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_ylabel("RMSE, 8-bit levels")
    entries = dict(zip(*reversed(axes[0].get_legend_handles_labels()), strict=True))
    figure.legend(
        entries.values(), entries, title=_title(results), loc="outside upper center", ncols=min(len(entries), 5) or 1,
        frameon=False,
    )  # fmt: skip
    return figure


def _draw_scale(axis: Any, kind: str, clean: Line, some: Sequence[Line], results: "Results") -> None:
    label, place = SCALES[kind]
    for style, slug in _methods(results):
        points = [(condition(line.condition).number, line.errors[slug]) for line in some if slug in line.errors]
        if place is not None and slug in clean.errors:
            points.append((place, clean.errors[slug]))
        if points:
            axis.plot(*zip(*sorted(points), strict=True), label=broken(results.manifest.methods[slug]), **style)
        if place is None and slug in clean.errors:
            axis.axhline(clean.errors[slug], xmax=0.05, color=style["color"], linewidth=1.5)
        if kind == "exposure":  # the clean error on what is left is another one there
            same = [(condition(line.condition).number, line.same[slug]) for line in some if slug in line.same]
            same += [(1.0, clean.errors[slug])] if slug in clean.errors else []
            if same:
                axis.plot(*zip(*sorted(same), strict=True), ":", color=style["color"], linewidth=0.8, alpha=0.7)
    numbers = sorted({condition(line.condition).number for line in some} | ({place} if place is not None else set()))
    if kind == "exposure":
        axis.set_xscale("log", base=2)
        axis.set_title("dotted: the clean error on the same pixels", fontsize="medium")
    if kind == "jpeg":
        axis.invert_xaxis()
        axis.set_title("dashes at the side: the clean error", fontsize="medium")
    if kind == "noise":
        axis.set_title("at 0: the clean error", fontsize="medium")
    axis.set_xticks(numbers, [f"{number:g}" for number in numbers])
    axis.minorticks_off()
    axis.set_xlabel(label)


def _draw_dots(axis: Any, some: Sequence[Line], least: float, results: "Results") -> None:
    methods = _methods(results)
    spread = 0.5 / max(len(methods), 1)
    for place, line in enumerate(some):
        for index, (style, slug) in enumerate(methods):
            if slug in line.errors:
                shift = (index - (len(methods) - 1) / 2) * spread
                dot = {key: style[key] for key in ("color", "marker", "markersize", "markeredgecolor")}
                axis.plot(place + shift, line.errors[slug], linestyle="", clip_on=False, zorder=5, **dot)
        if line.condition == "metamer-pair" and not math.isnan(least):
            axis.plot([place - 0.4, place + 0.4], [least, least], color="black", linewidth=1.0)
            axis.annotate("least possible", (place, least), ha="center", va="top", fontsize="x-small",
                          xytext=(0, -2), textcoords="offset points")  # fmt: skip
    names = [line.condition.replace("=", "\n").replace("-pair", "\npair").replace("s-d", "s-\nd") for line in some]
    axis.set_xticks(range(len(some)), [name or "clean" for name in names], fontsize="small")
    axis.set_xlim(-0.6, len(some) - 0.4)


def _methods(results: "Results") -> list[tuple[dict[str, Any], str]]:
    """Give each method its look: past the colours there are, the dashes change."""
    looks = []
    for index, slug in enumerate(results.manifest.methods):
        colour = index % len(PALETTE)
        looks.append(
            (
                {
                    "color": PALETTE[colour], "marker": MARKERS[colour], "markersize": 5, "markeredgecolor": "white",
                    "linestyle": DASHES[index // len(PALETTE) % len(DASHES)],
                },
                slug,
            )
        )  # fmt: skip
    return looks


def _kind(line: Line) -> str:
    return line.condition.partition("=")[0]


def _title(results: "Results") -> str:
    dataset = results.manifest.settings["dataset"]
    data = "synthetic scenes, no stand-in for real data" if dataset == "synthetic" else dataset
    return f"{data}; {part_shown(results)}"
