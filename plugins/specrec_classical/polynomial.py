"""`polynomial`: regression from products of red, green and blue to spectra (Connah and Hardeberg 2005)."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from specrec.parameters import Parameter
from specrec.per_pixel import Rows
from specrec.rendering import decode_srgb
from specrec_classical.regression import RIDGE, Regression


class Polynomial(Regression):
    """Ridge regression from all products of the channels up to a degree, without a constant.

    Of the encoded sRGB values it fits what is evenly spread over dark and light; of linear values of degree 1 it is
    `linear`.
    """

    name: ClassVar[str] = "polynomial"
    summary: ClassVar[str] = "regression from products of the RGB values up to a degree"
    reference: ClassVar[str] = (
        "Connah and Hardeberg 2005, Spectral recovery using polynomial models, doi:10.1117/12.586315; as a baseline: "
        "Lin and Finlayson 2021, On the optimization of regression-based spectral reconstruction, "
        "doi:10.3390/s21165586"
    )
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "degree": Parameter(4, "largest degree of a product", minimum=1, maximum=6),
        "ridge": RIDGE,
        "values": Parameter("srgb", "products of the encoded or of the linear RGB values", ("srgb", "linear")),
    }

    def terms(self) -> NDArray[np.int64]:
        """Return 3, 9, 19, 34, 55 or 83 products."""
        from specrec_classical.terms import monomials

        return monomials(int(self.settings["degree"]))

    def values(self, colours: Rows) -> NDArray[np.float64]:
        """Return the encoded values as they are, or decode them."""
        return decode_srgb(colours) if self.settings["values"] == "linear" else colours.astype(np.float64)
