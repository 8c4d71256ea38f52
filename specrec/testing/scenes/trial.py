"""A data set under one of its trials, made and prepared when a check first needs it."""

import os
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from specrec.datasets import find_folder
from specrec.errors import SpecrecError
from specrec.interfaces import SceneSource
from specrec.parameters import Settings
from specrec.scenes import Scene
from specrec.spectra import Cube
from specrec.testing.checks import NO_FOLDER, RAISED, NotApplicable, NotConforming
from specrec.testing.promise import Outcome

T = TypeVar("T")


class Trial:
    """A data set with options and, where it needs one, a folder.

    Parameters
    ----------
    source
        The data set.
    settings
        Its options.
    data
        Its folder; None: that of its environment variable.
    """

    def __init__(self, source: type[SceneSource], settings: Settings, data: Path | None) -> None:
        self.source = source
        self.settings = settings
        self.outcomes: dict[str, Outcome] = {}
        self._data = data

    @property
    def folder(self) -> Path | None:
        """The folder; None for a data set that needs none.

        Raises
        ------
        NotApplicable
            If it needs one and there is none.
        """
        variable = self.source.path_variable
        if variable is not None and self._data is None and not os.environ.get(variable):
            raise NotApplicable(f"{NO_FOLDER} (--data {self.source.name}=FOLDER) or set {variable}")
        return find_folder(self.source, self._data)

    def fresh(self) -> SceneSource:
        """Build the data set anew, so that nothing is left in it of another check."""
        options = ", ".join(f"{key}={value!r}" for key, value in self.settings.items())
        build = partial(self.source, self.folder, **self.settings)
        return asked(f"{self.source.__name__}(folder{', ' * bool(options)}{options})", build, "take these options")

    @cached_property
    def names(self) -> list[str]:
        """Its scenes, made where they did not exist."""
        source = self.fresh()
        names = asked("names()", source.names, "return a list of words")
        if not names:
            raise NotConforming("names() lists no scene; give trials that make one, or a folder that holds one")
        samples = _sampled(names)
        asked(f"prepare({samples})", partial(source.prepare, samples), "make scenes that do not exist, or do nothing")
        return names

    @property
    def samples(self) -> list[str]:
        """The first, middle and last scene; nothing else of a large data set is read."""
        return _sampled(self.names)


def _sampled(names: list[str]) -> list[str]:
    return sorted({names[0], names[len(names) // 2], names[-1]})


def asked(what: str, call: Callable[[], T], remedy: str) -> T:
    """Call into a plugin; what it raises is a broken promise, but for the sentences that a user is to read."""
    try:
        return call()
    except SpecrecError:
        raise
    except RAISED as error:  # a plugin may raise anything
        raise NotConforming(f"{what} raised {type(error).__name__}: {error}; {remedy}") from error


def opened(source: SceneSource, name: str) -> Scene:
    """Open a scene of a plugin."""
    scene = asked(f"open({name!r})", partial(source.open, name), "return a specrec.Scene, or raise a DataError")
    if not isinstance(scene, Scene):
        raise NotConforming(f"open({name!r}) gives {scene!r}; return a specrec.scenes.Scene")
    return scene


def read(scene: Scene) -> Cube:
    """Read a whole scene of a plugin."""
    remedy = "let read(None) give the whole cube, float32 (height, width, bands)"
    return asked(f"reading {scene.name!r}", scene.cube, remedy)
