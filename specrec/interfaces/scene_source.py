"""What a data set implements: names of scenes, and a lazy reader of each."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from specrec.interfaces.progress import Progress, silent
from specrec.parameters import Parameter, Settings, Value, resolve
from specrec.scenes import Scene


class SceneSource(ABC):
    """A data set: names of scenes, and a lazy reader of each.

    Parameters
    ----------
    path
        The folder with the data; None for a source that makes its scenes.
    given
        Options, as declared in `parameters`.
    """

    name: ClassVar[str]
    """Short and lower case, as in ``--dataset``."""
    summary: ClassVar[str]
    """One line, as `specrec data list` prints it."""
    reference: ClassVar[str] = ""
    """Author, year, DOI."""
    quantity: ClassVar[Literal["radiance", "reflectance"]]
    """What its cubes hold; a scene says its own."""
    parameters: ClassVar[Mapping[str, Parameter]] = {}
    """Everything a user can set."""
    trials: ClassVar[tuple[Settings, ...]] = ({},)
    """Options under which the conformance suite tries the data set: few and small scenes."""
    path_variable: ClassVar[str | None] = None
    """The environment variable that names the folder; None for a source that needs none."""

    def __init__(self, path: Path | None = None, **given: Value) -> None:
        self.path = path
        self.settings = resolve(self.name, self.parameters, {}, given)

    @abstractmethod
    def names(self) -> list[str]:
        """List the scenes that are there, sorted; a damaged one is still listed."""

    @abstractmethod
    def open(self, name: str) -> Scene:
        """Open one scene without reading its cube.

        Raises
        ------
        DataError
            If the scene is damaged or incomplete; the message names the file.
        """

    def further(self, count: int) -> "SceneSource | None":  # noqa: ARG002 - the default has none
        """Return a source of so many scenes of the same kind, none of them one of these; None where there are none."""
        return None

    def files(self, name: str) -> list[Path]:  # noqa: ARG002 - the default has none
        """List the files a scene is read from; empty for a source that makes its scenes."""
        return []

    def room_to_make(self, names: Sequence[str]) -> int:  # noqa: ARG002 - the default makes nothing
        """Count the bytes that `prepare` will write for these scenes; 0 where they are there, or are files."""
        return 0

    def prepare(self, names: Sequence[str], progress: Progress = silent) -> None:  # noqa: B027 - optional
        """Make scenes that do not exist yet, such as synthetic ones; a no-op for files."""
