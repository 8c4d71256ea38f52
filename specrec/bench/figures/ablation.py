"""The paper's Figure 4 for any bench: one bar per method, over its receptive field and its number of parameters.

What the paper lacks stands beside: the training error, and controls that tell context from capacity.
"""

import math
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from specrec.bench.figures.style import plain_text, save
from specrec.bench.rows import TRAINING, Number, Row
from specrec.bench.scores import shown_part
from specrec.cells.columns import column
from specrec.parameters import parse_spec

if TYPE_CHECKING:
    from specrec.bench.results import Results

PANELS = 4
TIMES = "\N{MULTIPLICATION SIGN}"
GAP = 0.6  # between the methods and the controls, in bars
METHOD, CONTROL, REPORTED = "#0072B2", "#E69F00", "#222222"  # told apart also by the colour-blind (Okabe and Ito 2008)


@dataclass(frozen=True)
class Shown:
    """One method of the figure.

    Parameters
    ----------
    slug, written
        Its name in paths, and as the user wrote it.
    label
        Its short name: the value of the parameter that the methods differ in, or a letter for a control.
    control
        Whether it is set apart.
    field
        Its receptive field, pixels; None: unbounded, or no cell of it is done.
    parameters
        How many numbers were learnt.
    """

    slug: str
    written: str
    label: str
    control: bool
    field: int | None
    parameters: int | None

    @property
    def size(self) -> str:
        """The receptive field as a label."""
        return "?" if self.field is None else f"{self.field}{TIMES}{self.field}"


def shown(results: "Results") -> tuple[str, list[Shown]]:
    """List the methods of the figure, and name the parameter that those which are no controls differ in."""
    apart = {"".join(text.split()) for text in results.manifest.settings["controls"]}
    records = {slug: record for (slug, _, _), record in results.records.items() if record["status"] == "done"}
    main = {slug: text for slug, text in results.manifest.methods.items() if text not in apart}
    key = _differing([records[slug] for slug in main if slug in records])
    letters = cycle(ascii_uppercase)
    listed = []
    for slug, written in results.manifest.methods.items():
        record = records.get(slug, {})
        label = written
        if slug not in main:
            label = next(letters)
        elif key:
            label = str(record["settings"][key] if record else parse_spec(written)[1].get(key, written))
        field, parameters = record.get("receptive_field"), record.get("parameter_count")
        listed.append(Shown(slug, written, label, slug not in main, field, parameters))
    return key or "method", listed


def draw_ablation(results: "Results", *paths: Path) -> None:
    """Draw the bars of the first four metrics into every path, in the format of its suffix.

    References
    ----------
    Alvarez-Gila et al. 2017, Figure 4, doi:10.1109/ICCVW.2017.64.
    """
    with plain_text():
        save(ablation_figure(results), paths)


def ablation_figure(results: "Results", width: float | None = None) -> Any:
    """Make the figure, a `matplotlib.figure.Figure`, for a screen, or `width` inches wide, panel below panel."""
    from matplotlib.figure import Figure

    key, methods = shown(results)
    metrics = results.metrics[:PANELS]
    columns = min(2, len(metrics)) if width is None else 1
    lines = -(-len(metrics) // columns)
    size = (max(4.5, 0.55 * len(methods) + 1.0) * columns, 3.3 * lines + 1.2)
    figure = Figure(figsize=size if width is None else (width, 2.1 * lines + 1.0), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for axis, metric in zip(axes, metrics, strict=False):
        _draw_panel(axis, metric, methods, results)
        axis.set_xlabel(f"{key} / receptive field / parameters")
    for unused in axes[len(metrics) :]:
        unused.set_axis_off()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, title=_title(results), loc="outside upper center", ncols=max(1, len(labels)), frameon=False
    )
    notes = [
        f"{method.label}: {method.written} ({method.size}, {_thousands(method.parameters)} parameters)"
        for method in methods
        if method.control
    ]
    figure.supxlabel("\n".join(notes), fontsize="small", ha="left", x=0.02, linespacing=1.4)
    return figure


def _draw_panel(axis: Any, metric: str, methods: list[Shown], results: "Results") -> None:
    part = shown_part(results)
    numbers = _numbers(results.rows, metric, part)
    training = _numbers(results.rows, metric, part + TRAINING)
    reported = {row.beside: row for row in results.rows if row.beside and row.part == part and metric in row.numbers}
    places = [index + GAP * method.control for index, method in enumerate(methods)]
    drawn: list[float] = []
    told = set()

    def once(label: str) -> str:
        """Give a label to the legend the first time only."""
        name = f"_{label}" if label in told else label
        told.add(label)
        return name

    for place, method in zip(places, methods, strict=True):
        number = numbers.get(method.slug)
        if number is None:
            axis.annotate("no result", (place, 0.03), xycoords=("data", "axes fraction"), rotation=90, ha="center")
        else:
            colour, label = (CONTROL, "test error, controls") if method.control else (METHOD, "test error")
            axis.bar(place, number.mean, 0.8, color=colour, label=once(label), zorder=2)
            axis.errorbar(place, number.mean, number.spread, color="black", capsize=3, linewidth=1, zorder=4)
            ink = "black" if method.control else "white"
            text = {"xycoords": ("data", "axes fraction"), "ha": "center", "fontsize": 7, "color": ink, "zorder": 6}
            axis.annotate(_short(number.mean, metric), (place, 0.02), **text)
            drawn += [number.mean + (number.spread or 0.0), number.mean - (number.spread or 0.0)]
        if method.slug in training:
            mean, spread = training[method.slug].mean, training[method.slug].spread
            axis.errorbar(
                place, mean, spread, fmt="D", color="black", markerfacecolor="white", markersize=5, capsize=2,
                linewidth=1, label=once("training error"), zorder=5,
            )  # fmt: skip
            drawn.append(mean)
        if method.written in reported:
            mean = reported[method.written].numbers[metric].mean
            axis.bar(
                place, mean, 0.9, fill=False, edgecolor=REPORTED, linestyle="--", linewidth=1.3,
                label=once(reported[method.written].note), zorder=3,
            )  # fmt: skip
            drawn.append(mean)
    axis.set_xticks(places, [_tick(method) for method in methods], fontsize=7)
    axis.set_xlim(-GAP, places[-1] + GAP)
    _scale(axis, metric, drawn)


def _scale(axis: Any, metric: str, drawn: list[float]) -> None:
    offer = column(metric)
    better = "higher is better" if offer.higher_is_better else "lower is better"
    unit = f", {offer.unit}" if offer.unit != "1" else ""
    if not drawn:
        return
    low, high = min(drawn), max(drawn)
    if offer.higher_is_better:  # such numbers lie close together, far from zero
        room = max(high - low, 1e-6)
        axis.set_ylim(low - 0.35 * room, high + 0.2 * room)
        better += "; the axis does not start at 0"
    else:
        axis.set_ylim(0, 1.12 * high)
    axis.set_title(f"{metric}{unit} ({better})", fontsize="medium")
    axis.grid(axis="y", linewidth=0.5, alpha=0.5, zorder=0)
    axis.spines[["top", "right"]].set_visible(False)


def _numbers(rows: tuple[Row, ...], metric: str, part: str) -> dict[str, Number]:
    found = {row.slug: row.numbers.get(metric) for row in rows if row.slug and row.part == part}
    return {slug: number for slug, number in found.items() if number is not None and math.isfinite(number.mean)}


def _differing(records: list[dict[str, Any]]) -> str:
    """Name the one parameter that these methods differ in; empty where it is none or several."""
    if not records or len({record["method"] for record in records}) > 1:
        return ""
    keys = [key for key in records[0]["settings"] if len({str(record["settings"][key]) for record in records}) > 1]
    return keys[0] if len(keys) == 1 else ""


def _tick(method: Shown) -> str:
    count = method.parameters
    size = "?" if count is None else f"{count / 1e6:.3g}M" if count >= 1e6 else f"{count / 1e3:.3g}k"
    return f"{method.label}\n{method.size}\n{size}"


def _short(value: float, metric: str) -> str:
    return f"{value:.4f}" if column(metric).higher_is_better else f"{value:#.3g}".rstrip(".")


def _thousands(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _title(results: "Results") -> str:
    settings = results.manifest.settings
    dataset = settings["dataset"]
    data = "synthetic scenes, no stand-in for real data" if dataset == "synthetic" else dataset
    runs = f"mean and standard deviation (ddof = 1) of {settings['runs']} runs" if settings["runs"] > 1 else "one run"
    return f"{data}; {shown_part(results)}; {runs}"
