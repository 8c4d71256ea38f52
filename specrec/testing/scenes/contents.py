"""What a data set promises of the numbers of its scenes: when they are read, what they are, and that they stay."""

import math
import mmap
import time
from functools import partial

import numpy as np
from numpy.typing import NDArray

from specrec.interfaces import SceneSource
from specrec.scenes import Scene, Window, content_hash
from specrec.spectra import Cube, describe_grid
from specrec.testing.checks import NotApplicable, NotConforming
from specrec.testing.scenes.held_arrays import most_held, peak_bytes
from specrec.testing.scenes.reopening import content_elsewhere
from specrec.testing.scenes.trial import Trial, asked, opened, read

TELLING_VALUES = 1_000_000
"""What opening takes in memory is measured for cubes of so many values; below, it drowns in everything else."""
_NM = (100.0, 20000.0)
_READ_LATER = (
    "pass Scene(read=...) a function that opens the file when it is called, such as functools.partial(_read, path)"
)


def lazy(trial: Trial) -> str:
    """Hold that an opened scene holds no cube, and that opening one takes no memory for it."""
    opened(trial.fresh(), trial.samples[0])  # what is imported at the first time is not counted
    name = trial.samples[-1]
    source = trial.fresh()
    source.names()
    start = time.perf_counter()
    scene = opened(source, name)
    seconds = time.perf_counter() - start
    values = math.prod(scene.shape)
    held = most_held(scene.read)
    if held >= values / 2:
        raise NotConforming(
            f"{name!r} is opened with an array of {held} numbers at hand, and its cube has {values}; {_READ_LATER}"
        )
    if values >= TELLING_VALUES:
        other = trial.fresh()
        other.names()
        peak = peak_bytes(partial(opened, other, name))
        if peak >= values:
            raise NotConforming(
                f"opening {name!r} takes {peak / 1e6:.1f} MB, its cube {values * 4 / 1e6:.1f} MB; read the header"
                f" alone, and {_READ_LATER}"
            )
    return f"{seconds:.2g} s"


def described(trial: Trial) -> str:
    """Hold that name, shape, quantity and provenance are said."""
    for name in trial.samples:
        scene = opened(trial.fresh(), name)
        if scene.name != name:
            raise NotConforming(f"open({name!r}) gives a scene called {scene.name!r}; pass Scene(name=name)")
        shape = scene.shape
        if not isinstance(shape, tuple) or len(shape) != 3 or not all(isinstance(n, int) and n > 0 for n in shape):
            raise NotConforming(f"the shape of {name!r} is {shape!r}; give three ints from 1, (height, width, bands)")
        if scene.quantity not in ("radiance", "reflectance"):
            raise NotConforming(f"the quantity of {name!r} is {scene.quantity!r}; it is 'radiance' or 'reflectance'")
        if not isinstance(scene.provenance, str) or not scene.provenance.strip():
            raise NotConforming(
                f"the provenance of {name!r} is {scene.provenance!r}; say the file, str(path), or the recipe it is made"
                " by"
            )
    return ""


def wavelengths(trial: Trial) -> str:
    """Hold that there is one wavelength per band, strictly increasing, in nanometres."""
    grids = []
    for name in trial.samples:
        scene = opened(trial.fresh(), name)
        grid = scene.wavelengths
        if not isinstance(grid, np.ndarray) or grid.dtype != np.float64 or grid.ndim != 1:
            raise NotConforming(
                f"the wavelengths of {name!r} are {_kind(grid)}; give np.array([...], dtype=np.float64), one per band"
            )
        if grid.size != scene.shape[2]:
            raise NotConforming(
                f"{name!r} has {grid.size} wavelengths and the shape {scene.shape}; give one for each band, bands last"
            )
        if not np.isfinite(grid).all() or not (np.diff(grid) > 0).all():
            raise NotConforming(
                f"the wavelengths of {name!r} do not increase from band to band; sort them, and the bands with them"
                " (order = np.argsort(wavelengths))"
            )
        if grid[0] < _NM[0] or grid[-1] > _NM[1]:
            raise NotConforming(
                f"the wavelengths of {name!r} go from {grid[0]:g} to {grid[-1]:g}, which are no nanometres; multiply um"
                " by 1000, divide angstrom by 10"
            )
        grids.append(describe_grid(grid))
    return "; ".join(sorted(set(grids)))


def cubes(trial: Trial) -> str:
    """Hold the type, shape and finiteness of cubes, that they vary, and that what is known of them beforehand is so."""
    seconds, megapixels, negative = 0.0, 0.0, False
    for name in trial.samples:
        scene = opened(trial.fresh(), name)
        start = time.perf_counter()
        cube = read(scene)
        seconds += time.perf_counter() - start
        if not isinstance(cube, np.ndarray) or cube.dtype != np.float32:
            raise NotConforming(f"the cube of {name!r} is {_kind(cube)}; end with .astype(np.float32)")
        if cube.shape != scene.shape:
            raise NotConforming(
                f"the cube of {name!r} has shape {cube.shape}, and the scene says {scene.shape}; both are (height,"
                " width, bands), bands last: np.moveaxis(cube, 0, -1) where they come first"
            )
        mask = _mask(scene)
        valid = (
            cube[mask] if _fits(mask, scene) else cube[np.isfinite(cube)]
        )  # what is wrong with a mask is said by `masks`
        if not np.isfinite(valid).all():
            raise NotConforming(
                f"{name!r} holds NaN or infinity at valid pixels; leave these out by Scene(read_mask=...)"
            )
        if valid.size == 0:
            continue
        if not valid.max() > valid.min():
            raise NotConforming(
                f"every valid value of {name!r} is {valid.min():g}, which cannot be scaled to 0..1; check the reader,"
                " or leave the scene out of names()"
            )
        if scene.known_extent not in (None, (float(valid.min()), float(valid.max()))):
            raise NotConforming(f"known_extent of {name!r} is {scene.known_extent}, which it is not; leave it out")
        if scene.content not in ("", content_hash(cube, mask)):
            raise NotConforming(f"content of {name!r} is not the hash of its cube and mask; leave it out")
        negative |= bool((valid < 0).any())
        megapixels += cube.shape[0] * cube.shape[1] / 1e6
    return f"{seconds / max(megapixels, 1e-6):.2g} s per megapixel" + (", some values are negative" if negative else "")


def masks(trial: Trial) -> str:
    """Hold that a mask is bool, of the image's size, and not empty."""
    shares = []
    for name in trial.samples:
        scene = opened(trial.fresh(), name)
        mask = _mask(scene)
        if not _fits(mask, scene):
            raise NotConforming(
                f"the mask of {name!r} is {_kind(mask)} and its image {scene.shape[:2]}; give bool, one per pixel,"
                " True where it is valid: (cube > 0).any(axis=2)"
            )
        if not mask.any():
            raise NotConforming(
                f"the mask of {name!r} has no valid pixel; True stands for valid, or leave the scene out of names()"
            )
        shares.append(float(mask.mean()))
    return f"{min(shares):.0%} to {max(shares):.0%} of the pixels are valid"


def windows(trial: Trial) -> str:
    """Hold that windows, down to one pixel and along the borders, equal their part of the whole cube."""
    scene = opened(trial.fresh(), trial.samples[0])
    whole = read(scene)
    for window in _some_windows(*scene.shape[:2]):
        remedy = "give the rows and columns of window.slices: cube[window.slices]"
        part = asked(f"reading {window} of {scene.name!r}", partial(scene.cube, window), remedy)
        if not _equal(part, whole[window.slices]):
            raise NotConforming(
                f"{window} of {scene.name!r} gives {_kind(part)}, which is not that part of the whole cube; {remedy}"
            )
    return ""


def readings(trial: Trial) -> str:
    """Hold that a scene reads the same again, also after somebody has written into what it gave before."""
    source, name = trial.fresh(), trial.samples[0]
    scene = opened(source, name)
    given = read(scene)
    before = _hash(given)  # not a copy: a scene may be large
    if given.flags.writeable:
        if _lies_in_a_file(given):
            raise NotConforming(
                f"the cube of {name!r} is the file itself, and who writes into it changes the data; map the file with"
                " mode='r', or give a copy (np.array(...))"
            )
        given[...] = -1.0
    del given
    for words, again in (
        ("again", scene),
        ("opened again", opened(source, name)),
        ("anew", opened(trial.fresh(), name)),
    ):
        if _hash(read(again)) != before:
            raise NotConforming(
                f"{name!r}, read {words}, is not what it was; give a copy (.copy()) of what is kept in memory, and"
                " seed what is drawn by the name of the scene"
            )
    return ""


def another_process(trial: Trial) -> str:
    """Hold that a process of its own, which only knows the class, the options and the name, reads the same."""
    cls, name = trial.source, trial.samples[-1]
    if "<locals>" in cls.__qualname__ or cls.__module__ == "__main__":
        raise NotApplicable(f"{cls.__qualname__} is defined where another process cannot import it")
    here = content(trial.fresh(), name)
    there = content_elsewhere(cls, trial.folder, trial.settings, name)
    if there != here:
        raise NotConforming(
            f"{name!r} is other numbers in another process; derive them from the file or the options alone: no hash()"
            " of a word, no clock, no state of the process"
        )
    return ""


def content(source: SceneSource, name: str) -> str:
    """Hash the cube and the mask of a scene."""
    scene = opened(source, name)
    return content_hash(read(scene), _mask(scene))


def _mask(scene: Scene) -> NDArray[np.bool_]:
    return asked(f"the mask of {scene.name!r}", lambda: scene.mask, "let read_mask() give (height, width) bool")


def _hash(cube: Cube) -> str:
    return content_hash(cube, np.ones(cube.shape[:2], dtype=np.bool_))


def _fits(mask: object, scene: Scene) -> bool:
    return isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == scene.shape[:2]


def _some_windows(height: int, width: int) -> list[Window]:
    rng = np.random.default_rng(0)
    found = [
        Window(0, 0, 1, 1),
        Window(height - 1, width - 1, 1, 1),
        Window(0, width - 1, height, 1),
        Window(height - 1, 0, 1, width),
        Window(0, 0, height, width),
    ]
    for _ in range(4):
        top, left = int(rng.integers(height)), int(rng.integers(width))
        found.append(Window(top, left, int(rng.integers(1, height - top + 1)), int(rng.integers(1, width - left + 1))))
    return found


def _equal(one: object, other: NDArray[np.float32]) -> bool:
    return isinstance(one, np.ndarray) and one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)


def _lies_in_a_file(array: object) -> bool:
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap):
            return True
        array = array.base
    return isinstance(array, mmap.mmap)


def _kind(thing: object) -> str:
    if isinstance(thing, np.ndarray):
        return f"{thing.dtype} of shape {thing.shape}"
    return type(thing).__name__
