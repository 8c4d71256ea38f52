"""Scenes that are read only as long as they are what a survey found: data that changes meanwhile is noticed.

At every reading size and time of change of each file are compared, which reads nothing; where they differ, and when a
scene is first read whole, the hash of its content. So a file that was only touched, or copied elsewhere, is no trouble.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from specrec.datasets.scene_files import Stamp, stamps_of
from specrec.datasets.survey import SceneFacts
from specrec.errors import CannotGoOnError, ChangedDataError
from specrec.interfaces import SceneSource
from specrec.scenes import Mask, Scene, Window, content_hash
from specrec.spectra import Cube

PATIENCE = 3
"""So often a scene is looked at again whose files change while it is read."""

SHOWN = 3
"""Files that a message names."""

T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """What a survey found of a scene, in plain values that can travel.

    Parameters
    ----------
    extent
        Minimum and maximum over all bands of the valid pixels.
    content
        Hash of the cube and the mask.
    stamps
        Of its files; none where it is made.
    """

    extent: tuple[float, float]
    content: str
    stamps: Sequence[Stamp] = ()


def found_of(facts: SceneFacts) -> Found:
    """Take from a survey what a reading is held against."""
    return Found((facts.low, facts.high), facts.sha256, [file.stamp for file in facts.files])


def open_unchanged(source: SceneSource, name: str, found: Found, began: str) -> Scene:
    """Open a scene as a survey found it, so that nobody reads it again to find out what it holds.

    Parameters
    ----------
    source
        The data set.
    name
        Of the scene.
    found
        By the survey.
    began
        What began with the survey, for the message: ``"the bench"``.

    Raises
    ------
    ChangedDataError
        If its content is another now; later, whenever it is read. The message names the scene and the files.
    """
    reading = _Reading(source, name, found, began)
    reading.compare()
    return replace(
        reading.scene,
        read=reading.read,
        read_mask=None if reading.scene.read_mask is None else reading.read_mask,
        known_extent=found.extent,
        content=found.content,
    )


class _Reading:
    """Reads one scene, and knows as of which stamps its files hold what the survey found."""

    def __init__(self, source: SceneSource, name: str, found: Found, began: str) -> None:
        self.source = source
        self.name = name
        self.found = found
        self.began = began
        self.stamps = [(file, size, changed) for file, size, changed in found.stamps]
        self.verified = False
        self.scene = self._tried(lambda: source.open(name))

    def read(self, window: Window | None) -> Cube:
        """Read the cube or a window; at first reading the whole is held against the survey."""
        for _ in range(PATIENCE):
            cube = self._tried(lambda: self.scene.read(window))
            if window is None and not self.verified:
                self._verify(cube)
            if self.compare():
                return cube
        raise self._changed()

    def read_mask(self) -> Mask:
        """Read the valid pixels."""
        for _ in range(PATIENCE):
            mask = self._tried(lambda: self.scene.mask)
            if self.compare():
                return mask
        raise self._changed()

    def compare(self) -> bool:
        """Tell whether what was just read stands; where a file was touched it does not, and the scene is looked at.

        Raises
        ------
        ChangedDataError
            If the content is another.
        """
        now = self._now()
        if now == self.stamps:
            return True
        self.scene = self._tried(lambda: self.source.open(self.name))
        self._verify(self._tried(lambda: self.scene.read(None)))
        self.stamps = now
        return False

    def _verify(self, cube: Cube) -> None:
        mask = self._tried(lambda: self.scene.mask)
        if content_hash(cube, mask) != self.found.content:
            raise self._changed()
        self.verified = True

    def _tried(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except CannotGoOnError:
            raise
        except Exception:  # of a plugin too
            if self._now() != self.stamps:
                raise self._changed() from None
            raise

    def _now(self) -> list[Stamp]:
        return stamps_of(self.source.path, [name for name, _, _ in self.stamps])

    def _changed(self) -> ChangedDataError:
        pairs = zip(self._now(), self.stamps, strict=True)
        other = [now[0] for now, before in pairs if now != before] or [name for name, _, _ in self.stamps]
        files = [str((self.source.path or Path()) / name) for name in other[:SHOWN]]
        more = f" and {len(other) - SHOWN} more" if len(other) > SHOWN else ""
        where = f"{', '.join(files)}{more}" if files else self.scene.provenance
        return ChangedDataError(
            f"scene {self.name} has changed since {self.began} began ({where}); put back what was there, or start again"
        )
