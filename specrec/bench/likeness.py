"""A cell computed twice: how far its numbers are apart, and how far they may be.

On one machine, with the same versions and on a processor, the numbers are the same to the bit. Elsewhere a training
takes another way from the first rounding on: a cell's number may then differ by 2 %, and that of a single image by
five times as much.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from specrec.bench.scores import weighted

ELSEWHERE = 0.02
"""Relative; `gan` has an RMSE of 3.24 on an Intel processor and of 3.28 on one of AMD."""
IMAGES = 5.0
"""A single image may differ by so many times what a cell may."""

Images = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """One metric of a cell, then and now.

    Parameters
    ----------
    metric
        Its id; with `` (training)`` over the scenes trained on.
    then, now
        The mean over the images, by their weights.
    difference
        Between these, as a share of the larger; 0: the same to the bit.
    worst, scene
        The largest difference of one image, as a share likewise, and whose it is.
    """

    metric: str
    then: float
    now: float
    difference: float
    worst: float
    scene: str


@dataclass(frozen=True)
class Likeness:
    """What came out.

    Parameters
    ----------
    cell
        In words.
    differences
        In what the two computations differ: in what decides the cell, and in the machine.
    rows
        By metric.
    lost
        Metrics that the record has, and the second computation lacks for some image.
    new
        Metrics that the record does not have, as of a plugin that is installed since.
    tolerance
        Relative, of a cell's number.
    reason
        Why it is that, in words.
    """

    cell: str
    differences: tuple[str, ...]
    rows: tuple[Row, ...]
    lost: tuple[str, ...]
    new: tuple[str, ...]
    tolerance: float
    reason: str

    @property
    def beyond(self) -> list[Row]:
        """The metrics that differ by more than they may, the worst first."""
        found = [row for row in self.rows if max(row.difference, row.worst / IMAGES) > self.tolerance]
        return sorted(found, key=lambda row: -max(row.difference, row.worst / IMAGES))

    @property
    def reproduced(self) -> bool:
        """Whether every number of the record came out again, as near as it must."""
        return bool(self.rows) and not self.beyond and not self.lost

    @property
    def verdict(self) -> str:
        """Say in one sentence whether the cell came out again."""
        allowed = f"{share(self.tolerance)} of a cell's number and {share(IMAGES * self.tolerance)} of an image's"
        if self.tolerance == 0:
            allowed = "nothing"
        if self.reproduced:
            exact = all(row.difference == row.worst == 0 for row in self.rows)
            how = "to the bit" if exact else f"within {allowed}"
            return f"{self.cell} is reproduced {how} ({self.reason})"
        if not self.beyond:
            count = len(self.lost)
            missing = f"{count} metric{'s' * (count != 1)} could not be compared" if count else "it has no metrics"
            return f"{self.cell} is not reproduced: {missing}{f' ({self.lost[0]}, ..)' if count else ''}"
        row = self.beyond[0]
        more = f", and {len(self.beyond) - 1} more metrics differ" if len(self.beyond) > 1 else ""
        return (
            f"{self.cell} is not reproduced: {row.metric} was {row.then:.6g} and is {row.now:.6g},"
            f" {share(row.difference)} apart, {share(row.worst)} on {row.scene}{more};"
            f" {allowed} is allowed ({self.reason})"
        )

    def table(self) -> str:
        """Write one line per metric: then, now, and how far apart."""
        lines = [["metric", "then", "now", "difference", "worst image"]]
        for row in self.rows:
            worst = f"{share(row.worst)} ({row.scene})" if row.worst else "0"
            lines.append([row.metric, f"{row.then:.6g}", f"{row.now:.6g}", share(row.difference), worst])
        widths = [max(len(line[column]) for line in lines) for column in range(4)]
        told = []
        for line in lines:
            numbers = [text.rjust(width) for text, width in zip(line[1:4], widths[1:], strict=True)]
            told.append("  ".join([line[0].ljust(widths[0]), *numbers, line[4]]) + "\n")
        return "".join(told)


def share(value: float) -> str:
    """Write a share in percent; 0 where there is none at all.

    Examples
    --------
    >>> share(0.02), share(0.0), share(1e-7)
    ('2 %', '0', '1e-05 %')
    """
    return "0" if value == 0 else f"{100 * value:.2g} %"


def apart(then: float, now: float) -> float:
    """How far two numbers are apart, as a share of the larger; infinite where only one is a number.

    Examples
    --------
    >>> apart(2.0, 1.0), apart(float("inf"), float("inf"))
    (0.5, 0.0)
    """
    if then == now or (math.isnan(then) and math.isnan(now)):
        return 0.0
    found = abs(then - now) / max(abs(then), abs(now))
    return found if math.isfinite(found) else math.inf


def compare_images(then: Images, now: Images, ending: str = "") -> tuple[list[Row], list[str], list[str]]:
    """Compare the scores of a cell's images, metric by metric; list the metrics that are lost, and those that are new.

    One that any image lacks on either side, and the record has, is lost.
    """
    by_scene = {image["scene"]: image["scores"] for image in now}
    names = list(dict.fromkeys(name for image in then for name in image["scores"]))
    others = list(dict.fromkeys(name for scores in by_scene.values() for name in scores if name not in names))
    rows, lost, new = [], [], [f"{name}{ending}" for name in others]
    for name in names:
        pairs = [
            (image["scene"], image["scores"].get(name), by_scene.get(image["scene"], {}).get(name)) for image in then
        ]
        both = [(scene, _numbers(one), _numbers(other)) for scene, one, other in pairs if one and other]
        if not both or len(both) < len(pairs):
            lost.append(f"{name}{ending}")
            continue
        worst, scene = max((max(map(apart, one, other)), scene) for scene, one, other in both)
        before, after = (_mean([pair[side] for pair in both]) for side in (1, 2))
        rows.append(Row(f"{name}{ending}", before, after, apart(before, after), worst, scene))
    return rows, lost, new


def _numbers(score: Sequence[Any]) -> list[float]:
    return [float(part) for part in score]


def _mean(scores: Sequence[Any]) -> float:
    values, weights = np.array(scores, dtype=np.float64)[:, :2].T
    return weighted(values, weights)
