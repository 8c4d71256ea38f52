"""Where objects lie: warped regions of ground and sky, and clutter that grows with nearness."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from specrec.datasets.synthetic.textures import noise


@dataclass(frozen=True)
class Layout:
    """The objects of a scene.

    Parameters
    ----------
    labels
        Which object a pixel shows, (size, size) int32.
    count
        Number of objects.
    ground, sky
        Objects below `ground` are ground, those from there to `sky` are sky, the rest is clutter.
    """

    labels: NDArray[np.int32]
    count: int
    ground: int
    sky: int


def draw_layout(rng: np.random.Generator, size: int) -> Layout:
    """Draw a layout: regions first, then clutter painted from far to near.

    Parameters
    ----------
    rng
        Decides everything.
    size
        Height and width in pixels; the layout scales with it.
    """
    horizon = rng.uniform(0.05, 0.45)
    ground, sky = int(rng.integers(10, 22)), int(rng.integers(2, 6))
    down, right = np.mgrid[:size, :size].astype(np.float32)
    ragged = np.float32(7.0 * size / 256.0)
    warped_down, warped_right = down + ragged * noise(rng, size, 1.6), right + ragged * noise(rng, size, 1.6)

    below = horizon + (1.0 - horizon) * 1.05 * rng.random(ground) ** 1.6
    above = horizon * 0.8 * rng.random(sky)
    tops = np.concatenate([below, above]) * size
    lefts = rng.random(ground + sky) * size
    labels = _nearest(warped_down, warped_right, tops, lefts)

    count = ground + sky
    for depth in np.sort(rng.random(int(rng.integers(25, 70))) ** 1.3):
        top, left = (horizon + (1.0 - horizon) * depth) * size, rng.random() * size
        radius = (0.25 + depth) * float(np.clip(5.0 * (1.0 - rng.random()) ** -0.7, 5.0, 60.0)) * size / 256.0
        box, aspect = rng.random() < 1.0 / 3.0, rng.uniform(0.5, 1.8)
        rows = slice(max(0, int(top - 2.2 * radius)), min(size, int(top + 2.2 * radius)))
        columns = slice(max(0, int(left - 2.2 * radius)), min(size, int(left + 2.2 * radius)))
        if rows.stop - rows.start < 2 or columns.stop - columns.start < 2:
            continue
        if box:  # what people make has straight edges
            high, wide = down[rows, columns] - top, right[rows, columns] - left
            inside = (np.abs(high) < radius / aspect) & (np.abs(wide) < radius * aspect)
        else:
            high, wide = warped_down[rows, columns] - top, warped_right[rows, columns] - left
            inside = (high * aspect) ** 2 + (wide / aspect) ** 2 < radius**2
        labels[rows, columns][inside] = count
        count += 1
    return Layout(labels=labels, count=count, ground=ground, sky=ground + sky)


def _nearest(
    down: NDArray[np.float32], right: NDArray[np.float32], tops: NDArray[np.float64], lefts: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Label every pixel with the nearest seed; heights count double, so regions lie flat."""
    labels = np.zeros(down.shape, dtype=np.int32)
    best = np.full(down.shape, np.inf, dtype=np.float32)
    for label, (top, left) in enumerate(zip(tops.astype(np.float32), lefts.astype(np.float32), strict=True)):
        distance = np.float32(4.0) * (down - top) ** 2 + (right - left) ** 2
        closer = distance < best
        labels[closer] = label
        np.minimum(best, distance, out=best)
    return labels
