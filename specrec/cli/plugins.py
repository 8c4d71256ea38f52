"""What the commands have in common where plugins are: their failures as sentences, their prints away from the data."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from specrec.errors import STOPS, PartialFailureError, PluginError, SpecrecError, in_a_line

if TYPE_CHECKING:
    from specrec.registry import Registry


@contextmanager
def working(doing: str) -> Iterator[None]:
    """Let plugins work in the block: what they print goes to the standard error, and what they raise is a sentence."""
    from specrec.registry.printing import on_standard_error

    with on_standard_error():
        try:
            yield
        except (SpecrecError, *STOPS):
            raise
        except BaseException as error:
            if isinstance(error, OSError) and error.strerror:  # of a disk, say: it is a sentence already
                raise
            raise PluginError(f"{doing} failed: {in_a_line(error)}; specrec -v shows where") from error


def remarks(found: "Registry") -> list[str]:
    """List what is broken, and what is wrong with plugins that work, one line each."""
    lines = [f"{one.name}: broken ({one.distribution}): {one.reason}" for one in found.broken]
    return lines + [f"{one.name}: remark ({one.distribution}): {one.words}" for one in found.remarks]


def leave_if_broken(found: "Registry") -> None:
    """Leave with the exit code 3 where something is broken; it has been listed."""
    if found.broken:
        named = list(dict.fromkeys(f"{one.name} ({one.distribution})" for one in found.broken))
        what = "1 plugin is broken" if len(named) == 1 else f"{len(named)} plugins are broken"
        raise PartialFailureError(f"{what}: {', '.join(named)}")
