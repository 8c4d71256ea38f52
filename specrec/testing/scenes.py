"""What every data set promises."""

from pathlib import Path

from specrec.interfaces import SceneSource
from specrec.testing.checks import Check


def scene_checks(source: type[SceneSource], data: Path | None = None) -> list[Check]:
    """List the checks of a data set."""
    raise NotImplementedError(source, data)
