"""What a worker of a cluster is asked for one cell, and what it answers; plain values, which travel."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from specrec.cluster.files import FileFacts


@dataclass(frozen=True)
class Scenes:
    """What a cell reads of one data set.

    Parameters
    ----------
    of
        Empty: of its own data set; ``"cross"``: of the other one, which has this key in the cell.
    files
        That are read.
    made
        Names of scenes that are read from no file, and made there.
    """

    of: str
    files: tuple[FileFacts, ...] = field(default=(), repr=False)
    made: tuple[str, ...] = ()

    def within(self, cell: dict[str, Any]) -> dict[str, Any]:
        """Return what a cell says of the data set: ``dataset``, ``data``, ``options``, ``contents``, ``stamps``."""
        found: dict[str, Any] = cell[self.of] if self.of else cell
        return found


@dataclass(frozen=True)
class Errand:
    """One cell to be computed elsewhere.

    Parameters
    ----------
    cell
        A `Cell` as a dictionary; its device is what the user asked for.
    token
        A file in the results folder, by which a worker knows that it sees the folder, and what it holds.
    installed
        What must be the same there, as `specrec.cells.executors.fitness.providers` gives it.
    known
        What came of the trials of plugins, for the environment of the process.
    scenes
        What it reads of its data set, and of the other one where there is one.
    results
        Files of the results folder that the cell reads.
    """

    cell: dict[str, Any] = field(repr=False)
    token: tuple[str, str]
    installed: dict[str, dict[str, Any]]
    known: dict[str, str]
    scenes: tuple[Scenes, ...] = ()
    results: tuple[FileFacts, ...] = ()

    @property
    def files(self) -> list[FileFacts]:
        """List every file."""
        return [*(facts for some in self.scenes for facts in some.files), *self.results]

    def with_digests(self, paths: set[str]) -> "Errand":
        """Return the same with the digests of some files."""
        return self.with_files({facts.path: facts.with_digest() for facts in self.files if facts.path in paths})

    def with_files(self, known: Mapping[str, FileFacts]) -> "Errand":
        """Return the same with other facts of some files, by path."""

        def told(files: tuple[FileFacts, ...]) -> tuple[FileFacts, ...]:
            return tuple(known.get(facts.path, facts) for facts in files)

        scenes = tuple(replace(some, files=told(some.files)) for some in self.scenes)
        return replace(self, scenes=scenes, results=told(self.results))


@dataclass(frozen=True)
class Missing:
    """The worker does not see these files: it has to know their digests, or to get them."""

    paths: tuple[str, ...]


@dataclass(frozen=True)
class Computed:
    """The record of a cell, and the files beside it where the worker does not see the results folder.

    Parameters
    ----------
    record
        As the cell's process has told it.
    folder
        Of the worker's own, with what the cell has written; empty: all is in the results folder already.
    files
        Names in `folder` with their sizes, the record last.
    """

    record: dict[str, Any] = field(repr=False)
    folder: str = ""
    files: tuple[tuple[str, int], ...] = ()
