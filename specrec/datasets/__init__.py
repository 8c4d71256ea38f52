"""The data sets that come with specrec, one reader each; scenes stay on disk until asked for."""

import os
from collections import Counter
from pathlib import Path
from unicodedata import category

from specrec.errors import DataError, UsageError, explained, plain_line
from specrec.hookspecs import hookimpl
from specrec.interfaces import SceneSource
from specrec.parameters import Settings, nearest, parse_spec

MOST_LETTERS = 200
"""Of the name of a scene, which stands in paths and in lines of tables."""


@hookimpl
def specrec_scene_sources() -> list[type[SceneSource]]:
    """Offer the built-in data sets."""
    from specrec.datasets.cave import CaveSource
    from specrec.datasets.folder import FolderSource
    from specrec.datasets.icvl import IcvlSource
    from specrec.datasets.synthetic.source import SyntheticSource

    return [SyntheticSource, CaveSource, IcvlSource, FolderSource]


def open_source(spec: str, path: Path | None = None) -> SceneSource:
    """Build a data set from ``name[key=value]`` and its folder.

    Parameters
    ----------
    spec
        Such as ``"cave"`` or ``"synthetic[scenes=4]"``.
    path
        The folder; None falls back to the data set's environment variable.

    Raises
    ------
    UsageError
        For an unknown data set or option, or where a folder is needed and neither is given.
    """
    from specrec.registry import registry

    name, given = parse_spec(spec)
    source_class = registry().scene_source(name)
    return make_source(source_class, find_folder(source_class, path), given)


def make_source(source: type[SceneSource], path: Path | None, options: Settings) -> SceneSource:
    """Build a data set, of a plugin too: DataError if its constructor fails."""
    with explained(f"the data set {source.name!r} cannot be opened", DataError):
        return source(path, **options)


def scene_names(source: SceneSource) -> list[str]:
    """List the scenes of a data set as names that can stand in paths.

    Raises
    ------
    DataError
        If a plugin's data set cannot tell, or gives what is no list of such names, each of them once, or none.
    """
    with explained(f"the data set {source.name!r} cannot list its scenes", DataError):
        names = list(source.names())
        for name in names:
            if not isinstance(name, str) or not name or name in (".", "..") or {"/", os.sep, "\0"} & set(name):
                raise DataError(f"the data set {source.name!r} has a scene called {name!r}; a name is no path")
            if any(category(letter) in ("Cc", "Zl", "Zp") for letter in name) or len(name) > MOST_LETTERS:
                raise DataError(
                    f"the data set {source.name!r} has a scene called {plain_line(repr(name), 80)}; a name is one line"
                    f" of at most {MOST_LETTERS} letters"
                )
        if not names:
            raise DataError(f"the data set {source.name!r} has no scenes")
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise DataError(f"the data set {source.name!r} lists the scene {twice[0]!r} twice; names are different")
    return names


def find_folder(source: type[SceneSource], path: str | os.PathLike[str] | None) -> Path | None:
    """Find the folder of a data set: as given, else from its environment variable; None where it needs none.

    Raises
    ------
    UsageError
        If it needs one and there is none, or is given one and needs none.
    """
    variable = source.path_variable
    if variable is None:
        if path is not None:
            raise UsageError(f"the data set {source.name!r} makes its scenes; leave out the folder {os.fspath(path)}")
        return None
    found = path or os.environ.get(variable)
    if not found:
        raise UsageError(
            f"the data set {source.name!r} is read from a folder; name it (--data FOLDER) or set {variable}"
        )
    return Path(found)


def folder_of(source: SceneSource, expected: str) -> Path:
    """Return the folder of a data set that is read from one, or say that it is not there."""
    if source.path is None:
        raise UsageError(
            f"the data set {source.name!r} is read from a folder; name it (--data FOLDER) or set {source.path_variable}"
        )
    if not source.path.is_dir():
        what = "is not a folder" if source.path.exists() else "does not exist"
        raise UsageError(f"{source.path} {what}; the data set {source.name!r} expects {expected}")
    return source.path


def no_such_scene(source: SceneSource, name: str) -> UsageError:
    """Make the error for a name that the data set does not hold."""
    return UsageError(f"{source.name} at {source.path} has no scene {name!r}; {nearest(name, source.names())}")
