"""`root-polynomial`: regression that keeps to its answer when the exposure changes (Lin and Finlayson 2019)."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from specrec.parameters import Parameter
from specrec.per_pixel import Rows
from specrec.rendering import decode_srgb
from specrec_classical.regression import RIDGE, Regression


class RootPolynomial(Regression):
    """Ridge regression from the k-th roots of the products of degree k of the linear channels.

    Every term is as many times larger as the light is: twice the light gives twice the spectrum.
    """

    name: ClassVar[str] = "root-polynomial"
    summary: ClassVar[str] = "regression from roots of products of linear RGB: exposure changes only the scale"
    reference: ClassVar[str] = (
        "Lin and Finlayson 2019, Exposure invariance in spectral reconstruction from RGB images, "
        "doi:10.2352/issn.2169-2629.2019.27.51; terms: Finlayson, Mackiewicz and Hurlbert 2015, "
        "doi:10.1109/TIP.2015.2405336"
    )
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "degree": Parameter(4, "largest degree of a product, and of its root", minimum=1, maximum=6),
        "ridge": RIDGE,
    }

    def terms(self) -> NDArray[np.int64]:
        """Return 3, 6, 13, 22, 40 or 55 roots."""
        from specrec_classical.terms import root_monomials

        return root_monomials(int(self.settings["degree"]))

    def values(self, colours: Rows) -> NDArray[np.float64]:
        """Decode sRGB to linear values."""
        return decode_srgb(colours)
