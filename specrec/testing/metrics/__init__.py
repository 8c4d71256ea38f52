"""What every metric promises: `promises`; about zeros, NaN, weights and sizes in `edges`; tried on `example_cubes`."""

from specrec.testing.metrics.promises import metric_checks

__all__ = ["metric_checks"]
