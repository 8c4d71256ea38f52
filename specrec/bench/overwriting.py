"""What ``--overwrite all`` still has to replace: written down, so that a start after a kill goes on where it was.

The file ``overwriting.json`` holds, by method and cell, the hash of each record that was there when it began. A cell
whose record has that hash still is to be replaced; every other one has been. So an earlier result stays until its
replacement is there. When a bench of these methods ends the file goes, or keeps what could not be replaced.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Literal, get_args

from specrec.cache import written_whole
from specrec.errors import SpecrecError, UsageError
from specrec.parameters import nearest
from specrec.untrusted import read_json, read_plain

Overwrite = Literal["never", "failed", "all"]
"""``never``: only what is missing is computed; ``failed``: what has failed too; ``all``: everything."""


def parse_overwrite(value: "bool | Overwrite") -> Overwrite:
    """Take what a user says; True is ``all``, and False is ``failed``.

    Raises
    ------
    UsageError
        For another word.
    """
    if isinstance(value, bool):
        return "all" if value else "failed"
    if value not in get_args(Overwrite):
        raise UsageError(f"--overwrite is never, failed or all, not {value!r}; {nearest(value, get_args(Overwrite))}")
    return value


def digest(content: bytes) -> str:
    """Hash a record's file."""
    return hashlib.sha256(content).hexdigest()


class Overwriting:
    """The records of a results folder that are to be replaced.

    Parameters
    ----------
    folder
        Of the results.

    Raises
    ------
    SpecrecError
        If the file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "overwriting.json"
        self._marks: dict[str, dict[str, str]] = {}
        self._ended: set[str] = set()
        try:
            values = read_json(self._path)
            self._marks = {str(slug): dict(map(_words, cells.items())) for slug, cells in values["marks"].items()}
            self._ended = set(map(str, values["ended"]))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise SpecrecError(
                f"{self._path} is damaged; remove it, and pass --overwrite again if you want it"
            ) from None

    def choose(self, overwrite: Overwrite, slugs: Iterable[str], *, dry: bool = False) -> None:
        """Mark all records of methods (``all``), forget their marks (``never``), or go on (``failed``).

        A method whose ``all`` was stopped on its way goes on under ``all`` too; one that begins loses its checkpoints.
        With `dry` nothing is written.
        """
        begun = set(self._marks) - self._ended
        changed = [slug for slug in slugs if (slug not in begun if overwrite == "all" else slug in self._marks)]
        if overwrite == "failed" or not changed:
            return
        for slug in changed:
            self._marks.pop(slug, None)
            if overwrite == "all":
                if not dry:  # before there is a mark to go on by
                    shutil.rmtree(self._folder / "checkpoints" / slug, ignore_errors=True)
                self._marks[slug] = self._digests(slug)
        self._ended -= set(changed)
        if not dry:
            self._write()

    def awaits(self, path: Path, content: bytes) -> bool:
        """Tell whether a record, of which this is the content, is to be replaced."""
        mark = self._marks.get(path.parent.name, {}).get(path.stem)
        return mark is not None and mark == digest(content)

    def end(self, slugs: Iterable[str]) -> None:
        """Say that methods are through: marks stay on what could not be replaced, to be tried like what has failed."""
        through = [slug for slug in slugs if slug in self._marks]
        for slug in through:
            there = self._digests(slug)
            left = {stem: mark for stem, mark in self._marks.pop(slug).items() if there.get(stem) == mark}
            self._ended.discard(slug)
            if left:
                self._marks[slug] = left
                self._ended.add(slug)
        if through:
            self._write()

    def _digests(self, slug: str) -> dict[str, str]:
        found = {}
        for path in sorted((self._folder / "cells" / slug).glob("fold*-run*.json")):
            with suppress(OSError, ValueError):  # whoever needs it says so
                found[path.stem] = digest(read_plain(path))
        return found

    def _write(self) -> None:
        if self._marks:
            with written_whole(self._path) as temporary:
                values = {"marks": self._marks, "ended": sorted(self._ended)}
                temporary.write_text(json.dumps(values, indent=1), "utf-8")
        else:
            self._path.unlink(missing_ok=True)


def _words(item: tuple[object, object]) -> tuple[str, str]:
    return str(item[0]), str(item[1])
