"""Links inside a results folder: none that leads out of it is followed, whether for reading, writing or removing.

The folder may come from anyone, and a link in it would have a bench write, or a report show, files of whoever runs
them. The results folder itself may be a link, and lie below one: that is where its owner wants it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from specrec.errors import SpecrecError, plain_line

PARTS = ("cells", "ceiling", "checkpoints", "cubes", "looks", "report")
"""The folders that a bench or a report reads, writes or removes."""
FILES = ("manifest.json", "overwriting.json", "bench.lock", "bench.lock.json")
"""The files beside them that are opened; every other one is put in place by its name, which follows no link."""


def check_links(folder: Path) -> None:
    """Refuse a results folder with a link that leads out of it; nothing happens where there is no folder.

    Raises
    ------
    SpecrecError
        Which names the first such link, and where it leads.
    """
    root = Path(os.path.realpath(folder))
    for path in (folder / name for name in (*PARTS, *FILES)):
        for link in _links(path):
            target = Path(os.path.realpath(link))
            if not target.is_relative_to(root):
                raise SpecrecError(
                    f"{link} is a link to {plain_line(str(target))}, out of the results folder, and no such link is"
                    " followed; put what it leads to in its place, or choose another --output (the results folder"
                    " itself may be a link, so the whole of it can be moved to another disk)"
                )


def _links(path: Path) -> Iterator[Path]:
    """Give every link at a path and below it, without following any."""
    if _is_link(path):
        yield path
        return
    left = [path]
    while left:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    if entry.is_symlink() or _is_junction(entry.path):
                        yield Path(entry.path)
                    elif entry.is_dir(follow_symlinks=False):
                        left.append(Path(entry.path))
        except OSError:  # there is none, it is a file, or may not be read: whoever needs it says so
            continue


def _is_link(path: Path) -> bool:
    return path.is_symlink() or _is_junction(path)


def _is_junction(path: str | Path) -> bool:
    """Tell whether this is a link of Windows to a folder, which Python knows from 3.12 on."""
    known = getattr(os.path, "isjunction", None)
    return known is not None and bool(known(path))
