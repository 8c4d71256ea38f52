"""`local-lines`: locally weighted regression in chromaticity (Atkeson, Moore and Schaal 1997).

The training colours are covered by a few centres in the plane of chromaticities. Each centre has a line of its own from
colours to spectra, for which a pixel counts the more the nearer its chromaticity is to the centre. The spectrum of a
colour is what the lines say of it, blended by the same nearness. One line for all colours is `linear`.
"""

from typing import ClassVar

import numpy as np
from specrec import Parameter
from specrec.per_pixel import PerPixelReconstructor, sample_pixels


class LocalLines(PerPixelReconstructor):
    """Lines from colours to spectra, one around each of a few chromaticities."""

    name = "local-lines"
    summary = "lines from colour to spectrum, each for the colours of one chromaticity"
    reference = "Atkeson, Moore and Schaal 1997, Locally weighted learning, doi:10.1023/A:1006559212014"
    parameters: ClassVar = {
        "centres": Parameter(12, "chromaticities that have a line of their own", minimum=1),
        "spread": Parameter(0.08, "how far a line reaches, in chromaticity (0 to 1)", minimum=0.001),
        "ridge": Parameter(1e-4, "weight of the squared coefficients, per pixel", minimum=1e-9),
        "pixels_per_scene": Parameter(5000, "training pixels drawn from each scene", minimum=1),
    }
    trials: ClassVar = ({"pixels_per_scene": 200}, {"centres": 1, "pixels_per_scene": 200})

    block = 4096  # colours in one call
    whole_blocks = True  # always so many: a matrix product of another size may round another way

    def fit(self, scenes, context):
        """Draw pixels and centres with the seed of the context, then solve one weighted least squares per centre."""
        rng = np.random.default_rng(context.seed)
        context.progress(0.0, "drawing training pixels")
        colours, spectra = sample_pixels(scenes, self.settings["pixels_per_scene"], rng)  # (n, 3), (n, bands)
        self.centres_ = spread_out(chromaticities(colours), self.settings["centres"], rng)
        rows, near = with_one(colours), self.nearness(colours)  # (n, 4), (n, centres)
        lines = []
        for number, weights in enumerate(near.T):
            context.progress(number / len(self.centres_), "fitting lines")
            weighted = rows * weights[:, np.newaxis]
            penalty = self.settings["ridge"] * weights.sum() * np.eye(4)
            lines.append(np.linalg.solve(weighted.T @ rows + penalty, weighted.T @ spectra))  # (4, bands)
        self.lines_ = np.concatenate(lines)  # (centres * 4, bands)
        context.progress(1.0, f"{len(colours)} pixels, {len(self.centres_)} lines")
        return self

    def reconstruct_colours(self, colours):
        """Blend what the lines say of colours (n, 3): spectra (n, bands)."""
        terms = self.nearness(colours)[:, :, np.newaxis] * with_one(colours)[:, np.newaxis]  # (n, centres, 4)
        return (terms.reshape(len(colours), -1) @ self.lines_).astype(np.float32)

    def nearness(self, colours):
        """Weigh the centres for each colour (n, centres); the weights of a colour add up to 1."""
        steps = chromaticities(colours)[:, np.newaxis] - self.centres_
        exponents = -np.square(steps).sum(axis=2) / (2.0 * self.settings["spread"] ** 2)
        weights = np.exp(exponents - exponents.max(axis=1, keepdims=True))  # far from all centres none would be above 0
        return weights / weights.sum(axis=1, keepdims=True)

    def state(self):
        """Return the centres and their lines."""
        self.check_fitted()
        return {"centres": self.centres_, "lines": self.lines_}, {}

    @classmethod
    def from_state(cls, settings, arrays, config):
        """Build the fitted method from what `state` gave."""
        method = cls(**settings)
        if set(arrays) != {"centres", "lines"} or len(arrays["lines"]) != 4 * len(arrays["centres"]):
            raise ValueError("wanted are the arrays centres (n, 2) and lines (4 n, bands)")
        method.centres_, method.lines_ = arrays["centres"], arrays["lines"]
        return method


def chromaticities(colours):
    """Return r / (r + g + b) and g / (r + g + b) of colours (n, 3); of black, those of grey: (n, 2) float64."""
    colours = colours.astype(np.float64)
    total = colours.sum(axis=1, keepdims=True)
    return np.where(total > 0.0, colours / np.where(total > 0.0, total, 1.0), 1.0 / 3.0)[:, :2]


def with_one(colours):
    """Put a 1 behind each colour: (n, 4) float64."""
    return np.column_stack([colours.astype(np.float64), np.ones(len(colours))])


def spread_out(points, count, rng):
    """Choose points far from each other: the first at random, each next one farthest from those before.

    Fewer than `count` come back where there are no more different ones.

    References
    ----------
    Gonzalez 1985, Clustering to minimize the maximum intercluster distance, doi:10.1016/0304-3975(85)90224-5.
    """
    chosen = [points[rng.integers(len(points))]]
    distance = np.square(points - chosen[0]).sum(axis=1)
    while len(chosen) < count and distance.max() > 0.0:
        chosen.append(points[distance.argmax()])
        distance = np.minimum(distance, np.square(points - chosen[-1]).sum(axis=1))
    return np.array(chosen)
