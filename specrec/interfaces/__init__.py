"""What a plugin implements: a Reconstructor, a Metric, a SceneSource."""

from specrec.interfaces.fitting import FitContext, Spent
from specrec.interfaces.metric import Metric, MetricFunction, Score
from specrec.interfaces.progress import Progress, heeded, silent
from specrec.interfaces.reconstructor import Arrays, Reconstructor
from specrec.interfaces.scene_source import SceneSource
from specrec.interfaces.version import INTERFACE_VERSION, unserved

__all__ = [
    "INTERFACE_VERSION",
    "Arrays",
    "FitContext",
    "Metric",
    "MetricFunction",
    "Progress",
    "Reconstructor",
    "SceneSource",
    "Score",
    "Spent",
    "heeded",
    "silent",
    "unserved",
]
