"""Who is told how far a bench is."""

from collections.abc import Mapping
from typing import Any


class Watcher:
    """Is told how far a bench is. This one passes over everything; the command line shows it on standard error."""

    def phase(self, words: str, done: float) -> None:
        """Something common is under way, such as reading the data."""

    def note(self, words: str) -> None:
        """Something that the user should know."""

    def planned(self, total: int, missing: int) -> None:
        """So many cells there are, and so many are to be computed."""

    def cell(self, label: str, done: float, words: str) -> None:
        """One cell is under way."""

    def finished(self, record: Mapping[str, Any]) -> None:
        """One cell is stored."""
