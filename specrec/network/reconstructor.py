"""`NetworkReconstructor`: a subclass declares a network; fit, tiles, weights and influence come with the base.

Everything a network sees and answers is in [-1, 1]: 0 of an image or a cube is -1, and 1 is 1. Where `input` is
``"linear"`` the image goes through the same formula and may leave that range, because XYZ/100 is not clipped.
"""

import warnings
from abc import abstractmethod
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
    import torch
    from torch import Tensor, nn

STANDARD: Mapping[str, Parameter] = {
    "steps": Parameter(2000, "updates", minimum=1),
    "batch": Parameter(16, "crops per update", minimum=1),
    "crop": Parameter(32, "side of a training crop, pixels", minimum=1),
    "learning_rate": Parameter(1e-3, "the optimiser's learning rate", minimum=0),
    "decay": Parameter("cosine", "of the learning rate", choices=("none", "cosine")),
    "flips": Parameter(True, "mirror half of the crops, left to right"),
    "precision": Parameter("float32", "of the products while training; bf16 is for GPUs", choices=("float32", "bf16")),
}
"""Parameters that every network has."""


class NetworkReconstructor(Reconstructor):
    """A method that is one network, trained on random crops.

    A subclass writes `name`, `summary`, `reference` and `build`, and says how far the network sees:

    - `receptive_field`, a side in pixels such as ``7``; None, the default, if it has no bound (attention, averages
      over the image, instance normalisation): then the method gets whole images only.
    - `grid`, where the network makes the size smaller on its way: the product of its strides and poolings, 8 for three
      times 2. Sides that are no multiple of it are padded by repeated reflection to the right and below, and the
      estimate is cropped back. A network with instance normalisation, which refuses a single pixel, says at least 2.
    - `halo`, where the default does not fit: half of the receptive field, which holds where it is centred on the pixel;
      all of it but one pixel where there is a grid, which always holds.

    Each is a plain class attribute, or a property where it depends on `settings`. Zeros that convolutions pad with do
    no harm to tiles: a border of a tile that is no border of the image lies in the halo, which is cut away.

    Its own `parameters` come before the standard ones (`STANDARD`), or in place of one of the same name where it wants
    another default. With `presets` it gets a parameter ``preset``, of which the first named is the default.

    `build` and every draw of a training (dropout) take torch's global generator, which is seeded for them and put back
    afterwards. Heavy imports belong into `build`, so that listing the methods stays quick.

    Examples
    --------
    >>> class Small(NetworkReconstructor):
    ...     name = "small"
    ...     summary = "two convolutions"
    ...     receptive_field = 3
    ...     parameters = {"width": Parameter(32, "filters", minimum=1)}
    ...
    ...     def build(self, bands):
    ...         from torch import nn
    ...
    ...         width = self.settings["width"]
    ...         return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, bands, 1))
    >>> Small(width=8, steps=50).settings["steps"], Small().halo
    (50, 1)
    """

    parameters: ClassVar[Mapping[str, Parameter]] = STANDARD
    trials: ClassVar[tuple[Settings, ...]] = ({"steps": 20, "batch": 2},)
    requires: ClassVar[tuple[str, ...]] = ("torch",)
    channels_last: ClassVar[bool] = True
    """How images lie in memory: quicker on a CPU, but `Tensor.view` and 3D convolutions may refuse it. With False they
    lie as shapes say."""
    version: ClassVar[int] = 1
    """Raise it when the network or its loss changes: no half-done training of another version is gone on with."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        declared = vars(cls).get("parameters", {})
        every: dict[str, Parameter] = {}
        for base in reversed(cls.__mro__):
            every.update(vars(base).get("parameters", {}))
        if vars(cls).get("presets") and "preset" not in declared:
            every["preset"] = Parameter(next(iter(cls.presets)), "a named set of values", tuple(cls.presets))
        ordered = sorted(every, key=lambda name: (name in STANDARD, name != "preset"))
        cls.parameters = {name: every[name] for name in ordered}
        cls.requires = tuple(dict.fromkeys(("torch", *cls.requires)))

    def __init__(self, **given: Value) -> None:
        super().__init__(**given)
        crop = int(self.settings["crop"])
        if crop % self.grid:
            raise UsageError(f"{self.name}[crop={crop}] must be a multiple of {self.grid}, the grid of its network")
        self.network_: nn.Module | None = None
        self.bands_ = 0
        self.seed_ = 0
        self._bytes = 0

    @abstractmethod
    def build(self, bands: int) -> "nn.Module":
        """Make the network with its first weights, drawn from torch's global generator.

        Parameters
        ----------
        bands
            Of the cubes.

        Returns
        -------
        A module from (n, 3, height, width) to (n, bands, height, width), both in [-1, 1]; it may leave the range.
        """

    def loss(self, estimate: "Tensor", reference: "Tensor") -> "Tensor":
        """What training makes small, one number; by default the mean absolute error.

        Parameters
        ----------
        estimate, reference
            (n, bands, height, width) float32, 1 for the largest value of a scene and -1 for 0. Invalid pixels of the
            reference are -1.
        """
        return (estimate - reference).abs().mean()

    def optimiser(self, network: "nn.Module") -> "torch.optim.Optimizer":
        """Make what takes the steps, at the full learning rate of each of its groups; by default Adam."""
        import torch

        learnt = [part for part in network.parameters() if part.requires_grad]
        return torch.optim.Adam(learnt, float(self.settings["learning_rate"]), fused=True)

    @property
    def halo(self) -> int:
        """Half the receptive field; with a grid all of it but one pixel, since there it does not lie centred."""
        reach = self.receptive_field or 1
        return reach // 2 if self.grid == 1 else reach - 1

    @property
    def bytes_per_pixel(self) -> int:
        """What lives at once in a pass of the fitted network, found with a small image; and image and cube twice."""
        if self.network_ is None:
            return super().bytes_per_pixel
        if not self._bytes:
            from specrec.network.footprint import living_bytes

            side = -(-64 // self.grid) * self.grid
            self._bytes = living_bytes(self._on_device(), side, last=self.channels_last) + 8 * (3 + self.bands_)
        return self._bytes

    def fit(self, scenes: Sequence[TrainingScene], context: FitContext) -> Self:
        """Train on random crops; see `Reconstructor.fit`."""
        from specrec.network.training import NetworkTraining
        from specrec.training.crops import Crops
        from specrec.training.loop import run
        from specrec.training.session import session

        settings = self.settings
        with session(context) as device:
            bands = scenes[0].shape[2]
            network = self._network(bands).to(device).train()
            crops = Crops(
                scenes,
                int(settings["crop"]),
                int(settings["batch"]),
                seed=context.seed,
                flips=bool(settings["flips"]),
                device=device,
                progress=context.progress,
            )
            training = NetworkTraining(self, network)
            network_id = f"{type(self).__module__}.{type(self).__qualname__} {self.version}"
            identity = {
                "network": network_id,
                "settings": dict(settings),
                "seed": context.seed,
                "scenes": crops.fingerprints,
            }
            self.history_ = run(training, crops, context, identity)
        self._take(network, bands, context.seed)
        self.device = context.device
        return self

    def reconstruct(self, rgb: Image) -> Cube:
        """Estimate the cube of a whole image in exact float32; see `Reconstructor.reconstruct`.

        Raises
        ------
        SpecrecError
            If the method is not fitted, or its network answers with another size.
        """
        from specrec.network.inference import reconstruct

        network = self._on_device()
        check_image(rgb)
        return reconstruct(network, rgb, self.grid, self.bands_, self.seed_, last=self.channels_last, name=self.name)

    def influence(self, rgb: Image, row: int, column: int) -> NDArray[np.float32] | None:
        """Differentiate the estimate at one place by the image; see `Reconstructor.influence`."""
        from specrec.network.inference import influence

        network = self._on_device()
        check_image(rgb)
        return influence(network, rgb, self.grid, (row, column), last=self.channels_last)

    def state(self) -> tuple[Arrays, dict[str, Any]]:
        """Return the weights and buffers of the network."""
        network = self._fitted()
        arrays = {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}
        return arrays, {"bands": self.bands_, "seed": self.seed_}

    @classmethod
    def from_state(cls, settings: Settings, arrays: Arrays, config: Mapping[str, Any]) -> Self:
        """Build the network again; ValueError if the weights are of another one."""
        import torch

        method = cls(**settings)
        bands = int(config["bands"])
        weights = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
        try:
            method._try_without_memory(weights, bands)
            with torch.random.fork_rng(devices=[]):  # the weights drawn here are replaced
                network = method._network(bands)
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(" ".join(line.strip() for line in str(error).splitlines()[:2])) from None
        method._take(network, bands, int(config["seed"]))
        return method

    def _try_without_memory(self, weights: "Mapping[str, torch.Tensor]", bands: int) -> None:
        """Raise RuntimeError where weights do not fit the network that is claimed, before memory is taken for it."""
        import torch

        try:
            with torch.device("meta"):
                network = self.build(bands)
        except Exception:  # one that cannot be built without memory is only built with it
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that nothing is copied
            network.load_state_dict(weights)

    @property
    def parameter_count(self) -> int:
        """How many numbers were learnt; running means, counters and frozen weights are not."""
        return sum(part.numel() for part in self._fitted().parameters() if part.requires_grad)

    def _network(self, bands: int) -> "nn.Module":
        import torch

        network = self.build(bands)
        if not isinstance(network, torch.nn.Module):
            kind = type(network).__name__
            raise SpecrecError(f"{self.name}: build must return a torch.nn.Module, and it returned a {kind}")
        if self.channels_last:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # its stub forgets this one
        return network

    def _take(self, network: "nn.Module", bands: int, seed: int) -> None:
        self.network_, self.bands_, self.seed_, self._bytes = network.eval(), bands, seed, 0

    def _fitted(self) -> "nn.Module":
        if self.network_ is None:
            raise SpecrecError(f"{self.name} is not fitted; call fit, or load weights")
        return self.network_

    def _on_device(self) -> "nn.Module":
        return self._fitted().to(self.device)
