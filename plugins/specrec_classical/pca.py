"""`pca`: the three principal components of the training spectra that give a pixel its own colour."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Parameter, Settings
from specrec.per_pixel import PerPixelReconstructor, Rows, all_valid_pixels
from specrec.rendering import XYZ_TO_RGB, decode_srgb, xyz
from specrec.scenes import TrainingScene
from specrec_classical.fitted import checked

_SMALLEST = 1e-6  # of a singular value over the largest: below, it is the rounding of float32


class Pca(PerPixelReconstructor):
    """The combination of three principal components whose linear RGB is exactly that of the pixel.

    Three components and three channels leave nothing to fit: a 3 x 3 system is solved once. The training spectra
    say which spectra there are; no pair of colour and spectrum is seen.
    """

    name: ClassVar[str] = "pca"
    summary: ClassVar[str] = "three principal components of the training spectra, matched to the colour"
    reference: ClassVar[str] = (
        "Agahian, Amirshahi and Amirshahi 2008, Reconstruction of reflectance spectra using weighted principal "
        "component analysis, doi:10.1002/col.20431 (its classical case, without weights)"
    )
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "centred": Parameter(False, "components around the mean spectrum; else around black, which then gives zero"),
    }
    block: ClassVar[int] = 1 << 13  # its temporaries then stay in a processor's cache

    coefficients_: NDArray[np.float64]
    """(3, bands): the spectrum of each linear primary."""
    constant_: NDArray[np.float64]
    """(bands,): a spectrum without colour, that of a black pixel."""

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Decompose all valid spectra of all scenes; nothing is random."""
        from specrec_classical.least_squares import Triangle

        bands = scenes[0].shape[2] if scenes else 0
        triangle = Triangle(1, bands)
        for number, scene in enumerate(scenes):
            context.progress(number / len(scenes), scene.name)
            for _, spectra in all_valid_pixels(scene):
                triangle.add(np.ones((len(spectra), 1)), spectra.astype(np.float64))
        centred = bool(self.settings["centred"])
        # explained by a constant alone, the spectra are their mean and what is scattered around it
        mean = triangle.solve()[0] if centred else np.zeros(bands)
        lengths, directions = np.linalg.svd(triangle.scatter if centred else triangle.targets)[1:]
        if bands < 3 or not lengths[2] > _SMALLEST * lengths[0]:
            raise DataError("pca needs three independent training spectra, and these are fewer")
        components = directions[:3]
        colours = _colours(components)
        if np.linalg.cond(colours) > 1.0 / _SMALLEST:
            raise DataError("pca needs components of three independent colours, and these lie in a plane")
        self.coefficients_ = np.linalg.solve(colours, components)
        self.constant_ = mean - _colours(mean) @ self.coefficients_
        self.history_ = []
        context.progress(1.0, "done")
        return self

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Map colours (n, 3) to the spectra (n, bands) that have them."""
        from specrec_classical.terms import combine, monomials

        self.check_fitted()
        return combine(decode_srgb(colours), monomials(1), self.coefficients_, self.constant_)

    @property
    def operations(self) -> float:
        """Three products for every band; the constant is where their sum starts."""
        self.check_fitted()
        return 2.0 * self.coefficients_.size

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the spectra of the primaries and of black, float64."""
        self.check_fitted()
        return {"coefficients": self.coefficients_, "constant": self.constant_}, {}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:  # noqa: ARG003 - empty
        """Build the fitted method from its spectra."""
        method = cls(**settings)
        found = checked(arrays, {"coefficients": (3, "bands"), "constant": ("bands",)})
        method.coefficients_, method.constant_ = found["coefficients"], found["constant"]
        return method


def _colours(spectra: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear RGB of spectra (.., bands), neither clipped nor encoded."""
    return xyz(spectra) / 100.0 @ XYZ_TO_RGB.T
