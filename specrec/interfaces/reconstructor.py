"""What a method implements: it learns spectra from scenes and turns an RGB image into a cube."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import UsageError
from specrec.interfaces.fitting import FitContext
from specrec.parameters import Parameter, Settings, Value, resolve
from specrec.scenes import Image, InputKind, TrainingScene
from specrec.spectra import Cube

Arrays = dict[str, NDArray[Any]]


class Reconstructor(ABC):
    """A method that learns spectra from scenes and then turns an RGB image into a cube.

    A subclass declares the class attributes and the four abstract methods. Its fitted state ends in ``_``;
    a second `fit` forgets the first; the same seed gives the same result. Splitting, scoring, timing and storing
    belong to the harness: a method never sees a test cube.
    """

    name: ClassVar[str]
    """Short and lower case, as in ``--methods``."""
    summary: ClassVar[str]
    """One line, as `specrec methods` prints it."""
    reference: ClassVar[str] = ""
    """Author, year, DOI."""
    parameters: ClassVar[Mapping[str, Parameter]] = {}
    """Everything a user can set."""
    presets: ClassVar[Mapping[str, Settings]] = {}
    """Named sets of values; a method that has some declares a parameter ``preset``."""
    trials: ClassVar[tuple[Settings, ...]] = ({},)
    """Settings under which the conformance suite tries the method: small enough to fit within seconds."""
    requires: ClassVar[tuple[str, ...]] = ()
    """Modules it cannot do without; where one is missing the method is listed as broken."""
    device: str
    """Where to compute, as torch spells it; set by whoever uses the fitted method."""
    threads: int
    """How many threads `reconstruct` may use, likewise; they change time and never a number."""

    def __init__(self, **given: Value) -> None:
        self.settings = resolve(self.name, self.parameters, self.presets, given)
        self.device = "cpu"
        self.threads = 1
        self.history_: list[dict[str, float]] = []

    @classmethod
    def with_preset(cls, preset: str, given: Settings) -> Self:
        """Build the method with a preset, where it has one of that name; what is given wins."""
        return cls(**resolve(cls.name, cls.parameters, cls.presets, given, preset))

    @property
    def input(self) -> InputKind:
        """``"srgb8"``: the protocol's 8-bit sRGB in [0, 1]; ``"linear"``: XYZ/100 before any encoding."""
        return "srgb8"

    @property
    def receptive_field(self) -> int | None:
        """Side of the square of pixels one output pixel can depend on; 1 is per pixel, None is unbounded."""
        return None

    @property
    def grid(self) -> int:
        """What a method sees in place of the whole image must start at multiples of this many pixels."""
        return 1

    @property
    def halo(self) -> int:
        """Pixels to see around a tile for it to equal the whole image.

        A window that starts on the grid and at least this far before the tile, and ends at least this far after it,
        or at the image's own border on either side, gives the tile the values it has in the whole image. The tile
        itself may start and end anywhere.
        """
        return 0

    @property
    def tiles_exactly(self) -> bool:
        """Whether `halo` holds; if not, only whole images are reconstructed. By default where one is declared."""
        return self.receptive_field == 1 or (self.receptive_field is not None and self.halo > 0)

    @property
    def bytes_per_pixel(self) -> int:
        """Memory that `reconstruct` takes at its peak for each pixel, image and cube included; an estimate will do."""
        return 4096

    @property
    def operations(self) -> float | None:
        """Operations of the fitted method for each pixel of an image; None: it does not say.

        Multiplications and additions, each counted as one, of a pixel whose colour no other pixel has. Functions
        (roots, exponentials, the decoding of sRGB), comparisons and look-ups are not counted. Where it is None and
        torch is required, torch's own counter counts the products and convolutions of `reconstruct`. It sees neither
        what NumPy computes nor the inside of compiled or fused code: such a method declares them.
        """
        return None

    @abstractmethod
    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Learn from `scenes` and return self.

        Parameters
        ----------
        scenes
            Read when asked: ``rgb(window)`` and the scaled ``cube(window)``, with ``mask``.
        context
            Seed, device, threads, progress.
        """

    @abstractmethod
    def reconstruct(self, rgb: Image) -> Cube:
        """Estimate the cube of an image.

        Parameters
        ----------
        rgb
            (height, width, 3) float32 of the kind `input` names. It is not changed.

        Returns
        -------
        (height, width, bands) float32 on the scale of the scaled training cubes; not clipped.
        """

    def influence(self, rgb: Image, row: int, column: int) -> NDArray[np.float32] | None:  # noqa: ARG002 - optional
        """Tell how strongly each pixel moves the estimate at one place; None: this method cannot tell.

        Parameters
        ----------
        rgb
            As in `reconstruct`.
        row, column
            The place.

        Returns
        -------
        (height, width) float32, not negative: the root of the summed squares of the derivatives of all bands of the
        estimate there with respect to the channels of the image. It is 0 outside the receptive field, and shows how
        much of it counts.

        References
        ----------
        Luo, Li, Urtasun and Zemel 2016, Understanding the effective receptive field in deep convolutional neural
        networks, arXiv:1701.04128.
        """
        return None

    @abstractmethod
    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the fitted state: named arrays, and plain JSON values for the rest."""

    @classmethod
    @abstractmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """Build the fitted method again from what `state` gave; raise ValueError if it does not fit."""

    def check_fitted(self) -> None:
        """Raise UsageError as long as there is no fitted state, that is no attribute that ends in ``_``."""
        if not any(key.endswith("_") and key != "history_" and value is not None for key, value in vars(self).items()):
            raise UsageError(f"{self.name} is not fitted; call fit or load weights first")

    @property
    def parameter_count(self) -> int:
        """How many numbers were learnt."""
        return sum(int(np.size(array)) for array in self.state()[0].values())
