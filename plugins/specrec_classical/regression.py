"""Regression from terms of a colour to spectra, with a ridge that the training scenes choose themselves.

What `polynomial` and `root-polynomial` share. The ridge is validated inside the training scenes, whole scenes at a
time: pixels of one scene are too alike to tell what carries over to another. A fifth of the scenes is held out in
turn, and the triangle of what is left is solved for every ridge, so the pixels are read once.
"""

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Parameter, Settings, Value
from specrec.per_pixel import PerPixelReconstructor, Rows
from specrec.scenes import TrainingScene
from specrec_classical.fitted import checked
from specrec_classical.validation import number_or_auto

if TYPE_CHECKING:
    from specrec_classical.least_squares import Triangle

RIDGES = (0.0, *(float(f"1e{power}") for power in range(-12, 0)))
"""What `auto` chooses from."""
RIDGE = Parameter("auto", "weight of the squared coefficients, of terms of unit root mean square; auto: by validation")

_PARTS = 5  # of the training scenes, each held out once
_STRIPS = 25  # of the only scene


class Regression(PerPixelReconstructor):
    """Ridge regression from terms of a colour to spectra, over all valid training pixels.

    A subclass declares a parameter ``ridge`` and says what the terms are, and of which values.
    """

    block: ClassVar[int] = 1 << 13  # its terms then stay in a processor's cache

    coefficients_: NDArray[np.float64]
    """(terms, bands)."""
    ridge_: float
    """The ridge that was used."""

    def __init__(self, **given: Value) -> None:
        super().__init__(**given)
        self._asked = number_or_auto(f"{self.name}[ridge]", self.settings["ridge"], zero=True)

    @abstractmethod
    def terms(self) -> NDArray[np.int64]:
        """Return the terms (terms, 4), as `specrec_classical.terms` has them."""

    @abstractmethod
    def values(self, colours: Rows) -> NDArray[np.float64]:
        """Return what the terms are of, (n, 3), for colours (n, 3)."""

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Fold all valid pixels of all scenes into five triangles, choose the ridge, and solve; nothing is random."""
        from specrec_classical.least_squares import Triangle, joined
        from specrec_classical.terms import expand

        if not scenes:
            raise DataError(f"{self.name} needs training pixels that are not black, and there are none")
        terms, bands = self.terms(), scenes[0].shape[2]
        parts = [Triangle(len(terms), bands) for _ in range(_PARTS)]
        for number, (colours, sums, pixels) in self._observed(scenes, context):
            parts[number % _PARTS].add(expand(self.values(colours), terms), sums, pixels)
        everything = joined(parts)
        if not everything.rows.any():
            raise DataError(f"{self.name} needs training pixels that are not black, and there are none")
        self.ridge_ = choose_ridge(parts) if self._asked is None else self._asked
        self.coefficients_ = everything.solve(self.ridge_)
        self.history_ = []
        context.progress(1.0, f"ridge {self.ridge_:g}")
        return self

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Combine the terms of colours (n, 3) to spectra (n, bands)."""
        from specrec_classical.terms import combine

        self.check_fitted()
        return combine(self.values(colours), self.terms(), self.coefficients_)

    @property
    def operations(self) -> float:
        """The terms, and a product of each with every band."""
        self.check_fitted()
        from specrec_classical.terms import operations

        return operations(self.terms(), self.coefficients_.shape[1])

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the coefficients, float64, and the ridge that gave them."""
        self.check_fitted()
        return {"coefficients": self.coefficients_}, {"ridge": self.ridge_}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """Build the fitted method from its coefficients."""
        method = cls(**settings)
        found = checked(arrays, {"coefficients": (len(method.terms()), "bands")})
        method.coefficients_ = found["coefficients"]
        method.ridge_ = float(config["ridge"])
        return method

    def _observed(
        self, scenes: Sequence[TrainingScene], context: FitContext
    ) -> Iterator[tuple[int, tuple[Rows, NDArray[np.float64], NDArray[np.int64]]]]:
        """Yield what `observations` yields, with the number of the scene, or of the strip of the only scene."""
        from specrec_classical.least_squares import observations

        if len(scenes) == 1:
            context.progress(0.0, scenes[0].name)
            yield from enumerate(observations(scenes[0], math.ceil(scenes[0].mask.size / _STRIPS)))
            return
        for number, scene in enumerate(scenes):
            context.progress(number / len(scenes), scene.name)
            yield from ((number, found) for found in observations(scene))


def choose_ridge(parts: Sequence["Triangle"]) -> float:
    """Return the ridge of `RIDGES` that carries over best from all other parts to each part.

    Best is the least product of the parts' squared errors, so that a bright scene counts no more than a dark one; they
    are errors of the mean spectrum of each 8-bit colour, since no ridge changes what pixels of one colour differ by.
    With fewer than two parts there is nothing to choose by, and it is 0.
    """
    from specrec_classical.least_squares import joined

    filled = [part for part in parts if part.pixels]
    if len(filled) < 2:
        return 0.0
    products = np.zeros(len(RIDGES))
    for part in filled:
        others = joined([other for other in filled if other is not part])
        errors = [part.error(others.solve(ridge)) for ridge in RIDGES]
        products += np.log(np.maximum(errors, np.finfo(np.float64).tiny))
    return RIDGES[int(np.argmin(products))]
