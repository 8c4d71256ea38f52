"""`kernel`: kernel regularised regression on sampled training colours (Heikkinen et al. 2008)."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Parameter, Settings, Value
from specrec.per_pixel import PerPixelReconstructor, Rows
from specrec.rendering import decode_srgb
from specrec.scenes import TrainingScene
from specrec_classical.fitted import checked
from specrec_classical.gaussians import gaussians
from specrec_classical.validation import Drawn, draw, number_or_auto

Matrix = NDArray[np.float64]

WIDTHS = (0.15, 0.3, 0.6, 1.2, 2.4)
"""What ``width=auto`` chooses from: linear RGB lies in a cube of side 1."""
RIDGES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""What ``ridge=auto`` chooses from."""


class Kernel(PerPixelReconstructor):
    """A sum of kernels around training colours, in linear RGB.

    Of all functions of the kernel's space it has the least sum of the squared errors at the training colours and of
    `ridge` times its squared norm. Width and ridge are those that do best on held-out training scenes, unless given.
    """

    name: ClassVar[str] = "kernel"
    summary: ClassVar[str] = "kernel regularised regression on sampled training colours"
    reference: ClassVar[str] = (
        "Heikkinen et al. 2008, Evaluation and unification of some methods for estimating reflectance spectra from RGB "
        "images, doi:10.1364/JOSAA.25.002444"
    )
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "kernel": Parameter("gaussian", "of two colours", ("gaussian", "polynomial")),
        "width": Parameter("auto", "of the Gaussian kernel, in linear RGB; auto: by validation"),
        "degree": Parameter(3, "of the polynomial kernel", minimum=1, maximum=6),
        "ridge": Parameter("auto", "weight of the squared norm; auto: by validation"),
        "colours": Parameter(1000, "distinct training colours that have a kernel each", minimum=1, maximum=10000),
        "pixels_per_scene": Parameter(1000, "training pixels drawn from each scene", minimum=1),
    }
    trials: ClassVar[tuple[Settings, ...]] = ({"colours": 60, "pixels_per_scene": 100},)
    block: ClassVar[int] = 512  # 1000 kernels of them are 4 MB, and each pass over those is in the cache
    whole_blocks: ClassVar[bool] = True  # a matrix product rounds differently for another number of rows

    centres_: Matrix
    """(n, 3): training colours, linear RGB."""
    weights_: Matrix
    """(n, bands)."""
    width_: float
    """Of the Gaussian kernel, as given or chosen; 0 for a polynomial one."""
    ridge_: float
    """As given or chosen."""

    def __init__(self, **given: Value) -> None:
        super().__init__(**given)
        gaussian = self.settings["kernel"] == "gaussian"
        width = number_or_auto("kernel[width]", self.settings["width"])
        ridge = number_or_auto("kernel[ridge]", self.settings["ridge"])
        self._widths = (WIDTHS if width is None else (width,)) if gaussian else (0.0,)
        self._ridges = RIDGES if ridge is None else (ridge,)

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Draw pixels, choose width and ridge where they are not given, and solve for the weights."""
        rng = np.random.default_rng(context.seed)
        drawn = draw(scenes, int(self.settings["pixels_per_scene"]), rng, context)
        order = rng.permutation(len(drawn.colours))
        context.progress(0.8, "choosing")
        self.width_, self.ridge_ = self._choose(drawn, order)
        context.progress(0.9, "solving")
        self.centres_, targets = self._distinct(drawn, order)
        self.weights_ = self._solve(self.centres_, targets, self.width_, self.ridge_)
        if not np.isfinite(self.weights_).all():
            raise DataError(
                f"kernel has no solution with width {self.width_:g} and ridge {self.ridge_:g}; leave them out"
            )
        self._tabulate()
        self.history_ = []
        context.progress(1.0, f"width {self.width_:g}, ridge {self.ridge_:g}")
        return self

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Add up the weighted kernels at colours (n, 3)."""
        self.check_fitted()
        return (self._at(colours) @ self.weights_).astype(np.float32)

    @property
    def operations(self) -> float:
        """The kernel at every centre, and a product of each with every band."""
        self.check_fitted()
        centres, bands = self.weights_.shape
        # a Gaussian of an 8-bit colour is a product of three in tables; else three products, a 1 and powers of the sum
        of_each = 2 if self.settings["kernel"] == "gaussian" else 7 + int(self.settings["degree"]) - 1
        return float(centres * (of_each + 2 * bands))

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return centres and weights, float64, and the width and the ridge they were found with."""
        self.check_fitted()
        arrays: Arrays = {"centres": self.centres_, "weights": self.weights_}
        return arrays, {"width": self.width_, "ridge": self.ridge_}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """Build the fitted method from its centres and weights."""
        method = cls(**settings)
        found = checked(arrays, {"centres": ("n", 3), "weights": ("n", "bands")})
        method.centres_, method.weights_ = found["centres"], found["weights"]
        method.width_, method.ridge_ = float(config["width"]), float(config["ridge"])
        method._tabulate()
        return method

    def _tabulate(self) -> None:
        """Compute the Gaussians of every level of every channel: of an 8-bit colour they are multiplied."""
        from specrec_classical.levels import LEVELS

        linear = decode_srgb(LEVELS)[:, np.newaxis]
        self._tables = None
        if self.settings["kernel"] == "gaussian":
            channels = self.centres_.T[..., np.newaxis]
            self._tables = np.stack([gaussians(linear, channel, self.width_) for channel in channels])

    def _at(self, colours: Rows) -> Matrix:
        """The kernels at sRGB colours (n, 3): of 8-bit ones by tables, since an exponential takes longer than both."""
        from specrec_classical.levels import levels_of, products

        if self._tables is None:
            return self._kernels(decode_srgb(colours), self.centres_, self.width_)
        levels, known = levels_of(colours)
        if known.all():
            return products(levels, self._tables)
        # all rows are computed, so that none depends on how many others there are
        kernels = self._kernels(decode_srgb(colours), self.centres_, self.width_)
        if known.any():
            kernels[known] = products(levels, self._tables)[known]
        return kernels

    def _kernels(self, colours: Matrix, centres: Matrix, width: float) -> Matrix:
        if self.settings["kernel"] == "gaussian":
            return gaussians(colours, centres, width)
        base = colours @ centres.T + 1.0
        powers = base.copy()
        for _ in range(int(self.settings["degree"]) - 1):
            powers *= base
        return powers

    def _distinct(self, drawn: Drawn, order: NDArray[np.int64]) -> tuple[Matrix, Matrix]:
        """Take the first distinct colours of `order`, and the mean spectrum of all pixels drawn of each."""
        colours, first, place = np.unique(drawn.colours[order], axis=0, return_index=True, return_inverse=True)
        place = place.reshape(-1)
        spectra = np.zeros((len(colours), drawn.spectra.shape[1]))
        np.add.at(spectra, place, drawn.spectra[order])
        spectra /= np.bincount(place)[:, np.newaxis]
        chosen = np.argsort(first)[: int(self.settings["colours"])]
        return decode_srgb(colours[chosen]), spectra[chosen]

    def _solve(self, centres: Matrix, targets: Matrix, width: float, ridge: float) -> Matrix:
        gram = self._kernels(centres, centres, width)
        gram[np.diag_indices_from(gram)] += ridge
        try:
            return np.linalg.solve(gram, targets)
        except np.linalg.LinAlgError:
            chosen = f"width {width:g} and ridge {ridge:g}"
            raise DataError(f"kernel has no solution with {chosen}; raise the ridge") from None

    def _choose(self, drawn: Drawn, order: NDArray[np.int64]) -> tuple[float, float]:
        """Fit on the pixels that are not held out with every candidate; the least squared error on those that are."""
        candidates = list(product(self._widths, self._ridges))
        if len(candidates) == 1 or not drawn.held.any():
            return candidates[len(candidates) // 2]
        centres, targets = self._distinct(drawn, order[~drawn.held[order]])
        colours, spectra = decode_srgb(drawn.colours[drawn.held]), drawn.spectra[drawn.held]
        errors = []
        for width in self._widths:
            kernels = self._kernels(colours, centres, width)
            for ridge in self._ridges:
                errors.append(np.square(kernels @ self._solve(centres, targets, width, ridge) - spectra).mean())
        return candidates[int(np.argmin(errors))]
