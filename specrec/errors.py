"""What can go wrong for a user: one sentence each, with the exit code the command line gives it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager


def printable(text: str) -> str:
    r"""Return a text on one line that steers no terminal: what cannot be shown is written as an escape.

    Examples
    --------
    >>> print(printable("a\x1b[31m\nb"))
    a\x1b[31m\nb
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


class SpecrecError(Exception):
    """A failure that one sentence explains: what, where, and the way out."""

    exit_code = 1
    _longest = 3000  # letters that are shown: what a file says may be of any length

    def __str__(self) -> str:
        """Return the sentence on one line: names from files may hold line ends, or the codes that steer a terminal."""
        words = printable(super().__str__())
        if len(words) <= self._longest:
            return words
        end = self._longest // 3  # where the way out is
        return f"{words[: self._longest - end]} [..] {words[-end:]}"


class UsageError(SpecrecError):
    """A request that cannot be meant: an unknown name, an ill-typed value, a contradiction."""

    exit_code = 2


class DataError(SpecrecError):
    """A file or scene that cannot be used as it is."""


class MemoryShortageError(DataError):
    """A file that the memory there is now does not hold; alone it may fit."""


class CannotGoOnError(SpecrecError):
    """What stops the whole of a work and is no part's failure: a full disk, a locked folder, data that changed.

    Parameters
    ----------
    words
        The sentence.
    place
        The file or folder that cannot be written; empty: it is about none, or nobody knows.
    """

    def __init__(self, words: str = "", place: str = "") -> None:
        super().__init__(words)
        self.place = place


class ChangedDataError(CannotGoOnError):
    """Data that is not what it was when the work began."""


class PluginError(SpecrecError):
    """A plugin that is broken, or two that claim one name."""


class PartialFailureError(SpecrecError):
    """The work is finished, but some parts of it failed; the message lists them."""

    exit_code = 3
    _longest = 1_000_000


class Stopped(BaseException):
    """Work is ended from outside. Like Ctrl-C it is no `Exception`, and whoever calls a plugin lets it through."""


STOPS = (KeyboardInterrupt, Stopped)
"""What is raised to end the program, and is never a plugin's failure."""

_LONGEST = 400  # letters of a reason
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")


def plain_line(text: str, longest: int = _LONGEST) -> str:
    r"""Return the first line of a text that says something, of letters that can be shown anywhere, and not too long.

    Examples
    --------
    >>> plain_line("\n \x1b[31mred\x1b[0m\talert\nand more")
    'red alert'
    """
    for line in _ESCAPES.sub("", text[: 100 * longest]).splitlines():
        shown = " ".join("".join(letter if letter.isprintable() else " " for letter in line).split())
        if shown:
            return shown if len(shown) <= longest else shown[: longest - 1] + "…"
    return ""


def in_a_line(error: BaseException) -> str:
    """Say in one line what was raised, whatever a plugin has raised.

    Examples
    --------
    >>> in_a_line(ValueError("no luck"))
    'ValueError: no luck'
    >>> in_a_line(DataError("scene a is damaged"))
    'scene a is damaged'
    """
    kind = plain_line(type(error).__name__, 80)
    try:
        words = plain_line(str(error))
    except STOPS:
        raise
    except BaseException:  # a message may raise too
        return f"{kind}, whose message cannot be read"
    if isinstance(error, MemoryError):
        return "out of memory"
    if isinstance(error, SpecrecError) and words:
        return words
    return f"{kind}: {words}" if words else kind


@contextmanager
def explained(what: str, kind: type[SpecrecError] = PluginError) -> Iterator[None]:
    """Turn whatever a plugin raises in the block into one sentence that begins with `what`.

    What is a sentence already goes through, and so does what ends the program.
    """
    try:
        yield
    except (SpecrecError, *STOPS):
        raise
    except BaseException as error:  # SystemExit too
        raise kind(f"{what}: {in_a_line(error)}") from error
