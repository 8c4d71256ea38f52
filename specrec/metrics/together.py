"""Several metrics on one image: those of one family read the cubes once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.errors import STOPS, in_a_line
from specrec.interfaces import Metric, Score
from specrec.scenes import Mask
from specrec.spectra import Cube

Family = Callable[[Cube, Cube, Mask, NDArray[np.float64], Collection[str]], Mapping[str, Score]]
"""``(estimate, reference, mask, wavelengths, names) -> scores``, at least those of `names`, each the same to the bit
whichever others are asked for."""


@dataclass(frozen=True)
class FamilyMember:
    """The function of a metric that shares its work with others: where several are wanted, it is done once.

    Parameters
    ----------
    family
        Gives their scores by name.
    name
        Of this one.
    """

    family: Family
    name: str

    def __call__(self, estimate: Cube, reference: Cube, mask: Mask, wavelengths: NDArray[np.float64]) -> Score:
        """Score one image by this metric alone."""
        return self.family(estimate, reference, mask, wavelengths, (self.name,))[self.name]


def score_all(
    metrics: Mapping[str, Metric], estimate: Cube, reference: Cube, mask: Mask, wavelengths: NDArray[np.float64]
) -> dict[str, Score | Exception]:
    """Score one image by every metric; each score is to the bit what the metric gives alone.

    Parameters
    ----------
    metrics
        By the names that the result goes by.
    estimate, reference, mask, wavelengths
        As a metric gets them.

    Returns
    -------
    A score for every name, in the order of `metrics`, or what its metric raised: one that fails stops no other.

    Examples
    --------
    >>> from specrec.metrics import specrec_metrics
    >>> reference = np.full((2, 3, 31), 0.5)
    >>> metrics = {metric.name: metric for metric in specrec_metrics()[:4]}
    >>> scores = score_all(metrics, reference + 0.1, reference, np.ones((2, 3), bool), np.arange(400.0, 701.0, 10.0))
    >>> {name: round(score.value, 4) for name, score in scores.items()}
    {'rmse': 25.5, 'rrmse': 0.2, 'rrmse@norm': 0.2, 'gfc': 1.0}
    """
    wanted: dict[Family, list[str]] = {}
    for metric in metrics.values():
        if isinstance(metric.function, FamilyMember):
            wanted.setdefault(metric.function.family, []).append(metric.function.name)
    shared: dict[Family, Mapping[str, Score]] = {}
    lent = tuple(_lent(array) for array in (estimate, reference, mask, wavelengths))
    scores: dict[str, Score | Exception] = {}
    for name, metric in metrics.items():
        member = metric.function
        try:
            if not isinstance(member, FamilyMember):
                scores[name] = metric(*lent)
                continue
            if member.family not in shared:
                names = wanted[member.family]
                shared[member.family] = member.family(estimate, reference, mask, wavelengths, names)
            scores[name] = shared[member.family][member.name]
        except STOPS:
            raise
        except Exception as error:  # a plugin's metric may raise anything
            scores[name] = error
        except BaseException as error:  # or end the program
            scores[name] = RuntimeError(in_a_line(error))
    return scores


def _lent(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array as one that cannot be written to: what one metric does to it would be another's error."""
    lent = array.view()
    lent.setflags(write=False)
    return lent
