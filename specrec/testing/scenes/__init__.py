"""What every data set promises: `promises`; of a scene's numbers in `contents`; each trial of it is a `trial`."""

from specrec.testing.scenes.promises import scene_checks

__all__ = ["scene_checks"]
