"""What every method promises."""

from specrec.interfaces import Reconstructor
from specrec.testing.checks import Check


def method_checks(method: type[Reconstructor]) -> list[Check]:
    """List the checks of a method."""
    raise NotImplementedError(method)
