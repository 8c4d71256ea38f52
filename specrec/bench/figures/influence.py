"""A picture of the effective receptive fields: how strongly each offset moves the estimate in the middle."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from specrec.bench.figures.ablation import Shown, shown
from specrec.bench.figures.style import save
from specrec.cells.influence import REACH, SHARE, influence_path, read_influence

if TYPE_CHECKING:
    from specrec.bench.results import Results

DECADES = 5  # of the colour scale
COLUMNS = 5
SMALLEST = 4  # pixels shown to each side


def draw_influence(results: "Results", *paths: Path) -> bool:
    """Draw one map for each method that can tell; return False where there is none.

    References
    ----------
    Luo, Li, Urtasun and Zemel 2016, arXiv:1701.04128.
    """
    figure = influence_picture(results)
    if figure is None:
        return False
    save(figure, paths)
    return True


def influence_picture(results: "Results") -> Any:
    """Make the picture, a `matplotlib.figure.Figure`; None where no method told its influence."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    key, methods = shown(results)
    first = next(iter(results.manifest.settings["tested"]), 0)
    maps = [(method, path) for method in methods if (path := _path(results, method, first)).is_file()]
    if not maps:
        return None
    columns = min(COLUMNS, len(maps))
    lines = -(-len(maps) // columns)
    figure = Figure(figsize=(2.5 * columns + 0.8, 2.9 * lines + 0.6), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    norm = LogNorm(10.0**-DECADES, 1.0)
    for axis, (method, path) in zip(axes, maps, strict=False):
        name = method.written.replace(",", ",\n", 1) if method.control else f"{key}: {method.label}"
        _draw_map(axis, name, method, path, norm)
    for unused in axes[len(maps) :]:
        unused.set_axis_off()
    figure.colorbar(ScalarMappable(norm, "viridis"), ax=axes, label="influence, of the largest", aspect=40, pad=0.01)
    figure.suptitle(
        "Influence of each offset, in pixels, on the estimate in the middle, averaged over places. Dashed: what the"
        f" theoretical\nfield reaches from any place; solid: a square of as many pixels as hold {SHARE:.0%} of it all",
        fontsize="medium",
    )
    return figure


def _path(results: "Results", method: Shown, fold: int) -> Path:
    return influence_path(results.folder / "cells" / method.slug / f"fold{fold}-run0.json")


def _draw_map(axis: Any, name: str, method: Shown, path: Path, norm: Any) -> None:
    from matplotlib.patches import Rectangle

    field = method.field or 2 * REACH + 1
    influence, side = read_influence(path)
    half = min(REACH, max(SMALLEST, round(1.1 * field)))
    part = influence[REACH - half : REACH + half + 1, REACH - half : REACH + half + 1]
    edge = half + 0.5
    axis.set_facecolor("black")  # where there is no influence at all
    relative = np.ma.masked_less_equal(part / max(float(influence.max()), 1e-30), 0.0)
    axis.imshow(relative, cmap="viridis", norm=norm, extent=(-edge, edge, edge, -edge), interpolation="nearest")
    for extent, style in ((2 * field - 1, "--"), (side, "-")):
        corner = (-extent / 2, -extent / 2)
        axis.add_patch(Rectangle(corner, extent, extent, fill=False, edgecolor="white", linestyle=style, linewidth=1.2))
    axis.set_xlim(-edge, edge)
    axis.set_ylim(edge, -edge)
    axis.set_title(f"{name}\nfield {method.size}, effective side {side:.1f}", fontsize="small")
    axis.tick_params(labelsize="x-small")
