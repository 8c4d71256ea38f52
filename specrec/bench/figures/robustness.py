"""How errors grow as photos get worse: one panel for each disturbance that has a scale, one of dots for the others."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specrec.bench.figures.style import MARKERS, PALETTE, broken, plain_text, save
from specrec.bench.robustness import Line, floor, lines
from specrec.bench.scores import shown_part
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
LEVELS = "RMSE, 8-bit levels"
ROOM = 8
"""So many names fit into the place of a panel."""


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
        axis = next(left)
        if kind == "exposure":
            _draw_exposure(axis, some, results)
        else:
            _draw_scale(axis, kind, found[0], some, results)
    if others:
        _draw_dots(next(left), [found[0], *others], floor(results), results)
    if back:
        _draw_back(next(left), back[0], results)
    for unused in left:
        unused.set_axis_off()
    for axis in axes[:panels]:
        axis.spines[["top", "right"]].set_visible(False)
    _name_methods(figure, axes[panels] if panels < len(axes) else None, results)
    return figure


def _draw_exposure(axis: Any, some: Sequence[Line], results: "Results") -> None:
    """Draw by how much the errors grow: other exposures clip other pixels, so the errors themselves would mislead."""
    for style, slug in _methods(results):
        points = [(condition(line.condition).number, line.times(slug)) for line in some]
        points = sorted([(1.0, 1.0), *(point for point in points if not math.isnan(point[1]))])
        if len(points) > 1:
            axis.plot(*zip(*points, strict=True), **style)
    numbers = sorted({1.0, *(condition(line.condition).number for line in some)})
    axis.set_xscale("log", base=2)
    _finish(axis, numbers, SCALES["exposure"][0], "times the clean error, same pixels")
    axis.set_title("1: the clean error on the pixels not clipped", fontsize="medium")


def _draw_scale(axis: Any, kind: str, clean: Line, some: Sequence[Line], results: "Results") -> None:
    label, place = SCALES[kind]
    for style, slug in _methods(results):
        points = [(condition(line.condition).number, line.errors[slug]) for line in some if slug in line.errors]
        if place is not None and slug in clean.errors:
            points.append((place, clean.errors[slug]))
        if points:
            axis.plot(*zip(*sorted(points), strict=True), **style)
        if place is None and slug in clean.errors:
            axis.axhline(clean.errors[slug], xmax=0.05, color=style["color"], linewidth=1.5)
    numbers = sorted({condition(line.condition).number for line in some} | ({place} if place is not None else set()))
    if kind == "jpeg":
        axis.invert_xaxis()
        axis.set_title("dashes at the side: the clean error", fontsize="medium")
    if kind == "noise":
        axis.set_title("at 0: the clean error", fontsize="medium")
    _finish(axis, numbers, label, LEVELS)
    axis.set_ylim(0.0, 1.04 * axis.get_ylim()[1])


def _finish(axis: Any, numbers: Sequence[float], across: str, up: str) -> None:
    axis.set_xticks(numbers, [f"{number:g}" for number in numbers])
    axis.minorticks_off()
    axis.set_xlabel(across)
    axis.set_ylabel(up)
    axis.grid(axis="y", linewidth=0.5, alpha=0.5)


def _draw_dots(axis: Any, some: Sequence[Line], least: float, results: "Results") -> None:
    methods = _methods(results)
    spread = 0.7 / max(len(methods), 1)
    for place, line in enumerate(some):
        for index, (style, slug) in enumerate(methods):
            if slug in line.errors:
                shift = (index - (len(methods) - 1) / 2) * spread
                axis.plot(place + shift, line.errors[slug], clip_on=False, zorder=5, **{**style, "linestyle": ""})
        if line.condition == "metamer-pair" and not math.isnan(least):
            axis.plot([place - 0.4, place + 0.4], [least, least], color="black", linewidth=1.0)
            axis.annotate("least possible", (place, least), ha="center", va="top", fontsize="x-small",
                          xytext=(0, -2), textcoords="offset points")  # fmt: skip
    names = [line.condition.replace("=", "\n").replace("-pair", "\npair").replace("s-d", "s-\nd") for line in some]
    axis.set_xticks(range(len(some)), [name or "clean" for name in names], fontsize="small")
    axis.set_xlim(-0.6, len(some) - 0.4)
    axis.set_ylim(0.0, 1.04 * axis.get_ylim()[1])
    axis.set_ylabel(LEVELS)
    axis.grid(axis="y", linewidth=0.5, alpha=0.5)


def _draw_back(axis: Any, line: Line, results: "Results") -> None:
    """Draw one dot in a row of its own for each method: the unit is another one."""
    known = [(style, slug) for style, slug in _methods(results) if slug in line.errors]
    for row, (style, slug) in enumerate(known):
        axis.plot(line.errors[slug], row, clip_on=False, zorder=5, **{**style, "linestyle": ""})
    axis.set_yticks(range(len(known)), [broken(results.manifest.methods[slug]) for _, slug in known], fontsize="small")
    axis.set_ylim(len(known) - 0.5, -0.5)
    axis.set_xlim(0.0, 1.04 * axis.get_xlim()[1])
    axis.set_xlabel(f"{LEVELS} of sRGB")
    axis.set_title("back-projection: the estimate rendered again", fontsize="medium")
    axis.grid(linewidth=0.5, alpha=0.5)


def _name_methods(figure: Any, free: Any, results: "Results") -> None:
    """Say which mark is which method, in the free place of a panel where there is one."""
    from matplotlib.lines import Line2D

    names = [broken(results.manifest.methods[slug]) for _, slug in _methods(results)]
    marks = [Line2D([], [], **style) for style, _ in _methods(results)]
    if free is not None and len(names) <= ROOM:
        title = _title(results).replace("; ", "\n").replace(", no", ",\nno")
        free.legend(marks, names, title=title, loc="center", frameon=False)
    else:
        figure.legend(marks, names, title=_title(results), loc="outside upper center", ncols=min(len(names), 5) or 1,
                      frameon=False)  # fmt: skip


def _methods(results: "Results") -> list[tuple[dict[str, Any], str]]:
    """Give each method its look: past the colours there are, the dashes change. Hollow marks do not hide each other."""
    looks = []
    for index, slug in enumerate(results.manifest.methods):
        colour = index % len(PALETTE)
        looks.append(
            (
                {
                    "color": PALETTE[colour], "marker": MARKERS[colour], "markersize": 6, "markerfacecolor": "none",
                    "markeredgewidth": 1.4, "linewidth": 1.3,
                    "linestyle": DASHES[index // len(PALETTE) % len(DASHES)],
                },
                slug,
            )
        )  # fmt: skip
    return looks


def _kind(line: Line) -> str:
    return condition(line.condition).kind


def _title(results: "Results") -> str:
    dataset = results.manifest.settings["dataset"]
    data = "synthetic scenes, no stand-in for real data" if dataset == "synthetic" else dataset
    return f"{data}; {shown_part(results)}"
