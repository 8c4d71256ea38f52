"""`mean`: one spectrum for every pixel, the mean of the training pixels, made as bright as the pixel."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Settings
from specrec.per_pixel import PerPixelReconstructor, Rows, all_valid_pixels
from specrec.rendering import RGB_TO_XYZ, decode_srgb
from specrec.scenes import TrainingScene
from specrec_classical.fitted import checked


class Mean(PerPixelReconstructor):
    """The mean training spectrum times a pixel's luminance over the mean luminance of the training pixels.

    It knows how bright a pixel is and nothing of its colour: what a method gains over it, it gains by colour.
    """

    name: ClassVar[str] = "mean"
    summary: ClassVar[str] = "the mean training spectrum, scaled by luminance (control)"
    reference: ClassVar[str] = "a control without a paper; luminance after IEC 61966-2-1:1999"
    block: ClassVar[int] = 1 << 13  # its temporaries then stay in a processor's cache

    spectrum_: NDArray[np.float64]
    """(bands,): the mean spectrum at luminance 1."""

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Average spectrum and luminance over all valid pixels of all scenes; nothing is random."""
        spectrum, luminance = np.zeros(0), 0.0
        for number, scene in enumerate(scenes):
            context.progress(number / len(scenes), scene.name)
            for colours, spectra in all_valid_pixels(scene):
                total = spectra.sum(axis=0, dtype=np.float64)
                spectrum = spectrum + total if spectrum.size else total
                luminance += float(_luminance(colours).sum())
        if not luminance > 0.0:
            raise DataError("mean needs training pixels that are not black, and there are none")
        self.spectrum_ = spectrum / luminance
        self.history_ = []
        context.progress(1.0, "done")
        return self

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Scale the spectrum by the luminance of each colour; black gives zero."""
        self.check_fitted()
        return (_luminance(colours)[:, np.newaxis] * self.spectrum_).astype(np.float32)

    @property
    def operations(self) -> float:
        """The luminance, and a product for every band."""
        self.check_fitted()
        return 6.0 + self.spectrum_.size

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the spectrum, float64."""
        self.check_fitted()
        return {"spectrum": self.spectrum_}, {}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:  # noqa: ARG003 - empty
        """Build the fitted method from its spectrum."""
        method = cls(**settings)
        method.spectrum_ = checked(arrays, {"spectrum": ("bands",)})["spectrum"]
        return method


def _luminance(colours: Rows) -> NDArray[np.float64]:
    """Y of sRGB colours (n, 3), 1 for white; sums and not a matrix product, whose rounding changes with n."""
    red, green, blue = decode_srgb(colours).T
    weights = RGB_TO_XYZ[1]
    return weights[0] * red + weights[1] * green + weights[2] * blue
