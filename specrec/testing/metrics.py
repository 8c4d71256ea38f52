"""What every metric promises."""

from specrec.interfaces import Metric
from specrec.testing.checks import Check


def metric_checks(metric: Metric) -> list[Check]:
    """List the checks of a metric."""
    raise NotImplementedError(metric)
