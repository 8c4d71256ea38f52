"""What a worker of a cluster is asked for one cell, and what it answers; plain values, which travel."""

from dataclasses import dataclass, field, replace
from typing import Any

from specrec.cluster.files import FileFacts


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
        The files of the data set that the cell reads.
    made
        Its scenes that are read from no file, and made there.
    results
        Files of the results folder that the cell reads.
    """

    cell: dict[str, Any] = field(repr=False)
    token: tuple[str, str]
    installed: dict[str, str]
    known: dict[str, str]
    scenes: tuple[FileFacts, ...] = field(default=(), repr=False)
    made: tuple[str, ...] = ()
    results: tuple[FileFacts, ...] = ()

    def with_digests(self, paths: set[str]) -> "Errand":
        """Return the same with the digests of some files."""
        known = {facts.path: facts.with_digest() for facts in (*self.scenes, *self.results) if facts.path in paths}
        scenes, results = (
            tuple(known.get(facts.path, facts) for facts in files) for files in (self.scenes, self.results)
        )
        return replace(self, scenes=scenes, results=results)


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
