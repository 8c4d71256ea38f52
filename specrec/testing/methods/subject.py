"""The method under test, as it is set: fitted when that is first needed, and once for all checks."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from specrec.interfaces import FitContext, Progress, Reconstructor, silent
from specrec.parameters import Settings, Value
from specrec.scenes import Image, TrainingScene
from specrec.spectra import Cube
from specrec.testing.checks import RAISED, NotConforming
from specrec.testing.methods.process_state import differing, process_state, put_back
from specrec.testing.promise import Outcome
from specrec.testing.small_scenes import first_scenes, noise, second_scenes

SEED = 3
"""Of every fit."""


@dataclass(frozen=True)
class Fit:
    """The method after a fit, and what was seen of the fit."""

    method: Reconstructor
    returned: object
    told: list[float] = field(default_factory=list)
    kept_a_checkpoint: bool = False
    settings: dict[str, Value] = field(default_factory=dict)
    """Of the method before the fit."""
    changed: tuple[str, ...] = ()
    """What of the process the fit changed."""


class Subject:
    """A method with settings.

    Parameters
    ----------
    method
        The class.
    settings
        As in its `trials`.
    """

    def __init__(self, method: type[Reconstructor], settings: Settings) -> None:
        self.method = method
        self.settings = dict(settings)
        self.outcomes: dict[str, Outcome] = {}
        self.again: Any = None  # what the promises of `fit` keep of a second fit
        self.report: Any = None  # and those of a process of its own, of that process
        self._fitted: Fit | Exception | SystemExit | None = None

    @property
    def name(self) -> str:
        """As one types it: ``grey[steps=4]``."""
        inside = ",".join(f"{key}={_typed(value)}" for key, value in self.settings.items())
        return f"{self.method.name}[{inside}]" if inside else str(self.method.name)

    def build(self) -> Reconstructor:
        """Build the method, not fitted."""
        return self.method(**self.settings)

    @cached_property
    def first(self) -> list[TrainingScene]:
        """The scenes of the first fit."""
        return first_scenes(self.build().input)

    @cached_property
    def second(self) -> list[TrainingScene]:
        """Other scenes."""
        return second_scenes(self.build().input)

    def noise(self, height: int, width: int, seed: int = 1) -> Image:
        """An image of random pixels of the kind that the method takes."""
        return noise(height, width, self.build().input, seed)

    @property
    def fitted(self) -> Fit:
        """The method fitted to the first scenes; where that failed, the same error each time."""
        if self._fitted is None:
            try:
                self._fitted = self._fit_first()
            except RAISED as error:  # a plugin may raise anything
                self._fitted = error
        if isinstance(self._fitted, RAISED):
            raise self._fitted
        return self._fitted

    def _fit_first(self) -> Fit:
        method, told, kept = self.build(), list[float](), [False]
        with TemporaryDirectory() as folder, checkpoints_at_once():
            path = Path(folder) / "checkpoint.safetensors"

            def hear(done: float, _words: str) -> None:
                told.append(done)
                kept[0] = kept[0] or (done < 1 and path.exists())

            for needed in method.requires:  # so that what importing does is not charged to the fit
                import_module(needed)
            scenes, settings = self.first, dict(method.settings)
            with put_back(1):
                before = process_state()
                returned = method.fit(scenes, context(hear, path))
                changed = differing(before, process_state())
        return Fit(method, returned, told, kept[0], settings, changed)

    @cached_property
    def image(self) -> Image:
        """A small image that many checks look at; `cube_of` gives the method a copy."""
        return self.noise(17, 23)

    @cached_property
    def cube(self) -> Cube:
        """The cube of `image` by the fitted method."""
        return self.cube_of(self.image)

    @property
    def bands(self) -> int:
        """How many a cube must have."""
        return self.first[0].shape[2]

    def cube_of(self, image: Image, method: Reconstructor | None = None, where: str = "") -> Cube:
        """Reconstruct a copy of an image, and return a copy of the cube, whatever else the method does with both.

        Raises
        ------
        NotConforming
            If the method raises or does not answer with a cube of this size.
        """
        size = f"an image of {image.shape[0]} x {image.shape[1]} pixels{where}"
        answering = self.fitted.method if method is None else method
        try:
            cube = answering.reconstruct(image.copy())
        except RAISED as error:  # a plugin may raise anything
            raise NotConforming(f"reconstruct of {size} raised {said(error)}; {_any_size(answering)}") from error
        wanted = (*image.shape[:2], self.bands)
        if not isinstance(cube, np.ndarray) or cube.shape != wanted or cube.dtype.kind not in "fiub":
            found = f"{cube.dtype} of the shape {cube.shape}" if isinstance(cube, np.ndarray) else type(cube).__name__
            raise NotConforming(
                f"reconstruct of {size} gave {found}; return an array (height, width, bands), here {wanted}"
            )
        return cube.copy()


def _any_size(method: Reconstructor) -> str:
    """Say what to change where an image of some size is refused."""
    way_out = "it must take any such image"
    if "torch" not in method.requires:
        return way_out
    return (
        f"{way_out}: declare grid = the product of its strides; grid = 2 also keeps normalisation and reflect padding"
        " from seeing a single pixel"
    )


def context(progress: Progress = silent, checkpoint: Path | None = None) -> FitContext:
    """What every fit of the suite is given."""
    return FitContext(seed=SEED, progress=progress, checkpoint=checkpoint)


@contextmanager
def checkpoints_at_once() -> Iterator[None]:
    """Let a training on `specrec.training` keep its first checkpoint after its first update."""
    before = os.environ.get("SPECREC_CHECKPOINT_SECONDS")
    os.environ["SPECREC_CHECKPOINT_SECONDS"] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ["SPECREC_CHECKPOINT_SECONDS"]
        else:
            os.environ["SPECREC_CHECKPOINT_SECONDS"] = before


def said(error: BaseException) -> str:
    """Name an error in one line: its type and the first line of what it says."""
    words = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def difference(found: Cube, wanted: Cube) -> float:
    """Return the largest difference of two cubes of one shape; NaN equals NaN, and only NaN."""
    nan = np.isnan(found), np.isnan(wanted)
    if (nan[0] != nan[1]).any():
        return float("inf")
    apart = np.abs(found.astype(np.float64) - wanted)
    return float(np.where(nan[0] | (found == wanted), 0.0, apart).max(initial=0.0))


def _typed(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
