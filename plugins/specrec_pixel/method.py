"""`pixel`: the adversarial network's own layers at full resolution, without the context (Alvarez-Gila et al. 2017)."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from specrec.errors import DataError, UsageError
from specrec.interfaces import Arrays, FitContext
from specrec.parameters import Parameter, Settings, Value
from specrec.per_pixel import PerPixelReconstructor, Rows, all_valid_pixels, sample_pixels
from specrec.scenes import TrainingScene

if TYPE_CHECKING:
    from torch import nn

MEMORY = 2 << 30
"""Bytes of training pixels that are kept."""


class Pixel(PerPixelReconstructor):
    """A small fully connected network from one colour to one spectrum.

    The preset ``paper`` is Fig. 4's network of one branch: two 1x1 convolutions on the RGB, which are linear layers
    3 -> 64 -> 31 on each pixel. ``wide`` has about as many parameters as a small U-Net. Both learn by the mean absolute
    error alone: there is no discriminator.
    """

    name: ClassVar[str] = "pixel"
    summary: ClassVar[str] = "network of two 1x1 convolutions: the colour of the pixel alone"
    reference: ClassVar[str] = (
        "Alvarez-Gila, van de Weijer and Garrote 2017, Adversarial networks for spatial context-aware spectral image "
        "reconstruction from RGB, doi:10.1109/ICCVW.2017.64"
    )
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "preset": Parameter("paper", "paper: 3-64-31; wide: 3-512-512-31", ("paper", "wide")),
        "hidden": Parameter("64", "widths of the hidden layers, such as 512-512"),
        "steps": Parameter(3000, "updates", minimum=1),
        "batch": Parameter(4096, "pixels per update", minimum=1),
        "learning_rate": Parameter(1e-2, "largest learning rate of the one-cycle schedule", minimum=1e-8),
    }
    presets: ClassVar[Mapping[str, Settings]] = {
        "paper": {"hidden": "64", "learning_rate": 1e-2},
        "wide": {"hidden": "512-512", "learning_rate": 3e-3},
    }
    trials: ClassVar[tuple[Settings, ...]] = ({"steps": 4, "batch": 64},)
    requires: ClassVar[tuple[str, ...]] = ("torch",)
    block: ClassVar[int] = 2048  # 512 features of them are 4 MB: the cache holds a layer's input and output
    whole_blocks: ClassVar[bool] = True  # the kernel of a matrix product depends on the number of rows

    network_: "nn.Sequential"
    """The trained network, in [-1, 1]."""

    def __init__(self, **given: Value) -> None:
        super().__init__(**given)
        read_hidden(str(self.settings["hidden"]))  # a word that cannot be read is an error before any work

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Train on the valid pixels of all scenes.

        All of them where they take at most 2 GiB (15.8 million pixels of 31 bands); of larger sets a seeded sample, the
        same number from every scene.
        """
        import torch

        from specrec.training.loop import run
        from specrec.training.session import session
        from specrec_pixel.network import build
        from specrec_pixel.training import PixelTraining, ShuffledPixels

        colours, spectra = _training_pixels(scenes, np.random.default_rng(context.seed))
        settings = self.settings
        with session(context) as device:
            generator = torch.Generator().manual_seed(context.seed)
            network = build(read_hidden(str(settings["hidden"])), spectra.shape[1], generator).to(device)
            pixels = ShuffledPixels(colours, spectra, int(settings["batch"]), context.seed, device)
            training = PixelTraining(network, int(settings["steps"]), float(settings["learning_rate"]))
            known = pixels.fingerprint() if context.checkpoint is not None else ""
            identity = {"settings": dict(settings), "seed": context.seed, "pixels": known}
            self.history_ = run(training, pixels, context, identity)
        self.network_ = network.eval()
        self.device = context.device
        return self

    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Run the network on sRGB colours (n, 3) and return spectra (n, bands) on the scale of the training cubes."""
        import torch

        self.check_fitted()
        network = self.network_.to(self.device)
        with torch.inference_mode():
            spectra = network(torch.from_numpy(2.0 * colours - 1.0).to(self.device))
            answer: Rows = ((spectra + 1.0) / 2.0).cpu().numpy()
        return answer

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return weights and biases of every layer, float32."""
        from specrec_pixel.network import save

        self.check_fitted()
        return save(self.network_), {}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:  # noqa: ARG003 - empty
        """Build the fitted method from its weights."""
        from specrec_pixel.network import load

        method = cls(**settings)
        method.network_ = load(read_hidden(str(method.settings["hidden"])), arrays)
        return method


def read_hidden(words: str) -> tuple[int, ...]:
    """Read the widths of the hidden layers.

    Raises
    ------
    UsageError
        If it is not whole numbers from 1 to 65536 with hyphens between them.

    Examples
    --------
    >>> read_hidden("512-512")
    (512, 512)
    """
    if re.fullmatch(r"[0-9]{1,5}(-[0-9]{1,5})*", words, re.ASCII):
        widths = tuple(int(width) for width in words.split("-"))
        if all(1 <= width <= 65536 for width in widths):
            return widths
    raise UsageError(f"pixel[hidden] takes widths from 1 to 65536 with hyphens between them (512-512), not {words!r}")


def _training_pixels(scenes: Sequence[TrainingScene], rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Read colours (n, 3) and spectra (n, bands) of the training pixels, in [-1, 1]."""
    counts = [int(scene.mask.sum()) for scene in scenes]
    if not sum(counts):
        raise DataError("pixel needs at least one valid training pixel; there is none in the training scenes")
    bands = scenes[0].shape[2]
    room = MEMORY // (4 * (3 + bands))
    if sum(counts) > room:
        colours, spectra = sample_pixels(scenes, max(1, room // len(scenes)), rng)
    else:
        colours, spectra = np.empty((sum(counts), 3), np.float32), np.empty((sum(counts), bands), np.float32)
        end = 0
        for scene in scenes:
            for some_colours, some_spectra in all_valid_pixels(scene):
                start, end = end, end + len(some_colours)
                colours[start:end], spectra[start:end] = some_colours, some_spectra
    for array in (colours, spectra):  # in place: they may be large
        array *= np.float32(2.0)
        array -= np.float32(1.0)
    return colours, spectra
