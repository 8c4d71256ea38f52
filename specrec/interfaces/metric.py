"""What a metric implements: one number per image, and its weight."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from specrec.scenes import Mask
from specrec.spectra import Cube


@dataclass(frozen=True)
class Score:
    """One metric on one image.

    Parameters
    ----------
    value
        The mean over the pixels that count.
    weight
        The weight of this image in a fold's mean.
    left_out
        The share of the valid values that the metric's zero rule left out, 0 to 1.
    """

    value: float
    weight: float
    left_out: float = 0.0


MetricFunction = Callable[[Cube, Cube, Mask, NDArray[np.float64]], Score]


@dataclass(frozen=True)
class Metric:
    """A named definition of error: a pure function, and what a table must say about it.

    Parameters
    ----------
    name
        The id that tables print. Another definition is another id: ``rmse@arad2016``.
    unit, scale
        Such as ``"8-bit levels"`` and ``"0..255"``.
    higher_is_better
        The direction.
    definition
        One line that a reader could compute from.
    reference
        Author, year, DOI.
    function
        ``(estimate, reference, mask, wavelengths) -> Score``; cubes (height, width, bands) on the scale 0..1, mask
        (height, width) bool. The score must not depend on memory layout, and the cubes are not changed.
    best
        What an estimate that equals its reference gets, such as 1 or ``math.inf``; None: 0 where lower is better, and
        not said where higher is.
    symmetric
        Whether estimate and reference may change places.
    """

    name: str
    unit: str
    scale: str
    higher_is_better: bool
    definition: str
    reference: str
    function: MetricFunction = field(repr=False)
    best: float | None = None
    symmetric: bool = False

    @property
    def perfect(self) -> float | None:
        """What an estimate that equals its reference gets; None where that is not said."""
        return 0.0 if self.best is None and not self.higher_is_better else self.best

    def __call__(self, estimate: Cube, reference: Cube, mask: Mask, wavelengths: NDArray[np.float64]) -> Score:
        """Score one image."""
        return self.function(estimate, reference, mask, wavelengths)
