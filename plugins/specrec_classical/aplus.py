"""`aplus`: one linear map per anchor colour, learnt from the training colours around it (Aeschbacher et al. 2017)."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Parameter, Settings
from specrec.per_pixel import PerPixelReconstructor, Rows, sample_pixels
from specrec.rendering import decode_srgb
from specrec.scenes import TrainingScene
from specrec_classical.fitted import checked

Floats = NDArray[np.float64]

_PASSES = 10  # of the learning of anchors; the share of colours that change their anchor is then small
_SMALLEST = 1e-12  # of the largest eigenvalue: below, the neighbours do not span three dimensions


class APlus(PerPixelReconstructor):
    """Adjusted anchored neighbourhood regression: the linear map of the anchor that a colour points to most.

    Anchors are directions, so a colour and half of it have one anchor, and half the light gives half the spectrum.
    """

    name: ClassVar[str] = "aplus"
    summary: ClassVar[str] = "one linear map per anchor colour, from the training colours around it"
    reference: ClassVar[str] = (
        "Aeschbacher, Wu and Timofte 2017, In defense of shallow learned spectral reconstruction from RGB images, "
        "doi:10.1109/ICCVW.2017.63"
    )
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "anchors": Parameter(1024, "unit colours that have a map each", minimum=1),
        "neighbours": Parameter(8192, "training colours that each map is learnt from", minimum=1),
        "ridge": Parameter(1e-5, "share of the neighbours' energy that the regression adds to every axis", minimum=0.0),
        "pixels_per_scene": Parameter(16000, "training pixels drawn from each scene", minimum=1),
    }
    trials: ClassVar[tuple[Settings, ...]] = ({"anchors": 16, "neighbours": 200, "pixels_per_scene": 400},)

    anchors_: Floats
    """(K, 3): linear sRGB of unit length."""
    maps_: Floats
    """(K, 3, bands): the spectrum of each linear primary, for the colours of each anchor."""

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Learn anchors from seeded valid pixels of every scene, and a ridge regression from the neighbours of each."""
        from specrec_classical.anchors import learn_anchors, length_of

        rng = np.random.default_rng(context.seed)
        context.progress(0.0, "drawing pixels")
        encoded, spectra = sample_pixels(scenes, int(self.settings["pixels_per_scene"]), rng)
        linear = decode_srgb(encoded)
        lit = linear.any(axis=1)
        linear, spectra = linear[lit], spectra[lit]  # black points nowhere, and any map takes it to zero
        if not len(linear):
            raise DataError("aplus needs training pixels that are not black, and there are none")
        context.progress(0.3, f"learning {self.settings['anchors']} anchors from {len(linear)} pixels")
        self.anchors_ = learn_anchors(linear, int(self.settings["anchors"]), _PASSES, rng)
        directions = (linear / length_of(linear)).T
        wanted = min(int(self.settings["neighbours"]), len(linear))
        self.maps_ = np.empty((len(self.anchors_), 3, spectra.shape[1]))
        for number, anchor in enumerate(self.anchors_):
            context.progress(0.5 + 0.5 * number / len(self.anchors_), "regressing")
            correlation = anchor @ directions
            # equals of the last one are neighbours too
            near = correlation >= np.partition(correlation, -wanted)[-wanted]
            self.maps_[number] = _ridge_regression(linear[near], spectra[near], float(self.settings["ridge"]))
        self.history_ = []
        context.progress(1.0, "done")
        return self

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Map colours (n, 3) to spectra, each by the map of its anchor; black gives zero."""
        from specrec_classical.anchors import closest, mapped

        self.check_fitted()
        linear = decode_srgb(colours)
        return mapped(linear, self.maps_, closest(linear, self.anchors_))

    @property
    def operations(self) -> float:
        """Three products with every anchor, and for every band."""
        self.check_fitted()
        return 6.0 * len(self.anchors_) + 6.0 * self.maps_.shape[2]

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return anchors and maps, float64."""
        self.check_fitted()
        return {"anchors": self.anchors_, "maps": self.maps_}, {}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:  # noqa: ARG003 - empty
        """Build the fitted method from its anchors and maps."""
        found = checked(arrays, {"anchors": ("anchors", 3), "maps": ("anchors", 3, "bands")})
        if not len(found["anchors"]) or not np.allclose(np.square(found["anchors"]).sum(axis=1), 1.0, atol=1e-6):
            raise ValueError("the anchors must be of unit length, and there must be one")
        method = cls(**settings)
        method.anchors_, method.maps_ = found["anchors"], found["maps"]
        return method


def _ridge_regression(colours: Floats, spectra: Rows, ridge: float) -> Floats:
    """Return the map (3, bands) of least squares, with a penalty of `ridge` times the sum of all squared colours.

    A share of that sum means the same for few dark neighbours and many bright ones. Colours in a plane have the
    shortest map where there is no penalty.
    """
    products = colours.T @ colours
    targets = colours.T @ spectra.astype(np.float64)
    penalised = products + ridge * np.trace(products) * np.eye(3)
    solved: Floats = np.linalg.pinv(penalised, rcond=_SMALLEST, hermitian=True) @ targets
    return solved
