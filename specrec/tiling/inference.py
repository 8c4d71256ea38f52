"""Estimating an image whole or tile by tile; where memory runs out, in smaller tiles."""

import logging
import sys
from collections.abc import Callable, Iterator

import numpy as np

from specrec.errors import STOPS, PluginError, SpecrecError, UsageError, in_a_line
from specrec.interfaces import Progress, Reconstructor, silent
from specrec.memory import available_memory, is_out_of_memory
from specrec.scenes import Image, Window
from specrec.spectra import Cube
from specrec.tiling.plan import Tiles, fitting, parse_tiles, seen, split, worthwhile
from specrec.tiling.seams import SeamCost

MOST_MEMORY = 4 << 30
"""Bytes that `auto` works with at most, so that the need does not grow with the image."""

_STREAMED = 1 << 20  # pixels per tile of a method without a halo, where tiles cost nothing
_LOG = logging.getLogger("specrec.tiling")


def reconstruct(method: Reconstructor, rgb: Image, tiles: str = "auto") -> Cube:
    """Estimate the cube of an image in memory; where it is whole, this is ``method.reconstruct(rgb)``.

    Parameters
    ----------
    method
        Fitted.
    rgb
        (height, width, 3), as `Reconstructor.reconstruct` takes it.
    tiles
        The mode.

    Raises
    ------
    UsageError
        For an unknown mode, or tiles of a method that gives something else in tiles.
    SpecrecError
        If memory does not suffice for the smallest tiles.
    """
    height, width = rgb.shape[:2]
    cube: Cube | None = None
    for core, estimate in stream(method, lambda window: rgb[window.slices], (height, width), tiles, whole=True):
        if core.height * core.width == height * width:
            return estimate
        if cube is None:
            cube = np.empty((height, width, estimate.shape[2]), estimate.dtype)
        cube[core.slices] = estimate
    if cube is None:
        raise ValueError(f"an image has the shape (height, width, 3), this one {rgb.shape}")
    return cube


def stream(
    method: Reconstructor,
    read: Callable[[Window], Image],
    shape: tuple[int, int],
    tiles: str = "auto",
    *,
    cost: SeamCost | None = None,
    progress: Progress = silent,
    whole: bool = False,
    share: int = 1,
) -> Iterator[tuple[Window, Cube]]:
    """Estimate an image tile by tile, so that neither it nor its cube is ever whole in memory.

    Parameters
    ----------
    method
        Fitted.
    read
        Gives a window of the image, as `Reconstructor.reconstruct` takes it.
    shape
        (height, width) of the image.
    tiles
        The mode.
    cost
        With separate tiles: filled with how far they are from the exact estimate, which takes as long again.
    progress
        Called after each tile with the fraction done.
    whole
        Whether to keep to whole images also where small tiles would cost nothing.
    share
        How many such streams run at once and share the memory.

    Yields
    ------
    Tiles that cover the image, and their cubes.

    Raises
    ------
    UsageError, SpecrecError
        As in `reconstruct`.
    """
    chosen = parse_tiles(tiles)
    if chosen.mode in ("exact", "separate") and not method.tiles_exactly:
        raise UsageError(f"{method.name} as it is set gives another estimate in tiles; use --tiles whole")
    image = Window(0, 0, *shape)
    exact = _Exact(method, read, shape, chosen, keep_whole=whole, share=share)
    done = 0
    for core, cube in exact.estimates(image) if chosen.mode != "separate" else _separate(exact, chosen.size, cost):
        yield core, cube
        done += core.height * core.width
        progress(done / (shape[0] * shape[1]), f"{done / 1e6:.1f} megapixels")


class _Exact:
    """Estimates regions as in the whole image, in tiles that shrink when memory runs out."""

    def __init__(
        self,
        method: Reconstructor,
        read: Callable[[Window], Image],
        shape: tuple[int, int],
        tiles: Tiles,
        *,
        keep_whole: bool,
        share: int,
    ) -> None:
        self.method, self.read, self.shape = method, read, shape
        self.shrinks = tiles.mode != "whole" and method.tiles_exactly
        if tiles.mode == "exact":
            self.tile = (min(shape[0], tiles.size), min(shape[1], tiles.size))
        elif not self.shrinks:
            self.tile = shape
        else:
            room = min(MOST_MEMORY, available_memory(method.device) // 2) // share // method.bytes_per_pixel
            if not keep_whole:
                room = min(room, _STREAMED) if method.halo == 0 else worthwhile(method, room)
            self.tile = fitting(method, shape, room)

    def estimates(self, region: Window) -> Iterator[tuple[Window, Cube]]:
        todo = [region]
        while todo:
            core = todo.pop()
            if core.height > self.tile[0] or core.width > self.tile[1]:
                todo.extend(reversed(list(split(core, *self.tile))))
                continue
            cube = self._core(core)
            if cube is not None:
                yield core, cube
            else:
                self._shrink()
                todo.append(core)

    def _core(self, core: Window) -> Cube | None:
        window = seen(core, self.shape, self.method.grid, self.method.halo) if self.shrinks else core
        top, left = core.top - window.top, core.left - window.left
        cube = self.attempt(window)
        return None if cube is None else cube[top : top + core.height, left : left + core.width]

    def attempt(self, window: Window) -> Cube | None:
        """Estimate a window as an image of its own; None if memory ran out."""
        try:
            cube: Cube = self.method.reconstruct(self.read(window))
        except STOPS:
            raise
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        except BaseException as error:  # a plugin may even end the program
            raise PluginError(f"{self.method.name} failed: {in_a_line(error)}") from error
        else:
            if not isinstance(cube, np.ndarray) or cube.ndim != 3:
                what = f"an array of shape {cube.shape}" if isinstance(cube, np.ndarray) else type(cube).__name__
                raise SpecrecError(f"{self.method.name} answered with {what}, not a NumPy array (height, width, bands)")
            if window[2:] != self.shape and cube.shape[:2] != window[2:]:
                raise SpecrecError(
                    f"{self.method.name} answered {_size(window[2:])} pixels with a cube of {cube.shape}"
                )
            return cube
        # only here, where the traceback no longer holds them, do the arrays of the attempt go
        if self.method.device.startswith("cuda"):
            sys.modules["torch"].cuda.empty_cache()
        return None

    def _shrink(self) -> None:
        grid, before = self.method.grid, self.tile
        if not self.shrinks:
            way_out = "use --tiles auto" if self.method.tiles_exactly else "it cannot be tiled, so use a smaller image"
            raise SpecrecError(f"{self.method.name} ran out of memory on {_size(before)} pixels at once; {way_out}")
        longer = 0 if before[0] >= before[1] else 1
        half = max(grid, before[longer] // 2 // grid * grid)
        if half >= before[longer]:
            raise SpecrecError(
                f"{self.method.name} ran out of memory even on a tile of {_size(before)} pixels; "
                "end other programs, or use a smaller net or another device"
            )
        self.tile = (half, before[1]) if longer == 0 else (before[0], half)
        _LOG.warning("%s ran out of memory; going on in tiles of %s pixels", self.method.name, _size(self.tile))


def _separate(exact: _Exact, size: int, cost: SeamCost | None) -> Iterator[tuple[Window, Cube]]:
    for core in split(Window(0, 0, *exact.shape), size, size):
        cube = exact.attempt(core)
        if cube is None:
            raise SpecrecError(
                f"{exact.method.name} ran out of memory on a separate tile of {size} pixels; use smaller ones"
            )
        if cost is not None:
            for part, estimate in exact.estimates(core):
                top, left = part.top - core.top, part.left - core.left
                cost.add(part, cube[top : top + part.height, left : left + part.width], estimate)
        yield core, cube


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]}"
