"""What a method promises of how its cubes resemble those it learnt from: order of bands, scale, and place of pixels.

Judged on training scenes, where a method that learns at all comes near. One that is trained for a few steps need not:
where estimates resemble neither what is right nor what is wrong, nothing is said.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from specrec.testing.checks import NotApplicable
from specrec.testing.methods.basics import STEADY
from specrec.testing.methods.subject import Subject
from specrec.testing.promise import broken, promise

Numbers = NDArray[np.float64]

_CLEARLY = 0.8  # of the distance to the cube: the mirror image has to be so much nearer to say that bands are reversed
_SHIFTED = 0.35  # likewise for bands that are shifted, which resemble their neighbours
_RESCALED = 0.25  # likewise for another scale
_ALIKE = 0.7  # correlation that chance does not give
_FAR = 10.0  # times the largest value of a training cube: no learning explains such a mean
_SQUARE = 40
_PLACES: dict[str, Callable[[Numbers], Numbers]] = {
    "upside down": lambda image: image[::-1],
    "with left and right changed": lambda image: image[:, ::-1],
    "turned by half": lambda image: image[::-1, ::-1],
    "with rows and columns changed": lambda image: image.swapaxes(0, 1),
}
_SCALES: dict[str, Callable[[Numbers], Numbers]] = {
    "0..255": lambda cube: cube / 255,
    "0..1 divided by 255": lambda cube: cube * 255,
    "-1..1": lambda cube: (cube + 1) / 2,
    "0..100": lambda cube: cube / 100,
    "0..65535": lambda cube: cube / 65535,
}


@promise("bands are in the order of the wavelengths", STEADY)
def _band_order(subject: Subject) -> str:
    """On training scenes whose light is 40 times as strong at 700 nm as at 400 nm."""
    found, wanted = _spectra(subject)
    means = found.mean(axis=0), wanted.mean(axis=0)
    right, reversed_ = (float(np.sqrt(np.mean((means[0] - one) ** 2))) for one in (means[1], means[1][::-1]))
    way_out = (
        "keep band i of what reconstruct returns at scene.wavelengths[i], and take the channels of the image as R, G, B"
    )
    if reversed_ < _CLEARLY * right:
        raise broken(
            f"the mean spectrum of training scenes is {right:.2g} from that of their cubes, and {reversed_:.2g} from it"
            " with its bands reversed",
            way_out,
        )
    scene, count = subject.first[0], int(subject.first[0].mask.sum())
    swapped = subject.cube_of(np.ascontiguousarray(scene.rgb()[..., ::-1]))[scene.mask].astype(np.float64)
    if _apart(swapped, wanted[:count]) < _RESCALED * _apart(found[:count], wanted[:count]):
        raise broken("estimates come much nearer to the cubes if images are given with the channels B, G, R", way_out)
    apart = {shift: _shape_apart(*means, shift) for shift in (0, -2, -1, 1, 2)}
    nearest = min(apart, key=lambda shift: apart[shift])
    if apart[nearest] < _SHIFTED * apart[0]:
        raise broken(
            f"the mean spectrum of training scenes is that of their cubes shifted by {nearest:+d} bands"
            f" ({apart[nearest]:.2g} away, and {apart[0]:.2g} as they are)",
            way_out,
        )
    if right < _CLEARLY * reversed_:
        return f"mean spectrum {right:.2g} from the scenes', {reversed_:.2g} from its mirror image"
    raise NotApplicable("with these settings it learns too little for the order to be seen")


@promise("values are on the scale of the training cubes", STEADY)
def _scale(subject: Subject) -> str:
    found, wanted = _spectra(subject)
    way_out = "answer on the scale of the training cubes, 0..1"
    size = float(np.abs(found).mean())
    told = (
        f"estimates of training scenes are {size:.2g} in the mean, and their cubes {float(np.abs(wanted).mean()):.2g}"
    )
    if not size <= _FAR * float(wanted.max()):
        raise broken(told, way_out)
    right = _apart(found, wanted)
    for words, change in _SCALES.items():
        if _apart(change(found), wanted) < _RESCALED * right and np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.7:
            raise broken(
                f"{told}; they are {right:.2g} away, and much nearer if they are on the scale {words}", way_out
            )
    return told


@promise("pixels stay where they are", STEADY)
def _places(subject: Subject) -> str:
    """How well the colours of an image tell the brightness of the estimate, at the same place and at others."""
    scene = subject.first[0]
    image = scene.rgb()[:_SQUARE, :_SQUARE]
    estimate = subject.cube_of(image).mean(axis=2, dtype=np.float64)
    explained = {words: _explained(move(estimate), image) for words, move in _PLACES.items()}
    here, words = _explained(estimate, image), min(explained, key=lambda one: explained[one])
    if explained[words] < 0.5 * here:
        raise broken(
            f"the estimate of a training scene follows its image only if it is put {words}",
            "put the spectrum of the pixel (row, column) of the image at cube[row, column]",
        )
    if here < 0.9 * explained[words]:
        return ""
    raise NotApplicable("the estimate follows the image at no place in particular")


def _spectra(subject: Subject) -> tuple[Numbers, Numbers]:
    """The valid spectra of the estimates of the training scenes, and of their cubes."""
    found = [subject.cube_of(scene.rgb())[scene.mask] for scene in subject.first]
    wanted = [scene.cube()[scene.mask] for scene in subject.first]
    return np.concatenate(found).astype(np.float64), np.concatenate(wanted).astype(np.float64)


def _apart(found: Numbers, wanted: Numbers) -> float:
    return float(np.sqrt(np.mean((found - wanted) ** 2)))


def _shape_apart(found: Numbers, wanted: Numbers, shift: int) -> float:
    """Distance to a spectrum shifted by some bands, whatever the scale: rising light gets brighter so."""
    bands = len(wanted)
    ours, theirs = found[max(shift, 0) : bands + min(shift, 0)], wanted[max(-shift, 0) : bands + min(-shift, 0)]
    factor = float((ours * theirs).sum() / max((theirs**2).sum(), 1e-30))
    return _apart(ours, factor * theirs) / max(float(np.sqrt(np.mean(ours**2))), 1e-30)


def _explained(brightness: Numbers, image: NDArray[np.float32]) -> float:
    """Share of the variance of the brightness that a quadratic of the colours at the same place leaves unexplained."""
    r, g, b = image.reshape(-1, 3).astype(np.float64).T
    colours = np.stack([np.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, g * b, r * b], axis=1)
    target = brightness.ravel() - brightness.mean()
    left = target - colours @ np.linalg.lstsq(colours, target, rcond=None)[0]
    return float((left**2).sum() / max((target**2).sum(), 1e-30))


PROMISES = (_band_order, _scale, _places)
