"""Base of the methods that see one colour at a time, and the training pixels they learn from.

The base walks an image in blocks, spreads them over threads and codes the distinct colours of an 8-bit image once: a
photograph has about four pixels of each colour. None of it shows in the numbers, because a method answers for each
colour alone and every block is computed by kernels of one thread.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.interfaces import Reconstructor
from specrec.scenes import Image, TrainingScene, check_image
from specrec.spectra import Cube
from specrec.threads import each, library_threads

Rows = NDArray[np.float32]
"""Float32, one pixel per row: (n, 3) colours or (n, bands) spectra."""

BLOCK = 1 << 16
"""Pixels per block: 31 bands of them are 8 MB."""

_PIXELS_PER_COLOUR = 1.5  # below, looking colours up costs more than it saves


class PerPixelReconstructor(Reconstructor):
    """A method whose spectrum of a pixel depends on the colour of that pixel alone.

    A subclass writes `reconstruct_colours` beside `fit`, `state` and `from_state`; with `threads` above 1 it is called
    from so many threads at once. Row i of its answer must depend on row i alone, to the last bit: neither on the other
    rows nor on how many there are. A matrix product of a BLAS does not promise that, since it may pick another kernel
    for another number of rows; a method that uses one sets `whole_blocks`, or adds up its few products itself.
    """

    block: ClassVar[int] = BLOCK
    """At most this many colours in one call."""
    whole_blocks: ClassVar[bool] = False
    """Whether every call gets exactly `block` colours, the last ones of an image being repeated to fill it."""

    @property
    def receptive_field(self) -> int:
        """One pixel."""
        return 1

    @property
    def bytes_per_pixel(self) -> int:
        """The cube of 31 bands, up to two thirds of it once more for the distinct colours, and the image."""
        return 256

    @abstractmethod
    def reconstruct_colours(self, colours: Rows) -> Rows:
        """Estimate the spectra (n, bands), float32, of `colours` (n, 3), float32, of the kind `input` names."""

    def reconstruct(self, rgb: Image) -> Cube:
        """Estimate the cube of an image, distinct colours once where that pays.

        Raises
        ------
        ValueError
            If `rgb` is not (height, width, 3) of finite floating-point numbers.
        UsageError
            If the method is not fitted.
        """
        from specrec.distinct import distinct_colours

        self.check_fitted()
        image = np.asarray(rgb)
        check_image(image)
        colours = np.ascontiguousarray(image, dtype=np.float32).reshape(-1, 3)
        workers = self.threads if self.device == "cpu" else 1
        found = distinct_colours(colours, _PIXELS_PER_COLOUR) if self.input == "srgb8" else None
        # a product's rounding may change with the threads of the BLAS, and nothing else does with one thread
        with library_threads(1) if workers > 1 or self.whole_blocks else nullcontext():
            if found is None:
                spectra = self._in_blocks(colours, workers)
            else:
                distinct, places = found
                spectra = _spread(self._in_blocks(distinct, workers), places, workers)
        return spectra.reshape(*image.shape[:2], -1)

    def _in_blocks(self, colours: Rows, workers: int) -> Rows:
        def answer(start: int) -> Rows:
            rows = colours[start : start + self.block]
            count = len(rows)
            if self.whole_blocks and count < self.block:
                rows = np.concatenate([rows, np.repeat(rows[-1:], self.block - count, axis=0)])
            return self.reconstruct_colours(rows)[:count]

        first = answer(0)  # it tells the number of bands, and compiles what there is to compile
        spectra = np.empty((len(colours), first.shape[1]), dtype=np.float32)
        spectra[: self.block] = first

        def fill(start: int) -> None:
            spectra[start : start + self.block] = answer(start)

        each(fill, range(self.block, len(colours), self.block), workers)
        return spectra


def _spread(spectra: Rows, places: NDArray[np.int32], workers: int) -> Rows:
    """Give every pixel the spectrum of its colour."""
    cube = np.empty((len(places), spectra.shape[1]), dtype=np.float32)

    def fill(start: int) -> None:
        part = slice(start, start + BLOCK)
        np.take(spectra, places[part], axis=0, out=cube[part], mode="clip")  # any other mode writes a copy first

    each(fill, range(0, len(places), BLOCK), workers)
    return cube


def all_valid_pixels(scene: TrainingScene, block: int = BLOCK) -> Iterator[tuple[Rows, Rows]]:
    """Yield every valid pixel of a scene, row by row of the image and in blocks.

    Parameters
    ----------
    scene
        Read once, as a whole.
    block
        About how many pixels at a time; whole rows of the image.

    Yields
    ------
    The input of the method (n, 3) and the scaled spectra (n, bands), both float32.
    """
    cube, mask = scene.cube(), scene.mask
    rows = max(1, block // mask.shape[1])
    for top in range(0, mask.shape[0], rows):
        spectra = cube[top : top + rows][mask[top : top + rows]]
        if len(spectra):
            yield scene.rgb_of(spectra), spectra


def sample_pixels(scenes: Iterable[TrainingScene], per_scene: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Draw valid pixels of every scene at random, each at most once.

    Parameters
    ----------
    scenes
        Read one after the other, each once.
    per_scene
        How many of each; all of a scene that has no more.
    rng
        The only source of randomness.

    Returns
    -------
    The input of the method (n, 3) and the scaled spectra (n, bands), both float32, scene after scene.

    Raises
    ------
    DataError
        If there are no scenes, or one has no valid pixel.
    """
    colours, sampled = [], []
    for scene in scenes:
        valid = np.flatnonzero(scene.mask)
        if valid.size == 0:
            raise DataError(f"{scene.name}: no pixel of the scene is valid")
        chosen = rng.choice(valid, size=min(per_scene, valid.size), replace=False)
        row, column = np.divmod(chosen, scene.shape[1])
        spectra = scene.cube()[row, column]
        colours.append(scene.rgb_of(spectra))
        sampled.append(spectra)
    if not sampled:
        raise DataError("there are no scenes to draw training pixels from")
    return np.concatenate(colours), np.concatenate(sampled)
