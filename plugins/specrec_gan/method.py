"""`gan`: the adversarial U-Net of Alvarez-Gila, van de Weijer and Garrote (2017), doi:10.1109/ICCVW.2017.64."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from specrec.errors import SpecrecError, UsageError
from specrec.interfaces import Arrays, FitContext, Reconstructor
from specrec.parameters import Parameter, Settings, Value
from specrec.scenes import Image, TrainingScene, check_image
from specrec.spectra import Cube

if TYPE_CHECKING:
    from specrec_gan.generator import Generator

MAX_BRANCHES = 9


class Gan(Reconstructor):
    """An image-to-image network that sees each pixel's surroundings, trained against a discriminator.

    The nine variants of the paper's Figure 4 are ``branches=1`` (per pixel) to ``branches=9`` (the full net). Sizes
    that are no multiple of the grid are padded by repeated reflection to the right and below, and cropped back.
    """

    name = "gan"
    summary = "adversarial U-Net; context by strided convolutions"
    reference = "Alvarez-Gila, van de Weijer and Garrote 2017, doi:10.1109/ICCVW.2017.64"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "preset": Parameter(
            "paper",
            "paper: as published; quick: minutes on a CPU; small: narrow enough for all nine branches there",
            choices=("paper", "quick", "small"),
        ),
        "branches": Parameter(9, "skip levels kept, 1 (per pixel) to 9 (full net)", minimum=1, maximum=MAX_BRANCHES),
        "width": Parameter(64, "filters of the first encoder level", minimum=1),
        "discriminator_width": Parameter(32, "filters of the discriminator's first convolution", minimum=1),
        "adversarial": Parameter(1.0, "weight of the adversarial loss; 0 trains without a discriminator", minimum=0),
        "l1_weight": Parameter(100.0, "weight of the reconstruction loss", minimum=0),
        "loss": Parameter("l1", "reconstruction loss: mean absolute or mean squared error", choices=("l1", "l2")),
        "dropout": Parameter(0.1, "rate after each transposed convolution", minimum=0, maximum=0.95),
        "deep_dropout": Parameter(
            -1.0, "rate on the levels that branches 5 and up add; below 0: as dropout", minimum=-1, maximum=0.95
        ),
        "dropout_at_test": Parameter(False, "keep dropout on when reconstructing, seeded"),
        "batch_norm": Parameter(False, "batch normalisation, which the paper found inferior"),
        "schedule": Parameter(
            "samples",
            "how to read 50 discriminator iterations: as samples (25 updates) or as updates",
            choices=("samples", "iterations"),
        ),
        "epochs": Parameter(100, "crops per training scene; counts when steps is 0", minimum=1, supersedes="steps"),
        "steps": Parameter(0, "generator updates; 0 counts epochs", minimum=0),
        "batch": Parameter(1, "crops per update", minimum=1),
        "crop": Parameter(256, "side of a training crop, pixels", minimum=1),
        "learning_rate": Parameter(2e-4, "Adam's learning rate", minimum=0),
        "discriminator_rate": Parameter(0.0, "the discriminator's own learning rate; 0: the same", minimum=0),
        "decay": Parameter("none", "of the generator's learning rate", choices=("none", "cosine")),
        "precision": Parameter(
            "float32", "of the products while training; bf16 is for GPUs", choices=("float32", "bf16")
        ),
        "flips": Parameter(False, "mirror half of the crops, left to right"),
        "output_bias": Parameter("zero", "start of the last bias", choices=("zero", "median")),
    }
    presets: ClassVar[Mapping[str, Settings]] = {
        "paper": {},
        "quick": {
            "branches": 4,
            "width": 32,
            "discriminator_width": 16,
            "steps": 2000,
            "batch": 16,
            "crop": 32,
            "learning_rate": 2e-3,
            "discriminator_rate": 2e-4,
            "decay": "cosine",
            "flips": True,
            "output_bias": "median",
        },
        "small": {
            "width": 16,
            "discriminator_width": 16,
            "steps": 500,
            "learning_rate": 6e-3,
            "discriminator_rate": 2e-4,
            "decay": "cosine",
            "flips": True,
            "output_bias": "median",
        },
    }
    trials: ClassVar[tuple[Settings, ...]] = (
        {"branches": 3, "width": 4, "discriminator_width": 2, "crop": 32, "steps": 4, "batch": 2},
    )
    requires = ("torch",)

    def __init__(self, **given: Value) -> None:
        super().__init__(**given)
        if int(self.settings["crop"]) % self.grid:
            crop, grid = self.settings["crop"], self.grid
            raise UsageError(f"gan[crop={crop}] must be a multiple of {grid} for branches={self.branches}")
        self.generator_: Generator | None = None
        self.seed_ = 0

    @property
    def branches(self) -> int:
        """How many branches the configured net has."""
        return int(self.settings["branches"])

    @property
    def receptive_field(self) -> int:
        """1, 3, 7, 15, .. 511: theoretical, on an unbounded image."""
        return int(2**self.branches - 1)

    @property
    def grid(self) -> int:
        """The coarsest level has one value per this many pixels."""
        return int(2 ** (self.branches - 1))

    @property
    def halo(self) -> int:
        """The grid: a value of the coarsest level sees grid - 1 pixels before its first and none after its last."""
        return self.grid if self.branches > 1 else 0

    @property
    def tiles_exactly(self) -> bool:
        """Not with dropout, whose draws depend on the size of the image."""
        return not self.settings["dropout_at_test"]

    @property
    def bytes_per_pixel(self) -> int:
        """Measured, with what writing a cube takes: in blocks on a CPU, else with tensors of full resolution."""
        width = int(self.settings["width"])
        if self.device == "cpu" and not self.settings["dropout_at_test"]:
            return 2 * width + 330
        return max(12 * width + 60, 4 * width + 600)

    @property
    def operations(self) -> float | None:
        """Products of all convolutions; in the blocks of a CPU torch's counter would see others than there are."""
        from specrec_gan.generator import operations

        return None if self.generator_ is None else operations(self.generator_)

    def updates(self, scenes: int) -> int:
        """Count the generator updates of a training on so many scenes."""
        steps = int(self.settings["steps"])
        return steps or max(1, math.ceil(int(self.settings["epochs"]) * scenes / int(self.settings["batch"])))

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Train on random crops; see `Reconstructor.fit`."""
        import torch

        from specrec.training.crops import Crops
        from specrec.training.loop import run
        from specrec.training.session import session
        from specrec_gan.adversarial import AdversarialTraining
        from specrec_gan.discriminator import Discriminator

        settings = self.settings
        with session(context) as device:
            bands = scenes[0].shape[2]
            generator = self._network(bands)
            discriminator = Discriminator(int(settings["discriminator_width"]), bands)
            crops = Crops(
                scenes,
                int(settings["crop"]),
                int(settings["batch"]),
                seed=context.seed,
                flips=bool(settings["flips"]),
                device=device,
                progress=context.progress,
            )
            if settings["output_bias"] == "median":
                middle = (2.0 * crops.median_spectrum() - 1.0).clamp(-0.999, 0.999)
                with torch.no_grad():
                    generator.out.bias.copy_(torch.atanh(middle))
            generator.to(device, memory_format=torch.channels_last).train()
            discriminator.to(device, memory_format=torch.channels_last).train()
            training = AdversarialTraining(generator, discriminator, settings, self.updates(len(scenes)))
            identity = {"settings": dict(settings), "seed": context.seed, "scenes": crops.fingerprints}
            self.history_ = run(training, crops, context, identity)
        self.generator_ = generator.eval()
        self.device = context.device
        self.seed_ = context.seed
        return self

    def reconstruct(self, rgb: Image) -> Cube:
        """Estimate the cube of a whole image; see `Reconstructor.reconstruct`.

        The precision is the generator's: ``method.generator_.double()`` computes and answers in float64.
        """
        import torch

        from specrec.training.session import exact
        from specrec_gan.inference import cubes

        if self.generator_ is None:
            raise SpecrecError("gan is not fitted; call fit, or load weights")
        check_image(rgb)
        height, width = rgb.shape[:2]
        padded = np.pad(rgb, ((0, -height % self.grid), (0, -width % self.grid), (0, 0)), mode="reflect")
        generator = self.generator_.to(self.device)
        kind = generator.out.weight.dtype
        image = (2.0 * torch.from_numpy(padded).to(kind) - 1.0).to(self.device)
        devices = [image.device] if image.is_cuda else []
        with exact(), torch.inference_mode(), torch.random.fork_rng(devices=devices):
            torch.manual_seed(self.seed_)
            generator.dropout.train(bool(self.settings["dropout_at_test"]))
            estimate = cubes(generator, image.permute(2, 0, 1)[None])
        cube: Cube = estimate[0, :height, :width].cpu().contiguous().numpy()
        return cube

    def influence(self, rgb: Image, row: int, column: int) -> NDArray[np.float32]:
        """Differentiate the estimate at one place by the image; see `Reconstructor.influence`."""
        from specrec.network.inference import influence

        if self.generator_ is None:
            raise SpecrecError("gan is not fitted; call fit, or load weights")
        check_image(rgb)
        return influence(self.generator_.to(self.device).eval(), rgb, self.grid, (row, column))

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the generator's weights; the discriminator is not kept."""
        if self.generator_ is None:
            raise SpecrecError("gan is not fitted; there is nothing to save")
        arrays = {name: value.detach().cpu().numpy() for name, value in self.generator_.state_dict().items()}
        return arrays, {"bands": self.generator_.out.out_channels, "seed": self.seed_}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """Build the generator again; ValueError if the weights are of another net."""
        import torch

        method = cls(**settings)
        generator = method._network(int(config["bands"]))
        weights = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        try:
            generator.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(str(error).splitlines()[0]) from None
        method.generator_ = generator.to(memory_format=torch.channels_last).eval()
        method.seed_ = int(config["seed"])
        return method

    def _network(self, bands: int) -> "Generator":
        from specrec_gan.generator import Generator

        deep = float(self.settings["deep_dropout"])
        return Generator(
            self.branches,
            int(self.settings["width"]),
            bands,
            dropout=float(self.settings["dropout"]),
            deep_dropout=deep if deep >= 0 else None,
            batch_norm=bool(self.settings["batch_norm"]),
        )
