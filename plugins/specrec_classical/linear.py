"""`linear`: the best linear map from linear RGB to spectra, three numbers for every band."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Settings
from specrec.per_pixel import PerPixelReconstructor, Rows
from specrec.rendering import decode_srgb
from specrec.scenes import TrainingScene
from specrec_classical.fitted import checked

_SMALLEST = 1e-6  # singular value over the largest: below, the colours do not span three dimensions


class Linear(PerPixelReconstructor):
    """Least squares without a constant from linearised sRGB to spectra, over all valid training pixels.

    The estimate of a black pixel is zero, and twice the light gives twice the spectrum.
    """

    name: ClassVar[str] = "linear"
    summary: ClassVar[str] = "least squares from linear RGB to spectra, without constant (control)"
    reference: ClassVar[str] = (
        "Heikkinen et al. 2008, Evaluation and unification of some methods for estimating reflectance spectra from RGB "
        "images, doi:10.1364/JOSAA.25.002444 (its linear case, without regularisation)"
    )
    block: ClassVar[int] = 1 << 13  # its temporaries then stay in a processor's cache

    coefficients_: NDArray[np.float64]
    """(3, bands): the spectrum of each linear primary."""

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Fold all valid pixels of all scenes into a triangle and solve it; nothing is random."""
        from specrec_classical.least_squares import Triangle, observations

        triangle = Triangle(3, scenes[0].shape[2] if scenes else 0)
        for number, scene in enumerate(scenes):
            context.progress(number / len(scenes), scene.name)
            for colours, sums, pixels in observations(scene):
                triangle.add(decode_srgb(colours), sums, pixels)
        if not triangle.rows.any():
            raise DataError("linear needs training pixels that are not black, and there are none")
        # where all training colours lie in a plane this takes the shortest solution instead of failing
        self.coefficients_ = triangle.solve(smallest=_SMALLEST)
        self.history_ = []
        context.progress(1.0, "done")
        return self

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Map colours (n, 3) to spectra (n, bands)."""
        from specrec_classical.terms import combine, monomials

        self.check_fitted()
        return combine(decode_srgb(colours), monomials(1), self.coefficients_)

    @property
    def operations(self) -> float:
        """Three products for every band."""
        self.check_fitted()
        return 2.0 * self.coefficients_.size

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the coefficients, float64."""
        self.check_fitted()
        return {"coefficients": self.coefficients_}, {}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:  # noqa: ARG003 - empty
        """Build the fitted method from its coefficients."""
        method = cls(**settings)
        method.coefficients_ = checked(arrays, {"coefficients": (3, "bands")})["coefficients"]
        return method
