"""The ceiling of a scene: the pixels on which the least error of a function of one colour is known, and that error.

The estimate of a pixel is the mean spectrum of the pixels of its colour in other scenes. It and every method are scored
on the pixels whose colour has a match there (``rmse@matched``), and on the tenth of them whose colour has the widest
spread of spectra (``rmse@metamers``). `specrec.bench.ceiling.metamers` finds both.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specrec.cells.record_form import LARGEST_SCORE
from specrec.cells.small_hdf5 import kept_hdf5, small_hdf5, texts
from specrec.errors import DataError, SpecrecError, plain_line
from specrec.interfaces import Metric, Score
from specrec.metrics.challenges import PSNR
from specrec.metrics.spectral import RMSE
from specrec.scenes import Mask
from specrec.spectra import WAVELENGTHS, Cube
from specrec.untrusted import parse_json

LEAST_SCENES = 4
"""A colour has a match where so many other scenes hold it: the mean of fewer is too noisy to bound anything."""

TENTH = 0.1
"""The share of the matched pixels that ``rmse@metamers`` is about."""

RULE = f"matched: at least {LEAST_SCENES} other scenes; metamers: {TENTH:g} of an image"


def _mse(estimate: Cube, reference: Cube, mask: Mask, wavelengths: NDArray[np.float64]) -> Score:
    found = PSNR(estimate, reference, mask, wavelengths)  # the mean squared error, in decibels
    return Score(255.0**2 * 10.0 ** (-found.value / 10.0), found.weight)


_PARTS = {
    "matched": f"pixels whose colour at least {LEAST_SCENES} other scenes hold",
    "metamers": "the tenth of rmse@matched's pixels in each image whose colour has the widest spread of spectra",
}
_ROOT = replace(RMSE, definition="rmse")
_SQUARE = Metric(
    name="mse",
    unit="8-bit levels squared",
    scale="0..65025",
    higher_is_better=False,
    definition="mean over bands and pixels of (e - r)^2, x 255^2",
    reference="",
    function=_mse,
)
COLUMNS: dict[str, Metric] = {
    f"{name}@{part}": replace(metric, name=f"{name}@{part}", definition=f"{metric.definition}: {pixels}")
    for name, metric in (("rmse", _ROOT), ("mse", _SQUARE))
    for part, pixels in _PARTS.items()
}
"""What a cell of a protocol with a ceiling holds beside the metrics; the harness narrows the mask to the part.

The mean spectrum is the best estimate under ``mse`` alone: under a mean of roots the geometric median is.
"""

SHOWN = ("rmse@matched", "rmse@metamers")
"""The columns that such a protocol has where nobody names others."""


@dataclass(frozen=True)
class Ceiling:
    """The ceiling on one test scene.

    Parameters
    ----------
    matched, metamers
        The pixels of the two columns, (height, width) bool; all of them are valid and in the region.
    scores
        Of the ceiling itself, by column.
    flattered
        The same with the scene's own pixels in the means: too low, as `scores` are too high where scenes are few.
    valid_pixels
        How many pixels could have had a match.
    scenes
        Number of other scenes.
    """

    matched: Mask
    metamers: Mask
    scores: dict[str, Score]
    flattered: dict[str, Score]
    valid_pixels: int
    scenes: int

    def score(self, estimate: Cube, reference: Cube) -> dict[str, Score]:
        """Score an estimate by column; where no pixel counts, value and weight are 0."""
        return score(estimate, reference, self.matched, self.metamers)


def score(estimate: Cube, reference: Cube, matched: Mask, metamers: Mask) -> dict[str, Score]:
    """Score an estimate on two masks, by column."""
    masks = {"matched": matched, "metamers": metamers}
    found = {}
    for name, metric in COLUMNS.items():
        mask = masks[name.partition("@")[2]]
        found[name] = metric(estimate, reference, mask, WAVELENGTHS) if mask.any() else Score(0.0, 0.0)
    return found


def ceiling_path(folder: str | Path, scene: str) -> Path:
    """The file of a scene's ceiling in a results folder."""
    return Path(folder) / "ceiling" / f"{scene}.h5"


def plain_scores(scores: Mapping[str, Score]) -> dict[str, list[float]]:
    """Write scores as a record has them: value, weight and share left out."""
    return {name: [one.value, one.weight, one.left_out] for name, one in scores.items()}


def write_ceiling(path: Path, found: Ceiling) -> None:
    """Store the ceiling of a scene, whole or not at all."""
    with small_hdf5(path) as file:
        scores, flattered = (json.dumps(plain_scores(some)) for some in (found.scores, found.flattered))
        file.attrs.update(texts(rule=RULE, scores=scores, flattered=flattered))
        file.attrs["valid_pixels"] = found.valid_pixels
        file.attrs["scenes"] = found.scenes
        for name in ("matched", "metamers"):
            file.create_dataset(name, data=getattr(found, name), compression="gzip")


def read_ceiling(path: Path) -> Ceiling | None:
    """Read the ceiling of a scene; None where there is none.

    Raises
    ------
    SpecrecError
        If the file is damaged, or follows another rule than this specrec's.
    """
    from specrec.cubes.inside import numbers

    if not path.exists():
        return None
    try:
        with kept_hdf5(path) as (file, facts):
            rule = str(facts["rule"])
            scores, flattered = (_scores(str(facts[key])) for key in ("scores", "flattered"))
            matched, metamers = (numbers(file, name, 2, path)[()].astype(np.bool_) for name in ("matched", "metamers"))
            found = Ceiling(matched, metamers, scores, flattered, int(facts["valid_pixels"]), int(facts["scenes"]))
    except DataError as error:
        why = plain_line(str(error).removeprefix(str(path)).lstrip(": "))
        raise SpecrecError(f"{path} is damaged ({why}); remove it, and it is made again") from None
    if rule != RULE:
        raise SpecrecError(
            f"{path} follows another rule ({plain_line(rule, 200)}, not {RULE}); pass --overwrite or another --output"
        )
    if matched.shape != metamers.shape or not matched.sum() <= found.valid_pixels <= matched.size or found.scenes < 0:
        raise SpecrecError(f"{path} is damaged (its parts do not fit together); remove it, and it is made again")
    return found


def _scores(text: str) -> dict[str, Score]:
    """Take scores from the text of a file, which may be anyone's: every column, with a value, a weight and a share."""
    found = {name: Score(*values) for name, values in parse_json(text.encode()).items()}
    numbers = [number for one in found.values() for number in (one.value, one.weight, one.left_out)]
    if set(found) != set(COLUMNS) or not all(isinstance(number, int | float) for number in numbers):
        raise DataError("its scores are none")
    if not all(abs(number) < LARGEST_SCORE for number in numbers) or min(one.weight for one in found.values()) < 0:
        raise DataError("its scores are none")
    return found


def scores_in_cell(folder: str, scene: str, estimate: Cube, reference: Cube) -> dict[str, Score]:
    """Score a method's estimate on the pixels of the ceiling, by column.

    Raises
    ------
    SpecrecError
        If the scene's ceiling is not in the results folder.
    """
    found = read_ceiling(ceiling_path(folder, scene))
    if found is None:
        raise SpecrecError(f"{ceiling_path(folder, scene)} is missing; start the bench again, and it is made")
    return found.score(estimate, reference)
