"""What a method promises of its cubes: type, values, and what they must not depend on."""

from collections.abc import Callable

import numpy as np

from specrec.scenes import Image
from specrec.testing.checks import RAISED
from specrec.testing.methods.basics import ANY_SIZE, STEADY
from specrec.testing.methods.subject import Subject, difference, said
from specrec.testing.promise import broken, promise


@promise("cubes are float32", ANY_SIZE)
def _float32(subject: Subject) -> None:
    found = subject.cube.dtype
    if found != np.float32:
        raise broken(f"the cube is {found}", "end reconstruct with .astype(np.float32)")


@promise("every value is finite", ANY_SIZE)
def _finite(subject: Subject) -> None:
    """For black, white, grey and the colours at the corners of the cube too."""
    corners = np.indices((2, 2, 2)).reshape(3, 8).T[np.newaxis].astype(np.float32)
    black, grey, white = (np.full((1, 1, 3), level, np.float32) for level in (0.0, 0.4, 1.0))
    for words, image in (
        ("random pixels", subject.image),
        ("black, white and pure colours", corners),
        ("black", black),
        ("white", white),
        ("grey", grey),
    ):
        wrong = np.count_nonzero(~np.isfinite(subject.cube_of(image, where=f" ({words})")))
        if wrong:
            raise broken(
                f"{wrong} values are NaN or infinite for {words}",
                "look for a division by, or a logarithm or power of, something that can be zero",
            )


@promise("the estimate follows the image", STEADY)
def _follows(subject: Subject) -> None:
    dark, bright = (subject.cube_of(np.full((5, 6, 3), level, np.float32)) for level in (0.1, 0.9))
    if difference(subject.cube, subject.cube_of(subject.noise(17, 23, seed=2))) == 0 == difference(dark, bright):
        raise broken("every image gives the same cube", "let reconstruct use its argument")


@promise("the image is not changed, and may be read-only", ANY_SIZE)
def _not_changed(subject: Subject) -> None:
    method, way_out = subject.fitted.method, "work on a copy: rgb = rgb.copy(), or write no `rgb *=` and no `out=rgb`"
    image = subject.image.copy()
    try:
        method.reconstruct(image)
    except RAISED as error:
        raise broken(f"reconstruct raised {said(error)}", way_out) from error
    changed = int((image != subject.image).any(axis=2).sum())
    if changed:
        raise broken(f"reconstruct changed {changed} of {image[..., 0].size} pixels of its image", way_out)
    image.setflags(write=False)
    try:
        method.reconstruct(image)
    except RAISED as error:
        raise broken(f"reconstruct of a read-only image raised {said(error)}", way_out) from error


@promise("a cube is its own", STEADY)
def _own(subject: Subject) -> None:
    """Neither what is computed next changes it, nor does changing it change what is computed next."""
    method, image = subject.fitted.method, subject.noise(12, 19, seed=7)  # no other check looks at this image
    wanted = subject.cube_of(image)
    cube = method.reconstruct(image.copy())
    method.reconstruct(subject.noise(12, 19, seed=2))
    if difference(cube, wanted):
        raise broken("the next reconstruct changed the cube of the one before", "return a new array from every call")
    if not cube.flags.writeable:
        raise broken("the cube is read-only", "return an array of its own: np.array(...), not a view of what is kept")
    cube = method.reconstruct(image.copy())
    cube[:] = 7.0
    if difference(subject.cube_of(image), wanted):
        raise broken("changing a cube changed the next estimate", "return a copy of what the method keeps")


@promise("the memory layout of the image does not matter", STEADY)
def _layout(subject: Subject) -> None:
    method, image = subject.fitted.method, subject.image
    spread = np.zeros((2 * image.shape[0], 2 * image.shape[1], 5), np.float32)
    spread[::2, ::2, 1:4] = image
    layouts: dict[str, Callable[[], Image]] = {
        "in Fortran order": lambda: np.asfortranarray(image),
        "that is part of a larger array": lambda: spread[::2, ::2, 1:4],
        "with negative strides": lambda: image[::-1, ::-1].copy()[::-1, ::-1],
    }
    way_out = "begin with np.ascontiguousarray(rgb), and reshape by no other axes than (height * width, 3)"
    for words, lay in layouts.items():
        try:
            cube = method.reconstruct(lay())
        except RAISED as error:
            raise broken(f"reconstruct of an image {words} raised {said(error)}", way_out) from error
        apart = difference(cube, subject.cube)
        if apart > 1e-6:
            raise broken(f"an image {words} gives a cube {apart:.2g} away", way_out)


@promise("threads change no number", STEADY)
def _threads(subject: Subject) -> None:
    method = subject.fitted.method
    image, most = subject.noise(40, 61), 0.0 if method.receptive_field == 1 else 1e-6
    one, before = subject.cube_of(image), method.threads
    method.threads = 2
    try:
        apart = difference(subject.cube_of(image, where=" with threads = 2"), one)
    finally:
        method.threads = before
    if apart > most:
        raise broken(
            f"with threads = 2 the cube is {apart:.2g} away",
            "cut the work into the same pieces whatever the threads, with libraries of one thread inside "
            "(specrec.threads), or ignore self.threads",
        )


PROMISES = (_float32, _finite, _follows, _not_changed, _own, _layout, _threads)
