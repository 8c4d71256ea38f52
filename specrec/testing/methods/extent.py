"""What a method promises of its extent: receptive field, grid and halo hold, and per-pixel methods really are."""

import numpy as np
from numpy.typing import NDArray

from specrec.errors import SpecrecError
from specrec.scenes import Image
from specrec.testing.checks import RAISED, NotApplicable
from specrec.testing.methods.basics import STEADY
from specrec.testing.methods.declared import EXTENT
from specrec.testing.methods.subject import Subject, difference, said
from specrec.testing.promise import broken, promise

_ROUNDING = 1e-6  # what a pixel outside may move, as sums in another order do
_TILED = 1e-5
_LONGEST = 1100  # pixels: beyond the context of a net of nine levels, 511, on both sides


@promise("the declared receptive field holds", STEADY, EXTENT)
def RECEPTIVE_FIELD(subject: Subject) -> str:  # noqa: N802 - the decorator makes a constant of it
    """Change single pixels, and look how far away the cube moves."""
    reach = subject.fitted.method.receptive_field
    if reach is None:
        raise NotApplicable("it declares none: an estimate may depend on the whole image, which is never tiled")
    if reach == 1:
        raise NotApplicable("it is tried by permuting pixels")
    long, short = min(2 * reach + 9, _LONGEST), min(2 * reach + 9, 40)
    inside = 0
    for height, width in ((short, long), (long, short)):
        image = subject.noise(height, width)
        whole = subject.cube_of(image)
        for row, column in ((height // 2, width // 2), (0, 0), (height - 1, width - 1), (height // 3, 2 * width // 3)):
            changed = image.copy()
            changed[row, column] = 1 - changed[row, column]
            moved = np.abs(subject.cube_of(changed) - whole).max(axis=2) > _ROUNDING
            inside = max(inside, _farthest(moved, row, column))
            if inside >= reach:
                raise broken(
                    f"a change of the pixel ({row}, {column}) of {height} x {width} moves the estimate {inside} pixels "
                    f"away, and receptive_field is {reach}, so that {reach - 1} is the most",
                    f"declare a receptive_field of at least {inside + 1} ({2 * inside + 1} if it looks as far to every "
                    "side) and the halo to go with it, or None where a mean or maximum over the image counts",
                )
    return f"moves up to {inside} pixels away, {reach - 1} declared"


@promise("tiles on the grid with their halo equal the whole", STEADY, EXTENT, RECEPTIVE_FIELD)
def TILES(subject: Subject) -> str:  # noqa: N802 - as above
    """Through `specrec.tiling`, as large images are estimated."""
    from specrec.tiling import stream

    method = subject.fitted.method
    if not method.tiles_exactly:
        raise NotApplicable("it declares no halo, so it only gets whole images; declare one to have large ones tiled")
    grid, halo = method.grid, method.halo
    long, short = min(2 * halo + 3 * grid + 21, 2 * _LONGEST), 21
    for height, width in ((short, long), (long, short)):
        image = subject.noise(height, width)
        whole = subject.cube_of(image)
        for size in sorted({13, min(max(grid, 8), long)}):
            found = np.full_like(whole, np.nan)
            try:
                # each window a copy, so that only what is seen differs from the whole
                for core, cube in stream(method, lambda w: image[w.slices].copy(), (height, width), str(size)):  # noqa: B023 - used up here
                    found[core.slices] = cube
            except (SpecrecError, ValueError) as error:
                raise broken(
                    f"a tile of {size} pixels raised {said(error)}", "let reconstruct take any size"
                ) from error
            apart = np.abs(found - whole).max(axis=2)
            if not (apart <= _TILED).all():
                row, column = np.unravel_index(np.nanargmax(np.where(np.isnan(apart), np.inf, apart)), apart.shape)
                raise broken(
                    f"in tiles of {size} pixels the cube of {height} x {width} is {apart.max():.2g} away at "
                    f"({row}, {column}), with grid {grid} and halo {halo}",
                    "raise halo to the pixels that count on either side, and grid to the product of the strides; pad "
                    "inside reconstruct only where the image itself ends",
                )
    return f"grid {grid}, halo {halo}"


@promise("a per-pixel method sees one pixel", STEADY, EXTENT)
def PER_PIXEL(subject: Subject) -> None:  # noqa: N802 - as above
    """Permuted pixels give permuted spectra, and a pixel alone gives its spectrum, bit for bit."""
    if subject.fitted.method.receptive_field != 1:
        raise NotApplicable("its receptive field is not 1")
    image = subject.image
    order = np.random.default_rng(0).permutation(image.shape[0] * image.shape[1])
    permuted = image.reshape(-1, 3)[order].reshape(image.shape)
    wanted = subject.cube.reshape(-1, subject.bands)[order].reshape(subject.cube.shape)
    _expect_bits(subject, permuted, wanted, "permuted pixels")
    _expect_bits(subject, image.reshape(1, -1, 3), subject.cube.reshape(1, -1, subject.bands), "pixels in one row")
    for row, column in ((0, 0), (7, 11), (16, 22)):
        here = np.s_[row : row + 1, column : column + 1]
        _expect_bits(subject, image[here], subject.cube[here], f"the pixel ({row}, {column}) alone")


def _expect_bits(subject: Subject, image: Image, wanted: np.ndarray, words: str) -> None:
    apart = difference(subject.cube_of(image), wanted)
    if apart:
        bits = "the last bits depend on the other pixels, as in a matrix product" if apart < 1e-5 else "it sees others"
        raise broken(
            f"receptive_field is 1, and {words} gave spectra {apart:.2g} away",
            f"{bits}: inherit specrec.per_pixel.PerPixelReconstructor (whole_blocks for matrix products), or declare a "
            "larger receptive_field",
        )


@promise("influence is zero or more, and zero outside the receptive field", STEADY, EXTENT, RECEPTIVE_FIELD, PER_PIXEL)
def _influence(subject: Subject) -> str | None:
    """Derivatives show the least influence too, which a changed pixel loses in rounding."""
    method = subject.fitted.method
    reach = method.receptive_field
    long, short = (13, 11) if reach is None else (min(reach + 10, _LONGEST), min(reach + 10, 40))
    for height, width in ((short, long), (long, short)):
        found = _told(subject, height, width)
        box = max(int(np.ptp(np.nonzero(found)[axis])) + 1 for axis in (0, 1))
        if reach is not None and box > reach:
            raise broken(
                f"pixels in a square of {box} influence one estimate, and receptive_field is {reach}",
                f"declare a receptive_field of {box} and the halo to go with it: what is far counts little, and still "
                "tiles would differ from the whole",
            )
    return None


def _told(subject: Subject, height: int, width: int) -> NDArray[np.float32]:
    """Ask for the influence on the estimate in the middle of an image, and check what it is by itself."""
    image = subject.noise(height, width)
    try:
        found = subject.fitted.method.influence(image, height // 2, width // 2)
    except RAISED as error:
        raise broken(f"influence raised {said(error)}", "return None where the method cannot tell") from error
    if found is None:
        raise NotApplicable("influence is not told (None)")
    problem: str | None = None
    if not isinstance(found, np.ndarray) or found.shape != (height, width) or found.dtype != np.float32:
        shape = (found.shape, str(found.dtype)) if isinstance(found, np.ndarray) else type(found).__name__
        problem = f"influence over {height} x {width} pixels is {shape}"
    elif not (found >= 0).all():
        problem = f"influence is {found.min():.2g} somewhere"
    elif not found.any():
        problem = "influence is 0 everywhere"
    if problem:
        raise broken(problem, "return (height, width) float32: the root of the summed squares of the derivatives")
    return found


def _farthest(moved: np.ndarray, row: int, column: int) -> int:
    rows, columns = np.nonzero(moved)
    return int(np.maximum(np.abs(rows - row), np.abs(columns - column)).max(initial=0))


PROMISES = (RECEPTIVE_FIELD, PER_PIXEL, TILES, _influence)
