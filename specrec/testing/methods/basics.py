"""What every other promise rests on: it can be fitted, it answers with a cube, and twice with the same."""

import math
from numbers import Real

from specrec.testing.checks import RAISED, NotConforming
from specrec.testing.methods.declared import BUILDS
from specrec.testing.methods.process_state import stirred
from specrec.testing.methods.subject import Subject, difference, said
from specrec.testing.promise import Unjudged, broken, promise

_ASK_LESS = "a method learns from any scenes; if these are too few or too small for it, let `trials` ask for less"
_MEND = "mend fit, or what it calls (specrec -v plugin test shows where it was raised)"
LEAVES_THE_PROCESS_ALONE = "the process is left as it was"
SIZES = (1, 1), (1, 7), (6, 1), (13, 17)


@promise("fit learns from small scenes and returns self", BUILDS)
def FITS(subject: Subject) -> None:  # noqa: N802 - the decorator makes a constant of it
    """Three scenes, one column of which is not valid."""
    try:
        fit = subject.fitted
    except RAISED as error:
        raise broken(
            f"fit on three scenes of 40 x 48 pixels, 31 bands, raised {said(error)}",
            _ASK_LESS if isinstance(error, ValueError | RuntimeError | IndexError | MemoryError) else _MEND,
        ) from error
    if fit.returned is not fit.method:
        raise broken(f"fit returned {type(fit.returned).__name__}", "end it with `return self`")
    changed = [key for key, value in fit.settings.items() if fit.method.settings.get(key) != value]
    if changed or len(fit.settings) != len(fit.method.settings):
        key = next(iter(changed or {*fit.method.settings} - {*fit.settings}))
        raise broken(
            f"fit changed settings[{key!r}] from {fit.settings.get(key)!r} to {fit.method.settings.get(key)!r}",
            "leave `settings` as the user gave them, and keep what follows from them in an attribute that ends in _",
        )


@promise("any size gives a cube of that size, bands last", FITS)
def ANY_SIZE(subject: Subject) -> None:  # noqa: N802 - as above
    """From one pixel to beyond the receptive field."""
    reach = subject.fitted.method.receptive_field or 1
    try:
        for height, width in (*SIZES, (5, min(reach, 1100) + 8)):
            subject.cube_of(subject.noise(height, width))
    except NotConforming:
        if "torch's default dtype" in subject.fitted.changed:  # which was put back
            raise Unjudged(f"cannot be judged before this holds: {LEAVES_THE_PROCESS_ALONE}") from None
        raise


@promise("reconstructing twice gives the same cube", ANY_SIZE)
def STEADY(subject: Subject) -> None:  # noqa: N802 - as above
    """With another image between, and whatever the global random states are."""
    before = subject.cube
    with stirred(1):
        for size in (subject.image.shape[:2], (9, 8)):
            subject.cube_of(subject.noise(size[0], size[1], seed=5))
        apart = difference(subject.cube_of(subject.image), before)
    if apart:
        raise broken(
            f"the same image gave two cubes, {apart:.2g} apart",
            "let reconstruct keep nothing from call to call, and seed whatever it draws with context.seed",
        )


@promise("operations are declared as a number above 0, or not at all", FITS)
def _operations(subject: Subject) -> str:
    """Of the fitted method, for the column of costs."""
    try:
        declared = subject.fitted.method.operations
    except RAISED as error:
        raise broken(f"operations raised {said(error)}", "return None where the method cannot say") from error
    if declared is None:
        return "not declared"
    if not isinstance(declared, Real) or isinstance(declared, bool) or not 0.0 < declared < math.inf:
        raise broken(
            f"operations is {declared!r}",
            "make it a property that returns multiplications and additions for each pixel, or None",
        )
    return f"{float(declared):,.0f} operations a pixel"


PROMISES = (FITS, ANY_SIZE, STEADY, _operations)
