"""The scores of one image: specrec's own metrics first, then those of third parties, which may do anything."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.cells.answers import score_as_json
from specrec.errors import in_a_line
from specrec.hookspecs import PROJECT
from specrec.interfaces import Metric, Score
from specrec.metrics.together import score_all
from specrec.registry import registry
from specrec.scenes import Mask
from specrec.spectra import Cube


def _unheard(_name: str) -> None:
    """Nobody waits."""


class Scoring:
    """Scores images, and keeps in `broken` why a metric gave nothing, by its name.

    Parameters
    ----------
    without
        Metrics of third parties that are not to be computed, and why.
    tell
        Called with the name of a third party's metric before it is computed, and with ``""`` when they are through:
        whoever waits for this process learns which one it died in.
    """

    def __init__(self, without: Mapping[str, str] | None = None, tell: Callable[[str], None] = _unheard) -> None:
        self.without = without or {}
        self.tell = tell
        self.broken = dict(self.without)

    def own(self, estimate: Cube, reference: Cube, mask: Mask, wavelengths: NDArray[np.float64]) -> dict[str, Any]:
        """Score an image by the metrics that come with specrec: value, weight and share left out by name."""
        metrics = {name: offer.value for name, offer in registry().metrics.items() if offer.distribution == PROJECT}
        return self._kept(score_all(metrics, estimate, reference, mask, wavelengths))

    def others(self, estimate: Cube, reference: Cube, mask: Mask, wavelengths: NDArray[np.float64]) -> dict[str, Any]:
        """Score an image by the other metrics, on copies that none of them can write to."""
        metrics: dict[str, Metric] = {
            name: offer.value
            for name, offer in registry().metrics.items()
            if offer.distribution != PROJECT and name not in self.without
        }
        if not metrics:
            return {}
        estimate, reference, mask, wavelengths = map(_sealed, (estimate, reference, mask, wavelengths))
        found: dict[str, Any] = {}
        for name, metric in metrics.items():
            self.tell(name)
            found |= self._kept(score_all({name: metric}, estimate, reference, mask, wavelengths))
        self.tell("")
        return found

    def _kept(self, scores: Mapping[str, Score | Exception]) -> dict[str, Any]:
        found = {}
        for name, score in scores.items():
            try:
                if isinstance(score, Exception):
                    raise score
                found[name] = score_as_json(score)
            except Exception as error:  # a plugin's metric may raise or give anything; the other numbers are kept
                self.broken[name] = in_a_line(error)
        return found


def _sealed(array: NDArray[Any]) -> NDArray[Any]:
    """Copy an array into memory that NumPy never makes writeable, whoever asks."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)
