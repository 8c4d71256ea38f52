"""`local-maps`: locally weighted regression in chromaticity (Atkeson, Moore and Schaal 1997).

The training colours are covered by a few centres in the plane of chromaticities. Each centre has a linear map of its
own from colours to spectra, for which a pixel counts the more the nearer its chromaticity is to the centre. The
spectrum of a colour is what the maps say of it, blended by the same nearness. One map for all colours is the method
`linear`; as there, colours are linear light, and twice the light gives twice the spectrum.
"""

from typing import ClassVar

import numpy as np
from specrec import Parameter
from specrec.per_pixel import PerPixelReconstructor, sample_pixels
from specrec.rendering import decode_srgb


class LocalMaps(PerPixelReconstructor):
    """Linear maps from colours to spectra, one around each of a few chromaticities."""

    name = "local-maps"
    summary = "linear maps from colour to spectrum, each for the colours around one chromaticity"
    reference = "Atkeson, Moore and Schaal 1997, Locally weighted learning, doi:10.1023/A:1006559212014"
    parameters: ClassVar = {
        "centres": Parameter(24, "chromaticities that have a map of their own", minimum=1),
        "spread": Parameter(0.03, "how far a map reaches, in chromaticity (0 to 1)", minimum=0.001),
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
        light = decode_srgb(colours)  # (n, 3) float64
        self.centres_ = spread_out(chromaticities(light), self.settings["centres"], rng)
        maps = []
        for number, weights in enumerate(self.nearness(light).T):
            context.progress(number / len(self.centres_), "fitting maps")
            weighted = light * weights[:, np.newaxis]
            penalty = self.settings["ridge"] * weights.sum() * np.eye(3)
            maps.append(np.linalg.solve(weighted.T @ light + penalty, weighted.T @ spectra))  # (3, bands)
        self.maps_ = np.concatenate(maps)  # (centres * 3, bands)
        context.progress(1.0, f"{len(colours)} pixels, {len(self.centres_)} maps")
        return self

    def reconstruct_colours(self, colours):
        """Blend what the maps say of colours (n, 3): spectra (n, bands)."""
        light = decode_srgb(colours)
        terms = self.nearness(light)[:, :, np.newaxis] * light[:, np.newaxis]  # (n, centres, 3)
        return (terms.reshape(len(light), -1) @ self.maps_).astype(np.float32)

    def nearness(self, light):
        """Weigh the centres for each colour (n, centres); the weights of a colour add up to 1."""
        steps = chromaticities(light)[:, np.newaxis] - self.centres_
        exponents = -np.square(steps).sum(axis=2) / (2.0 * self.settings["spread"] ** 2)
        weights = np.exp(exponents - exponents.max(axis=1, keepdims=True))  # far from all centres none would be above 0
        return weights / weights.sum(axis=1, keepdims=True)

    def state(self):
        """Return the centres and their maps."""
        self.check_fitted()
        return {"centres": self.centres_, "maps": self.maps_}, {}

    @classmethod
    def from_state(cls, settings, arrays, config):
        """Build the fitted method from what `state` gave."""
        method = cls(**settings)
        if set(arrays) != {"centres", "maps"} or len(arrays["maps"]) != 3 * len(arrays["centres"]):
            raise ValueError("wanted are the arrays centres (n, 2) and maps (3 n, bands)")
        method.centres_, method.maps_ = arrays["centres"], arrays["maps"]
        return method


def chromaticities(light):
    """Return r / (r + g + b) and g / (r + g + b) of linear colours (n, 3); of black, those of grey: (n, 2)."""
    total = light.sum(axis=1, keepdims=True)
    return np.where(total > 0.0, light / np.where(total > 0.0, total, 1.0), 1.0 / 3.0)[:, :2]


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
