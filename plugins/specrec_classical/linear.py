"""`linear`: the best linear map from linear RGB to spectra, three numbers for every band."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Settings
from specrec.per_pixel import PerPixelReconstructor, Rows, all_valid_pixels
from specrec.rendering import decode_srgb
from specrec.scenes import TrainingScene

_SMALLEST = 1e-12  # of the squared singular values, over the largest: below, the colours do not span three dimensions


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
        """Add up the normal equations over all valid pixels of all scenes and solve them; nothing is random."""
        products, targets = np.zeros((3, 3)), np.zeros((3, 0))
        for number, scene in enumerate(scenes):
            context.progress(number / len(scenes), scene.name)
            for colours, spectra in all_valid_pixels(scene):
                linear = decode_srgb(colours)
                products += linear.T @ linear
                target = linear.T @ spectra.astype(np.float64)
                targets = targets + target if targets.size else target
        if not products.any():
            raise DataError("linear needs training pixels that are not black, and there are none")
        # where all training colours lie in a plane this takes the shortest solution instead of failing
        self.coefficients_ = np.linalg.lstsq(products, targets, rcond=_SMALLEST)[0]
        self.history_ = []
        context.progress(1.0, "done")
        return self

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Map colours (n, 3) to spectra; sums and not a matrix product, whose rounding changes with n."""
        self.check_fitted()
        red, green, blue = decode_srgb(colours).T[..., np.newaxis]
        of_red, of_green, of_blue = self.coefficients_
        spectra = red * of_red
        spectra += green * of_green
        spectra += blue * of_blue
        return spectra.astype(np.float32)

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the coefficients, float64."""
        self.check_fitted()
        return {"coefficients": self.coefficients_}, {}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:  # noqa: ARG003 - empty
        """Build the fitted method from its coefficients."""
        coefficients = np.array(arrays["coefficients"], dtype=np.float64)
        if coefficients.ndim != 2 or len(coefficients) != 3 or not np.isfinite(coefficients).all():
            raise ValueError(f"the coefficients must be finite and of shape (3, bands), not {coefficients.shape}")
        method = cls(**settings)
        method.coefficients_ = coefficients
        return method
