"""`nearest`: the mean spectrum of the training colours that are nearest (after Cover and Hart 1967)."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Parameter, Settings
from specrec.per_pixel import PerPixelReconstructor, Rows, sample_pixels
from specrec.rendering import RGB_TO_XYZ, decode_srgb, lab
from specrec.scenes import TrainingScene
from specrec_classical.fitted import checked

Floats = NDArray[np.float64]


class Nearest(PerPixelReconstructor):
    """A memory of training colours, and the mean of the spectra of the `k` nearest to a pixel's colour.

    Nothing is fitted to the spectra: what a method loses to it, it loses by its form.
    """

    name: ClassVar[str] = "nearest"
    summary: ClassVar[str] = "mean spectrum of the nearest training colours (control)"
    reference: ClassVar[str] = (
        "Cover and Hart 1967, Nearest neighbor pattern classification, doi:10.1109/TIT.1967.1053964 (its rule, with a "
        "mean in place of the vote)"
    )
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "k": Parameter(8, "so many of the nearest training colours", minimum=1, maximum=1000),
        "space": Parameter("srgb", "where distances are measured", choices=("srgb", "lab", "linear")),
        "pixels_per_scene": Parameter(4000, "training pixels drawn from each scene", minimum=1),
    }
    trials: ClassVar[tuple[Settings, ...]] = ({"pixels_per_scene": 200},)
    block: ClassVar[int] = 1 << 13  # its temporaries then stay in a processor's cache

    colours_: Rows
    """(n, 3): the distinct training colours, sorted."""
    spectra_: Rows
    """(n, bands): the mean spectrum of each."""

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Draw seeded valid pixels of every scene, and average the spectra of those of one colour."""
        context.progress(0.0, "drawing pixels")
        rng = np.random.default_rng(context.seed)
        colours, spectra = sample_pixels(scenes, int(self.settings["pixels_per_scene"]), rng)
        distinct, place, count = np.unique(colours, axis=0, return_inverse=True, return_counts=True)
        together = np.argsort(place.ravel(), kind="stable")
        totals = np.add.reduceat(spectra[together].astype(np.float64), np.cumsum(count) - count, axis=0)
        self._remember(distinct, (totals / count[:, np.newaxis]).astype(np.float32))
        self.history_ = []
        context.progress(1.0, "done")
        return self

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Average the spectra of the nearest training colours to each of `colours` (n, 3), all with the same weight."""
        self.check_fitted()
        wanted = min(int(self.settings["k"]), len(self.colours_))
        near = _nearest(self._tree, _placed(colours, str(self.settings["space"])), wanted)
        total = self.spectra_[near[:, 0]].astype(np.float64)
        for column in range(1, wanted):  # one after the other: no (n x k x bands) in memory
            total += self.spectra_[near[:, column]]
        return (total / wanted).astype(np.float32)

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the training colours and their spectra, float32."""
        self.check_fitted()
        return {"colours": self.colours_, "spectra": self.spectra_}, {}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:  # noqa: ARG003 - empty
        """Build the fitted method from its training colours."""
        found = checked(arrays, {"colours": ("n", 3), "spectra": ("n", "bands")})
        if not len(found["colours"]):
            raise ValueError("there must be a training colour, and there is none")
        method = cls(**settings)
        method._remember(found["colours"].astype(np.float32), found["spectra"].astype(np.float32))
        return method

    def _remember(self, colours: Rows, spectra: Rows) -> None:
        from scipy.spatial import cKDTree

        self.colours_, self.spectra_ = colours, spectra
        self._tree = cKDTree(_placed(colours, str(self.settings["space"])))


def _nearest(tree: Any, places: Floats, wanted: int) -> NDArray[np.intp]:
    """Return the positions (n, wanted) of what is nearest to each place; of equal distances the first in the order.

    Which of equals a tree finds depends on how it was built. So one more is asked for, and wherever the last of them
    is as far as the last one wanted, more are, until all equals are there to choose from.
    """
    found = np.empty((len(places), wanted), dtype=np.intp)
    open_rows, asked = np.arange(len(places)), wanted + 1
    while len(open_rows):
        asked = min(asked, tree.n)
        distances, positions = tree.query(places[open_rows], k=range(1, asked + 1), workers=1)
        order = np.lexsort((positions, distances), axis=-1)[:, :wanted]
        found[open_rows] = np.take_along_axis(positions, order, axis=1)
        tied = distances[:, -1] == distances[:, wanted - 1] if asked < tree.n else np.zeros(len(open_rows), bool)
        open_rows, asked = open_rows[tied], 2 * asked
    return found


def _placed(colours: Rows, space: str) -> Floats:
    """Take sRGB colours (n, 3) to the space of the distances; sums and not a matrix product, whose rounding varies."""
    if space == "srgb":
        # of 8 bits: whole numbers, which float32 gives exactly, so that distances that should be equal are
        return (colours * np.float32(255.0)).astype(np.float64)
    red, green, blue = decode_srgb(colours).T
    if space == "linear":
        return np.stack([red, green, blue], axis=1)
    return lab(np.stack([100.0 * (row[0] * red + row[1] * green + row[2] * blue) for row in RGB_TO_XYZ], axis=1))
