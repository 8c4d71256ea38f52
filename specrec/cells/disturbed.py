"""The scores of a test image under conditions: from other photos of it, and by other questions to its estimate."""

from collections.abc import Callable
from dataclasses import dataclass

from specrec.cells.answers import check_estimate, score_as_json
from specrec.cells.cell import Cell
from specrec.cells.columns import BACK, FLOOR, SCORED, UNCLIPPED, columns_of
from specrec.errors import in_a_line
from specrec.interfaces import Reconstructor, Score
from specrec.metrics.spectral import rmse, spectral_errors
from specrec.robustness.back_projection import back_projection
from specrec.robustness.conditions import Condition, condition
from specrec.robustness.exposure import unclipped
from specrec.robustness.metamers import metamers
from specrec.robustness.photo import clean, photo
from specrec.scenes import Image, Mask, TrainingScene
from specrec.spectra import Cube
from specrec.tiling import reconstruct

Scores = dict[str, Score]


@dataclass(frozen=True)
class Tested:
    """One test image as it was scored: the scene, its clean photo, the estimate from it, and the pixels that count."""

    scene: TrainingScene
    rgb: Image
    estimate: Cube
    reference: Cube
    mask: Mask

    @property
    def seed(self) -> int:
        """Of what is drawn for this scene: of its content, so that its name and its fold change nothing."""
        return int(self.scene.scene.content[:16] or "0", 16)


def scores_under_conditions(
    cell: Cell, method: Reconstructor, image: Tested, broken: dict[str, str], tell: Callable[[str], None]
) -> dict[str, list[float | str]]:
    """Score an image under every condition of a cell, by column.

    What a method cannot do under one of them goes into `broken`, by column, and costs it that column alone. `tell` is
    called with each condition before it is computed.
    """
    found: dict[str, list[float | str]] = {}
    for text in cell.robustness:
        what = condition(text)
        if what.kind == "cross-data":
            continue
        tell(text)
        try:
            scores = _scores(what, cell, method, image)
        except MemoryError:
            raise
        except Exception as error:  # a method may fail on a photo it does not expect; its other numbers are kept
            broken |= dict.fromkeys(columns_of([text]), in_a_line(error))
            continue
        found |= {name: score_as_json(one) for name, one in scores.items()}
    return found


def _scores(what: Condition, cell: Cell, method: Reconstructor, image: Tested) -> Scores:
    if what.kind == "back-projection":
        rendered = image.scene.rgb_of(image.estimate)
        return {BACK: back_projection(rendered, image.rgb, image.mask, method.input)}
    if what.kind == "metamer-pair":
        return _of_pair(image)
    rgb = photo(what, image.reference, method.input, cell.quantisation, image.seed)
    rgb.setflags(write=False)
    estimate = reconstruct(method, rgb, cell.tiles)
    check_estimate(estimate, image.reference, f"{image.scene.name} under {what}")
    if what.kind != "exposure":
        return _errors(str(what), estimate, image.reference, image.mask)
    mask = image.mask & unclipped(clean(image.reference), what.number)
    same = _errors(f"{UNCLIPPED}={what.number:g}", image.estimate, image.reference, mask)
    return same | _errors(str(what), estimate / type(estimate.flat[0])(what.number), image.reference, mask)


def _of_pair(image: Tested) -> Scores:
    other = metamers(image.reference, image.mask, image.seed)
    pair = [_errors("metamer-pair", image.estimate, truth, image.mask) for truth in (image.reference, other)]
    scores = {
        name: Score((one.value + pair[1][name].value) / 2, (one.weight + pair[1][name].weight) / 2)
        for name, one in pair[0].items()
    }
    distance = rmse(other, image.reference, image.mask)
    return scores | {FLOOR: Score(distance.value / 2, distance.weight)}


def _errors(where: str, estimate: Cube, reference: Cube, mask: Mask) -> Scores:
    if not mask.any():
        return {f"{name}@{where}": Score(0.0, 0.0) for name in SCORED}
    found = spectral_errors(estimate, reference, mask, names=tuple(SCORED))
    return {f"{name}@{where}": found[name] for name in SCORED}
