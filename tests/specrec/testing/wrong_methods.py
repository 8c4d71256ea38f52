"""A small method that keeps every promise, and for each promise one that breaks it and no other."""

import os
import random
import sys
from dataclasses import replace
from typing import ClassVar

import numpy as np

from specrec.errors import UsageError
from specrec.interfaces import Reconstructor
from specrec.parameters import Parameter


class Right(Reconstructor):
    """A 3 x 3 mean of the image, times spectra learnt by least squares and a little noise."""

    name = "right"
    summary = "a mean of neighbours times learnt spectra"
    parameters: ClassVar = {
        "preset": Parameter("plain", "plain or bold", choices=("plain", "bold")),
        "noise": Parameter(0.01, "of the learnt spectra", minimum=0.0),
        "draws": Parameter(3, "how often noise is drawn", minimum=1),
    }
    presets: ClassVar = {"plain": {}, "bold": {"noise": 0.02}}
    reach = 1

    @property
    def receptive_field(self):
        return 2 * self.reach + 1

    @property
    def halo(self):
        return self.reach

    @property
    def bytes_per_pixel(self):
        return 600

    def fit(self, scenes, context):
        self.spectra_ = self.learn(scenes)
        rng = np.random.default_rng(context.seed)
        kept = self.taken_up(context)
        for draw in range(len(kept), self.settings["draws"]):
            kept.append(rng.normal(size=self.spectra_.shape) if not draw else kept[0] / (draw + 1))
            if context.checkpoint is not None:
                np.save(context.checkpoint.with_suffix(".npy"), kept)
                context.checkpoint.with_suffix(".npy").replace(context.checkpoint)
            context.progress((draw + 1) / self.settings["draws"], "drawing")
        self.spectra_ = self.spectra_ + self.settings["noise"] * np.sum(kept, axis=0)
        self.device = context.device
        return self

    def taken_up(self, context):
        there = context.checkpoint is not None and context.checkpoint.exists()
        return list(np.load(context.checkpoint)) if there else []

    def learn(self, scenes):
        images = np.concatenate([scene.rgb()[scene.mask] for scene in scenes]).astype(np.float64)
        spectra = np.concatenate([scene.cube()[scene.mask] for scene in scenes]).astype(np.float64)
        return np.linalg.lstsq(images, spectra, rcond=None)[0]

    def reconstruct(self, rgb):
        if not hasattr(self, "spectra_"):
            raise UsageError(f"{self.name} is not fitted; call fit or load weights first")
        seen = mean(np.ascontiguousarray(rgb, np.float32), self.reach)
        return sums(seen, self.spectra_.astype(np.float32))

    def state(self):
        if not hasattr(self, "spectra_"):
            raise UsageError(f"{self.name} is not fitted; there is nothing to save")
        return {"spectra": self.spectra_}, {}

    @classmethod
    def from_state(cls, settings, arrays, config):
        method = cls(**settings)
        method.spectra_ = arrays["spectra"]
        return method


def mean(image, reach):
    height, width = image.shape[:2]
    wide = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    total = np.zeros_like(image)
    for row in range(2 * reach + 1):
        for column in range(2 * reach + 1):
            total += wide[row : row + height, column : column + width]
    return total / np.float32((2 * reach + 1) ** 2)


def sums(image, spectra):
    return sum(image[..., channel : channel + 1] * spectra[channel] for channel in range(3))


class RightPixel(Right):
    """The same of single pixels, with an influence."""

    name = "right-pixel"
    reach = 0

    def influence(self, rgb, row, column):
        found = np.zeros(rgb.shape[:2], np.float32)
        found[row, column] = np.linalg.norm(self.spectra_)
        return found


class Unshown(Right):
    summary = "two\nlines"


class OutOfBounds(Right):
    parameters: ClassVar = {**Right.parameters, "odd": Parameter(7, "a number", maximum=6)}


class DeadPreset(Right):
    presets: ClassVar = {**Right.presets, "gone": {}}


class TakesAnything(Right):
    def __init__(self, **given):
        super().__init__(**{key: value for key, value in given.items() if key in self.parameters})


class Restless(Right):
    def __init__(self, **given):
        super().__init__(**given)
        self.settings["draws"] = self.settings["draws"] + 1


class HalfAPixel(Right):
    @property
    def grid(self):
        return 1.5


class Speechless(Right):
    def state(self):
        return {"spectra": self.spectra_}, {}


class CannotFit(Right):
    def learn(self, scenes):
        raise ZeroDivisionError("no luck")


class ReturnsNothing(Right):
    def fit(self, scenes, context):
        super().fit(scenes, context)


class EvenOnly(Right):
    def reconstruct(self, rgb):
        cube = super().reconstruct(rgb)
        return cube[: max(1, rgb.shape[0] // 2 * 2), : max(1, rgb.shape[1] // 2 * 2)]


class BandsFirst(Right):
    def reconstruct(self, rgb):
        return super().reconstruct(rgb).transpose(2, 0, 1)


class Wavering(Right):
    def reconstruct(self, rgb):
        cube = super().reconstruct(rgb)
        return cube + np.float32(random.random() / 100)


class Unseeded(Right):
    def learn(self, scenes):
        return super().learn(scenes) + np.random.random() / 10  # noqa: NPY002 - the mistake


class Remembers(Right):
    def learn(self, scenes):
        self.before_ = getattr(self, "before_", 0.0) + super().learn(scenes)
        return self.before_


class Reseeds(Right):
    def learn(self, scenes):
        np.random.seed(0)  # noqa: NPY002 - the mistake
        return super().learn(scenes)


class FallsBack(Right):
    def fit(self, scenes, context):
        super().fit(scenes, context)
        context.progress(0.1, "still here")
        return self


class Elsewhere(Right):
    def fit(self, scenes, context):
        super().fit(scenes, context)
        self.device = "cuda:7"
        return self


class BeginsHalf(Right):
    def taken_up(self, context):
        return [2 * kept for kept in super().taken_up(context)]


class Double(Right):
    def reconstruct(self, rgb):
        return super().reconstruct(rgb).astype(np.float64)


class DividesByBlack(Right):
    def reconstruct(self, rgb):
        cube = super().reconstruct(rgb)
        with np.errstate(all="ignore"):
            return cube * (rgb.sum(axis=2, keepdims=True) / rgb.sum(axis=2, keepdims=True))


class Reversed(Right):
    def reconstruct(self, rgb):
        return super().reconstruct(rgb)[..., ::-1].copy()


class Blind(Right):
    def reconstruct(self, rgb):
        return super().reconstruct(np.full_like(rgb, 0.5))


class Scribbles(Right):
    def reconstruct(self, rgb):
        cube = super().reconstruct(rgb)
        rgb[0, 0] = 0.0
        return cube


class OneBuffer(Right):
    def reconstruct(self, rgb):
        cube = super().reconstruct(rgb)
        if getattr(self, "_buffer", np.empty(0)).shape != cube.shape:
            self._buffer = np.empty_like(cube)
        self._buffer[:] = cube
        return self._buffer


class LastImage(Right):
    def learn(self, scenes):
        self._kept = None
        return super().learn(scenes)

    def reconstruct(self, rgb):
        kept = getattr(self, "_kept", None)
        if kept is None or not np.array_equal(kept[0], rgb):
            self._kept = kept = (rgb.copy(), super().reconstruct(rgb))
        return kept[1]


class ReadsRaw(Right):
    def reconstruct(self, rgb):
        return super().reconstruct(rgb.ravel(order="K").reshape(rgb.shape))


class CountsThreads(Right):
    def reconstruct(self, rgb):
        return super().reconstruct(rgb) * np.float32(1 + self.threads / 1000)


class SeesMore(Right):
    reach = 2

    @property
    def receptive_field(self):
        return 2


class ShortHalo(Right):
    reach = 2

    @property
    def halo(self):
        return 1


class Neighbourly(RightPixel):
    def reconstruct(self, rgb):
        return super().reconstruct(rgb) + np.float32(1e-6) * rgb[-1:, -1:, :1]


class Touchy(RightPixel):
    def influence(self, rgb, row, column):
        return -super().influence(rgb, row, column)


class Farsighted(RightPixel):
    def influence(self, rgb, row, column):
        return super().influence(rgb, row, column) + np.float32(1.0)


class Rounds(Right):
    def state(self):
        return {"spectra": super().state()[0]["spectra"].astype(np.float16)}, {}


class Unsaved(Right):
    def state(self):
        return super().state()[0], {"spectra": {1, 2}}


class OfThisProcess(Right):
    def learn(self, scenes):
        return super().learn(scenes) + os.getpid() % 997 / 9970


class InTheClass(Right):
    factor: ClassVar[float] = 1.0

    def learn(self, scenes):
        type(self).factor = 2.0
        return super().learn(scenes)

    def reconstruct(self, rgb):
        return self.factor * super().reconstruct(rgb)


class Greedy(Right):
    @property
    def bytes_per_pixel(self):
        return 150


class Keeps(Right):
    def reconstruct(self, rgb):
        cube = super().reconstruct(rgb)
        self.__dict__.setdefault("_all", []).append(cube)
        return cube.copy()


class Dies(Right):
    def reconstruct(self, rgb):
        if rgb.shape[0] > 300:
            os.kill(os.getpid(), 11)
        return super().reconstruct(rgb)


class Upended(Right):
    reach = 0

    @property
    def receptive_field(self):
        return None

    def reconstruct(self, rgb):
        return super().reconstruct(rgb)[::-1].copy()


class Turned(Upended):
    def reconstruct(self, rgb):
        cube = Right.reconstruct(self, rgb)
        square = min(cube.shape[:2])
        cube[:square, :square] = cube[:square, :square].swapaxes(0, 1).copy()
        return cube


class Mirrored(Upended):
    def reconstruct(self, rgb):
        return Right.reconstruct(self, rgb)[:, ::-1].copy()


class Shifted(Right):
    def reconstruct(self, rgb):
        return np.roll(super().reconstruct(rgb), 1, axis=2)


class Swapped(RightPixel):
    """Learns a cubic, well enough for the change of channels to be seen."""

    def learn(self, scenes):
        images = np.concatenate([scene.rgb()[scene.mask] for scene in scenes])
        spectra = np.concatenate([scene.cube()[scene.mask] for scene in scenes])
        return np.linalg.lstsq(cubic(images.astype(np.float64)), spectra, rcond=None)[0]

    def reconstruct(self, rgb):
        if not hasattr(self, "spectra_"):
            raise UsageError(f"{self.name} is not fitted")
        terms = cubic(np.ascontiguousarray(rgb[..., ::-1]))
        return sum(terms[..., i : i + 1] * self.spectra_[i] for i in range(terms.shape[-1])).astype(np.float32)


def cubic(image):
    r, g, b = np.moveaxis(image, -1, 0)
    powers = (1, r, g, b, r * r, g * g, b * b, r * g, g * b, r * b, r**3, g**3, b**3, r * g * b)
    return np.stack([one * np.ones_like(r) for one in powers], axis=-1)


class FreeOfCharge(Right):
    @property
    def operations(self):
        return 0


class OnBytes(Right):
    def reconstruct(self, rgb):
        return super().reconstruct(rgb) * np.float32(255)


class OnBothSides(Right):
    def reconstruct(self, rgb):
        return super().reconstruct(rgb) * 2 - 1


class ChangesSettings(Right):
    def learn(self, scenes):
        self.settings["draws"] = min(self.settings["draws"], 2)
        return super().learn(scenes)


class NeverDone(Right):
    def fit(self, scenes, context):
        return super().fit(scenes, replace(context, progress=lambda done, words: context.progress(done / 2, words)))


class Leaves(Right):
    def learn(self, scenes):
        sys.exit("no licence")


class Smooths(Right):
    """Leans on the image of that size that it saw before."""

    def reconstruct(self, rgb):
        last = self.__dict__.setdefault("_last", {})
        cube = super().reconstruct(rgb)
        before = last.get(rgb.shape, cube)
        last[rgb.shape] = cube
        return np.float32(0.9) * cube + np.float32(0.1) * before
