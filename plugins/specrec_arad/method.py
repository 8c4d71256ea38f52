"""`arad`: spectra as sparse sums of learnt atoms, found from the colour of each pixel (Arad and Ben-Shahar 2016)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import UsageError
from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Parameter, Settings, Value
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
        "atoms": Parameter("500", "how many are learnt; random or random-500: training pixels as they are"),
        "learning": Parameter("spams", "online dictionary learning of SPAMS, or K-SVD", ("spams", "ksvd")),
        "sparsity": Parameter(3, "atoms per colour", minimum=1, maximum=3),
        "training_sparsity": Parameter(28, "atoms per training spectrum", minimum=1),
        "iterations": Parameter(5, "passes over the training pixels", minimum=1),
        "pixels_per_scene": Parameter(1000, "training pixels drawn from each scene", minimum=1),
        "batch": Parameter(512, "training pixels per update of the dictionary, of SPAMS alone", minimum=1),
    }
    trials: ClassVar[tuple[Settings, ...]] = (
        {"atoms": "40", "training_sparsity": 5},
        {"atoms": "40", "training_sparsity": 5, "input": "linear"},
        {"atoms": "random-40"},
        {"atoms": "40", "training_sparsity": 5, "learning": "ksvd", "iterations": 2},
    )
    requires: ClassVar[tuple[str, ...]] = ("spams",)
    block: ClassVar[int] = 1 << 13  # its spectra are 1 MB: they are still in the cache when they are copied

    spectral_atoms_: NDArray[np.float64]
    """(K, 31): the spectra behind the colours."""
    colour_atoms_: NDArray[np.float64]
    """(K, 3): XYZ/100, of unit length."""

    def __init__(self, **given: Value) -> None:
        super().__init__(**given)
        if read_atoms(str(self.settings["atoms"]))[1] and self.settings["learning"] != "spams":
            raise UsageError(
                f"arad[atoms={self.settings['atoms']}] learns nothing, so learning={self.settings['learning']} cannot "
                f"go with it; give a number of atoms, or leave learning out"
            )

    @property
    def input(self) -> InputKind:
        """``"linear"`` for ``input=linear``, as the authors have it; else the same 8-bit sRGB as every method."""
        return "linear" if self.settings["input"] == "linear" else "srgb8"

    @property
    def parameter_count(self) -> int:
        """The numbers in the spectral dictionary; the colours follow from it."""
        return self.state()[0]["spectral_atoms"].size

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Draw or learn the dictionary from seeded valid pixels of every scene; it uses one thread."""
        from specrec_arad.dictionary import draw_atoms, pair_with_colours, usable_spectra

        rng = np.random.default_rng(context.seed)
        count, drawn = read_atoms(str(self.settings["atoms"]))
        context.progress(0.0, "drawing pixels")
        _colours, sampled = sample_pixels(scenes, int(self.settings["pixels_per_scene"]), rng)
        spectra = usable_spectra(sampled, count)
        atoms = draw_atoms(spectra, count, rng)
        self.history_ = []
        if not drawn:
            atoms = self._learn(spectra, atoms, context)
        self.spectral_atoms_, self.colour_atoms_ = pair_with_colours(atoms)
        context.progress(1.0, "done")
        return self

    def _learn(
        self, spectra: NDArray[np.float64], atoms: NDArray[np.float64], context: FitContext
    ) -> NDArray[np.float64]:
        from specrec_arad import ksvd
        from specrec_arad.dictionary import learn_with_spams

        words = f"learning {len(atoms)} atoms from {len(spectra)} pixels"
        context.progress(0.3, words)
        sparsity, iterations = int(self.settings["training_sparsity"]), int(self.settings["iterations"])
        if self.settings["learning"] == "spams":
            batch = int(self.settings["batch"])
            return learn_with_spams(spectra, atoms, sparsity=sparsity, iterations=iterations, batch=batch)
        learnt, errors = ksvd.learn(
            spectra,
            atoms,
            sparsity=sparsity,
            iterations=iterations,
            progress=lambda done: context.progress(0.3 + 0.7 * done, words),
        )
        self.history_ = [
            {"step": float(step), "rmse": float(np.sqrt(error / spectra.size))} for step, error in enumerate(errors, 1)
        ]
        return learnt

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Code the colours (n, 3) and add up the spectra (n, 31); black gives zero."""
        from specrec_arad.pursuit import code, decode

        self.check_fitted()
        signals = colours if self.input == "linear" else _linear(colours)
        found = code(signals, self.colour_atoms_, int(self.settings["sparsity"]))
        return decode(found, self.spectral_atoms_)

    @property
    def operations(self) -> float:
        """Three products with every atom for each atom taken, and a product of that one with every band."""
        self.check_fitted()
        atoms, bands = self.spectral_atoms_.shape
        taken = int(self.settings["sparsity"])  # making a few vectors orthogonal is nothing beside this
        to_xyz = 0 if self.input == "linear" else 18
        return float(to_xyz + taken * (6 * atoms + 2 * bands))

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
            wanted = (read_atoms(str(method.settings["atoms"]))[0], size)
            if arrays[name].shape != wanted or not np.isfinite(arrays[name]).all():
                raise ValueError(f"{name} must be finite and of shape {wanted}, this one has {arrays[name].shape}")
        lengths = np.linalg.norm(arrays["colour_atoms"], axis=1)
        if not (np.isclose(lengths, 1.0, atol=1e-6) | (lengths == 0.0)).all():
            raise ValueError("colour_atoms must be of unit length")
        method.spectral_atoms_ = np.array(arrays["spectral_atoms"], dtype=np.float64)
        method.colour_atoms_ = np.array(arrays["colour_atoms"], dtype=np.float64)
        return method


def read_atoms(words: str) -> tuple[int, bool]:
    """Read how many atoms there are, and whether they are training pixels that are drawn and not learnt from.

    Raises
    ------
    UsageError
        If it is neither a whole number from 1 to 99999, nor `random`, nor `random-` and such a number.

    Examples
    --------
    >>> read_atoms("1000"), read_atoms("random"), read_atoms("random-200")
    ((1000, False), (500, True), (200, True))
    """
    match = re.fullmatch(r"(random)?(?:(?(1)-)([1-9][0-9]{0,4}))?", words, re.ASCII)
    if not words or match is None:
        raise UsageError(
            f"arad[atoms] takes a number from 1 to 99999, random, or random and a number (random-500), not {words!r}"
        )
    return int(match[2] or 500), match[1] is not None


def _linear(colours: Rows) -> NDArray[np.float64]:
    """SRGB (n, 3) -> XYZ/100 (n, 3), as `specrec.rendering.srgb_to_xyz` but for the last bit.

    Its matrix product may round a row differently with the number of rows; these sums do not.
    """
    red, green, blue = decode_srgb(colours).T
    return np.stack([row[0] * red + row[1] * green + row[2] * blue for row in RGB_TO_XYZ], axis=1)
