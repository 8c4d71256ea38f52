"""`arad`: spectra as sparse sums of learnt atoms, found from the colour of each pixel (Arad and Ben-Shahar 2016)."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Parameter, Settings
from specrec.per_pixel import PerPixelReconstructor, Rows, sample_pixels
from specrec.rendering import RGB_TO_XYZ, decode_srgb
from specrec.scenes import InputKind, TrainingScene

_SHAPES = {"spectral_atoms": 31, "colour_atoms": 3}


class Arad(PerPixelReconstructor):
    """Sparse recovery over a dictionary of spectra.

    A dictionary of spectral atoms is learnt from training pixels. Seen by the CIE 1964 observer it becomes a dictionary
    of colours; the sparse code of a pixel's colour, applied to the spectra, is the estimate.
    """

    name: ClassVar[str] = "arad"
    summary: ClassVar[str] = "sparse code of the colour over a learnt dictionary of spectra"
    reference: ClassVar[str] = (
        "Arad and Ben-Shahar 2016, Sparse recovery of hyperspectral signal from natural RGB images, "
        "doi:10.1007/978-3-319-46478-7_2"
    )
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "input": Parameter("srgb", "what is coded: the 8-bit sRGB made linear, or XYZ/100 itself", ("srgb", "linear")),
        "atoms": Parameter(500, "size of the dictionary", minimum=1),
        "sparsity": Parameter(3, "atoms per colour", minimum=1, maximum=3),
        "training_sparsity": Parameter(28, "atoms per training spectrum", minimum=1),
        "iterations": Parameter(5, "passes over the training pixels", minimum=1),
        "pixels_per_scene": Parameter(1000, "training pixels drawn from each scene", minimum=1),
        "batch": Parameter(512, "training pixels per update of the dictionary", minimum=1),
    }
    requires: ClassVar[tuple[str, ...]] = ("spams",)
    block: ClassVar[int] = 1 << 13  # its spectra are 1 MB: they are still in the cache when they are copied

    spectral_atoms_: NDArray[np.float64]
    """(K, 31): the spectra behind the colours."""
    colour_atoms_: NDArray[np.float64]
    """(K, 3): XYZ/100, of unit length."""

    @property
    def input(self) -> InputKind:
        """``"linear"`` for ``input=linear``, as the authors have it; else the same 8-bit sRGB as every method."""
        return "linear" if self.settings["input"] == "linear" else "srgb8"

    @property
    def parameter_count(self) -> int:
        """The numbers in the spectral dictionary; the colours follow from it."""
        return self.state()[0]["spectral_atoms"].size

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Learn the dictionary from seeded valid pixels of every scene; it uses one thread."""
        from specrec_arad.dictionary import learn_atoms, pair_with_colours

        rng = np.random.default_rng(context.seed)
        chosen = {name: int(self.settings[name]) for name in ("atoms", "iterations", "batch")}
        context.progress(0.0, "drawing pixels")
        _colours, spectra = sample_pixels(scenes, int(self.settings["pixels_per_scene"]), rng)
        context.progress(0.3, f"learning {chosen['atoms']} atoms from {len(spectra)} pixels")
        learnt = learn_atoms(spectra, rng, sparsity=int(self.settings["training_sparsity"]), **chosen)
        self.spectral_atoms_, self.colour_atoms_ = pair_with_colours(learnt)
        self.history_ = []
        context.progress(1.0, "done")
        return self

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Code the colours (n, 3) and add up the spectra (n, 31); black gives zero."""
        from specrec_arad.pursuit import code, decode

        self.check_fitted()
        signals = colours if self.input == "linear" else _linear(colours)
        found = code(signals, self.colour_atoms_, int(self.settings["sparsity"]))
        return decode(found, self.spectral_atoms_)

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the two dictionaries, float64."""
        self.check_fitted()
        return {"spectral_atoms": self.spectral_atoms_, "colour_atoms": self.colour_atoms_}, {}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:  # noqa: ARG003 - empty
        """Build the fitted method from its dictionaries."""
        method = cls(**settings)
        if set(arrays) != set(_SHAPES):
            raise ValueError(f"arad keeps the arrays {', '.join(_SHAPES)}, this file has {', '.join(sorted(arrays))}")
        for name, size in _SHAPES.items():
            wanted = (int(method.settings["atoms"]), size)
            if arrays[name].shape != wanted or not np.isfinite(arrays[name]).all():
                raise ValueError(f"{name} must be finite and of shape {wanted}, this one has {arrays[name].shape}")
        lengths = np.linalg.norm(arrays["colour_atoms"], axis=1)
        if not (np.isclose(lengths, 1.0, atol=1e-6) | (lengths == 0.0)).all():
            raise ValueError("colour_atoms must be of unit length")
        method.spectral_atoms_ = np.array(arrays["spectral_atoms"], dtype=np.float64)
        method.colour_atoms_ = np.array(arrays["colour_atoms"], dtype=np.float64)
        return method


def _linear(colours: Rows) -> NDArray[np.float64]:
    """SRGB (n, 3) -> XYZ/100 (n, 3), as `specrec.rendering.srgb_to_xyz` but for the last bit.

    Its matrix product may round a row differently with the number of rows; these sums do not.
    """
    red, green, blue = decode_srgb(colours).T
    return np.stack([row[0] * red + row[1] * green + row[2] * blue for row in RGB_TO_XYZ], axis=1)
