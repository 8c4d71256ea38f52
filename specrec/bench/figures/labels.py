"""Names beside the points of a plot, placed so that they overlap neither each other nor the points."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

DISTANCES = (7.0, 13.0, 21.0, 31.0, 43.0, 57.0)
"""Of a name from its point, tried one after the other; points of print, as is all that follows."""
DIRECTIONS = 16
AROUND = 4.0
"""Kept free around every point."""
BITS = 24
"""Of the line from a point to its name, each of which is kept free."""


def place_labels(
    axis: Any,
    places: Sequence[tuple[float, float]],
    names: Sequence[str],
    size: float,
    corners: Sequence[tuple[float, float]] = (),
) -> None:
    """Write `names` beside `places` (in the data's coordinates) of an axis whose limits and size are final.

    `corners` are those of a line of level and upright pieces, which is kept free too. Each name stands at the nearest
    free place within the axis, tried from the right around; one that stands away from its point has a line to it. Where
    no place is free it takes the least covered one.
    """
    figure = axis.figure
    renderer = figure.canvas.get_renderer()
    scale = figure.dpi / 72.0
    frame = axis.get_window_extent(renderer)
    dots = [_on_paper(axis, place) for place in places]
    taken = [_box(x, y, 2 * AROUND * scale, 2 * AROUND * scale) for x, y in dots]
    bends = [_on_paper(axis, corner) for corner in corners]
    for (x0, y0), (x1, y1) in itertools.pairwise(bends):
        taken.append(_box((x0 + x1) / 2, (y0 + y1) / 2, abs(x1 - x0) + scale, abs(y1 - y0) + scale))
    written: list[Box] = []
    # names of crowded points first: they have the fewest places
    order = sorted(range(len(dots)), key=lambda i: sorted(math.dist(dots[i], dot) for dot in dots)[1:2])
    for index in order:
        x, y = dots[index]
        text = axis.annotate(
            names[index], places[index], (0, 0), textcoords="offset points", ha="center", va="center", fontsize=size,
            arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": "0.4", "shrinkA": 0, "shrinkB": 3}, zorder=6,
        )  # fmt: skip
        extent = text.get_window_extent(renderer)
        width, height = extent.width + 2 * scale, extent.height + scale
        best: tuple[float, float, float, float] | None = None
        for distance in DISTANCES:
            for step in range(DIRECTIONS):
                across, up = _direction(step)
                centre = (
                    x + across * (distance * scale + width / 2),
                    y + up * (distance * scale + height / 2),
                )
                box = _box(*centre, width, height)
                covered = sum(_common(box, other) for other in taken) + width * height - _common(box, _edges(frame))
                covered += (
                    width * height * _passes((x, y), centre, [dot for dot in dots if dot != (x, y)], AROUND * scale)
                )
                bits = _line((x, y), centre, scale)
                covered += sum(_common(bit, name) for bit in bits for name in written)
                if best is None or covered < best[0] - 1e-6:
                    best = (covered, *centre, distance)
            if best is not None and best[0] <= 1e-6:
                break
        assert best is not None
        text.set_position(((best[1] - x) / scale, (best[2] - y) / scale))
        if best[3] == DISTANCES[0]:
            text.arrow_patch.set_visible(False)
        else:  # no later name may stand on the line to it
            taken += _line((x, y), best[1:3], scale)
        taken.append(_box(best[1], best[2], width, height))
        written.append(taken[-1])


Place = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""


def _on_paper(axis: Any, place: Place) -> Place:
    x, y = axis.transData.transform(place)
    return float(x), float(y)


def _direction(step: int) -> tuple[float, float]:
    """From the right, to both sides in turn, so that a name stands right of its point where it can."""
    angle = 2 * math.pi / DIRECTIONS * ((step + 1) // 2) * (1 if step % 2 else -1)
    return math.cos(angle), math.sin(angle)


def _passes(start: Place, end: Place, dots: Sequence[Place], near: float) -> bool:
    """Say whether the straight line to a name passes another point, which one would then take for the one named."""
    for x, y in dots:
        length = math.dist(start, end)
        along = ((x - start[0]) * (end[0] - start[0]) + (y - start[1]) * (end[1] - start[1])) / length**2
        foot = tuple(one + min(max(along, 0.0), 1.0) * (other - one) for one, other in zip(start, end, strict=True))
        if along > 0.0 and math.dist(foot, (x, y)) < near:
            return True
    return False


def _line(start: Place, end: Place, scale: float) -> list[Box]:
    """Cover the straight line to a name with small boxes."""
    (x, y), (across, up) = start, (end[0] - start[0], end[1] - start[1])
    parts = [bit / BITS for bit in range(BITS + 1)]
    return [_box(x + part * across, y + part * up, 2 * scale, 2 * scale) for part in parts]


def _box(x: float, y: float, width: float, height: float) -> Box:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _edges(extent: Any) -> Box:
    return extent.x0, extent.y0, extent.x1, extent.y1


def _common(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
