"""`mallett`: three fixed spectra weighted by linear RGB, without any training (Mallett and Yuksel 2019)."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Settings
from specrec.per_pixel import PerPixelReconstructor, Rows
from specrec.rendering import XYZ_TO_RGB, decode_srgb, white_point
from specrec.scenes import TrainingScene
from specrec.spectra import WAVELENGTHS
from specrec_classical.fitted import checked


class Mallett(PerPixelReconstructor):
    """Mallett and Yuksel's reflectances of the sRGB primaries, adapted to the white of illuminant E.

    The three add up to 1 at every wavelength, so that their white is flat. The white of this benchmark's rendering, a
    flat spectrum under illuminant E, is not white in sRGB: each primary is divided by its value there, and flat spectra
    come back exactly.
    """

    name: ClassVar[str] = "mallett"
    summary: ClassVar[str] = "three fixed spectra weighted by linear RGB: no training at all"
    reference: ClassVar[str] = (
        "Mallett and Yuksel 2019, Spectral primary decomposition for rendering with sRGB reflectance, "
        "doi:10.2312/sr.20191216"
    )
    block: ClassVar[int] = 1 << 13  # its temporaries then stay in a processor's cache

    primaries_: NDArray[np.float64]
    """(3, bands): the spectrum of each linear primary."""

    @property
    def parameter_count(self) -> int:
        """None was learnt."""
        return 0

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Look the spectra up; the scenes are not read, only that their wavelengths are those of the spectra."""
        for scene in scenes:
            if not np.array_equal(scene.wavelengths, WAVELENGTHS):
                raise DataError(f"mallett knows the 31 bands 400-700 nm in steps of 10 nm, not those of {scene.name}")
        self.primaries_ = primaries()
        self.history_ = []
        context.progress(1.0, "nothing to learn")
        return self

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Weight the spectra by colours (n, 3); sums and not a matrix product, whose rounding changes with n."""
        self.check_fitted()
        red, green, blue = decode_srgb(colours).T[..., np.newaxis]
        of_red, of_green, of_blue = self.primaries_
        spectra = red * of_red
        spectra += green * of_green
        spectra += blue * of_blue
        return spectra.astype(np.float32)

    @property
    def operations(self) -> float:
        """Three products for every band."""
        self.check_fitted()
        return 2.0 * self.primaries_.size

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the spectra, float64."""
        self.check_fitted()
        return {"primaries": self.primaries_}, {}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:  # noqa: ARG003 - empty
        """Build the method from its spectra."""
        method = cls(**settings)
        method.primaries_ = checked(arrays, {"primaries": (3, "bands")})["primaries"]
        return method


def primaries() -> NDArray[np.float64]:
    """Return the spectra (3, 31) of linear red, green and blue at 400, 410, .. 700 nm.

    The published table has a value every 5 nm from 380 to 780 nm; every second of it is taken, none is interpolated.

    Examples
    --------
    >>> white = XYZ_TO_RGB @ white_point() / 100.0
    >>> white.round(4).tolist()
    [1.203, 0.949, 0.908]
    >>> bool(np.allclose(white @ primaries(), 1.0, atol=1e-6))
    True
    """
    from colour.recovery import MSDS_BASIS_FUNCTIONS_sRGB_MALLETT2019 as TABLE

    place = np.searchsorted(TABLE.wavelengths, WAVELENGTHS)
    if not np.array_equal(TABLE.wavelengths[place], WAVELENGTHS):
        raise ValueError("the table of Mallett and Yuksel (2019) lacks some of 400, 410, .. 700 nm")
    white = XYZ_TO_RGB @ white_point() / 100.0
    spectra: NDArray[np.float64] = TABLE.values[place].T / white[:, np.newaxis]
    return spectra
