"""`matrix-r`: the colour of a spectrum from colorimetry, the rest of it learnt (Zhao and Berns 2007)."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Parameter, Settings
from specrec.per_pixel import PerPixelReconstructor, Rows
from specrec.rendering import decode_srgb, srgb_to_xyz, xyz_weights
from specrec.scenes import TrainingScene
from specrec_classical.fitted import checked

Matrix = NDArray[np.float64]

_SMALLEST = 1e-6  # singular value over the largest: below, one term depends on the others


class MatrixR(PerPixelReconstructor):
    """The fundamental stimulus of a pixel's XYZ, plus the metameric black of a regression from the camera signals.

    Every spectrum is the sum of its fundamental stimulus, which its XYZ determines, and of a metameric black, which has
    no colour at all. The first is computed and the second is learnt, so that the estimate has the XYZ of the pixel
    whatever was learnt.
    """

    name: ClassVar[str] = "matrix-r"
    summary: ClassVar[str] = "fundamental stimulus from colorimetry plus a learnt metameric black"
    reference: ClassVar[str] = (
        "Zhao and Berns 2007, Image-based spectral reflectance reconstruction using the matrix R method, "
        "doi:10.1002/col.20341"
    )
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "signals": Parameter("linear", "camera signals of the regression: decoded or as they are", ("linear", "srgb")),
        "degree": Parameter(1, "largest degree of their products", minimum=1, maximum=3),
    }
    block: ClassVar[int] = 1 << 13  # its temporaries then stay in a processor's cache

    fundamental_: Matrix
    """(3, bands): fundamental stimulus of each of X, Y, Z."""
    black_: Matrix
    """(terms, bands): metameric black of each term of the camera signals."""

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Fit the regression by least squares over all valid pixels, and take the fundamental part out of it.

        Nothing is random.
        """
        from specrec_classical.least_squares import Triangle, observations
        from specrec_classical.terms import expand

        terms = self._terms()
        triangle = Triangle(len(terms), scenes[0].shape[2] if scenes else 0)
        for number, scene in enumerate(scenes):
            context.progress(number / len(scenes), scene.name)
            for colours, sums, pixels in observations(scene):
                triangle.add(expand(self._signals(colours), terms), sums, pixels)
        if not triangle.rows.any():
            raise DataError("matrix-r needs training pixels that are not black, and there are none")
        coefficients = triangle.solve(smallest=_SMALLEST)
        self.fundamental_, projector = fundamentals()
        self.black_ = coefficients - coefficients @ projector
        self.history_ = []
        context.progress(1.0, "done")
        return self

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Add up both parts for colours (n, 3)."""
        from specrec_classical.terms import combine, monomials

        self.check_fitted()
        primaries = srgb_to_xyz(np.eye(3)) @ self.fundamental_
        spectra = combine(decode_srgb(colours), monomials(1), primaries)
        spectra += combine(self._signals(colours), self._terms(), self.black_)
        return spectra

    @property
    def operations(self) -> float:
        """The fundamental stimulus, the metameric black, and their sum."""
        self.check_fitted()
        from specrec_classical.terms import operations

        bands = self.black_.shape[1]
        return 6.0 * bands + operations(self._terms(), bands) + bands

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return both matrices, float64."""
        self.check_fitted()
        return {"fundamental": self.fundamental_, "black": self.black_}, {}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:  # noqa: ARG003 - empty
        """Build the fitted method from its matrices."""
        method = cls(**settings)
        found = checked(arrays, {"fundamental": (3, "bands"), "black": (len(method._terms()), "bands")})
        method.fundamental_, method.black_ = found["fundamental"], found["black"]
        return method

    def _terms(self) -> NDArray[np.int64]:
        """Products of the signals, degree by degree and without a constant: 3, 9 or 19 of them."""
        from specrec_classical.terms import monomials

        return monomials(int(self.settings["degree"]))

    def _signals(self, colours: Rows) -> Matrix:
        return decode_srgb(colours) if self.settings["signals"] == "linear" else colours.astype(np.float64)


def fundamentals() -> tuple[Matrix, Matrix]:
    """Return what colorimetry knows of a spectrum.

    Returns
    -------
    The fundamental stimuli (3, 31) of unit XYZ/100, which times the XYZ of a pixel are its fundamental stimulus; and
    Cohen and Kappauf's matrix R (31, 31), which takes a spectrum to its fundamental stimulus. With A (31, 3), the
    observer's weights under illuminant E, they are (A'A)^-1 A' and A (A'A)^-1 A'.

    References
    ----------
    Cohen and Kappauf 1982, Metameric color stimuli, fundamental metamers, and Wyszecki's metameric blacks, American
    Journal of Psychology 95, 537-564.

    Examples
    --------
    >>> stimuli, projector = fundamentals()
    >>> round(float(np.trace(projector)), 9), bool(np.allclose(projector @ projector, projector))
    (3.0, True)
    """
    weights = xyz_weights() / 100.0
    orthonormal, _ = np.linalg.qr(weights)
    return np.linalg.pinv(weights), orthonormal @ orthonormal.T
