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

from specrec.cells.small_hdf5 import small_hdf5
from specrec.errors import SpecrecError
from specrec.interfaces import Metric, Score
from specrec.metrics.challenges import PSNR
from specrec.metrics.spectral import RMSE
from specrec.scenes import Mask
from specrec.spectra import WAVELENGTHS, Cube

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
        file.attrs["rule"] = RULE
        file.attrs["scores"] = json.dumps(plain_scores(found.scores))
        file.attrs["flattered"] = json.dumps(plain_scores(found.flattered))
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
    import h5py

    from specrec.cubes.inside import numbers

    if not path.exists():
        return None
    try:
        with h5py.File(path) as file:
            rule = str(file.attrs["rule"])
            scores, flattered = (
                {name: Score(*values) for name, values in json.loads(file.attrs[key]).items()}
                for key in ("scores", "flattered")
            )
            matched, metamers = (numbers(file, name, 2, path)[()].astype(np.bool_) for name in ("matched", "metamers"))
            found = Ceiling(
                matched, metamers, scores, flattered, int(file.attrs["valid_pixels"]), int(file.attrs["scenes"])
            )
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SpecrecError(f"{path} is damaged ({error}); remove it, and it is made again") from None
    if rule != RULE:
        raise SpecrecError(f"{path} follows another rule ({rule}, not {RULE}); pass --overwrite or another --output")
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
