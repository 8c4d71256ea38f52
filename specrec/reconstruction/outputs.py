"""Which photos are meant, and the file that the cube of each goes to; no two ever to one."""

import glob
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from specrec.cubes import SUFFIXES as CUBE_SUFFIXES
from specrec.cubes import check_form, written_paths
from specrec.errors import UsageError
from specrec.images import SUFFIXES, UNREAD
from specrec.parameters import nearest
from specrec.reconstruction.preview import MARK


class Work(NamedTuple):
    """A photo, and where its cube goes."""

    photo: Path
    target: Path


class Found(NamedTuple):
    """What inputs stand for."""

    photos: list[Path]
    """In the order of the inputs, inside a folder or a glob by name; none twice."""
    one: bool
    """Whether a single file was named, so that an output may be named too."""
    previews: int = 0
    """How many previews of earlier runs were left out."""
    unread: str = ""
    """What folders hold beside photos that is a picture and is not read, in words, such as ``3 HEIC files``."""


def find_photos(inputs: Iterable[str | os.PathLike[str]]) -> Found:
    """Find the photos that files, folders and globs stand for.

    Parameters
    ----------
    inputs
        A file is taken as it is, also where it does not exist. A folder stands for the images directly inside, by
        `specrec.images.SUFFIXES`; a glob such as ``photos/**/*.jpg`` for the files that match; both without names that
        begin with a dot. Previews of earlier runs are left out, unless one is all that is named.

    Raises
    ------
    UsageError
        For a folder without images, a glob that nothing matches, or an empty name.
    """
    named = [os.fspath(one) for one in inputs]
    if not all(named):
        raise UsageError("an input is empty; name a photo, a folder or a pattern")
    passed_over: list[Path] = []
    paths = [path for text in named for path in _meant(text, passed_over)]
    places: dict[Path, Path] = {}
    for path in paths:
        places.setdefault(_place(path), path)
    distinct = list(places.values())
    one = len(distinct) == 1 and all(_place(Path(text)) in places for text in named)
    photos = distinct if one else [path for path in distinct if not path.name.endswith(MARK)]
    if not photos:
        raise UsageError(f"{' and '.join(named)}: there are only previews of earlier runs; name photos")
    return Found(photos, one, len(distinct) - len(photos), _unread(set(passed_over)))


def _unread(paths: Iterable[Path]) -> str:
    """Count pictures that are not read, by their format."""
    counts = Counter(UNREAD[path.suffix.lower()] for path in paths)
    return " and ".join(f"{count} {kind} {'file' if count == 1 else 'files'}" for kind, count in sorted(counts.items()))


def _place(path: Path) -> Path:
    """Say where a path leads, without following links: a link stays what it is called."""
    return Path(os.path.normpath(path.absolute()))


def _identity(path: Path) -> object:
    """Say which file a path leads to through all links, so that no second name of it is taken for another file."""
    try:
        found = path.stat()
    except OSError:  # there is none
        return os.path.realpath(path)
    return found.st_dev, found.st_ino


def refuse_replacing(works: Iterable[Work], files: Callable[[Path], Iterable[Path]]) -> None:
    """Refuse works that would replace a photo; `files` lists what is written for the path of a cube.

    Raises
    ------
    UsageError
        Which names the photo; also where it is reached through a link.
    """
    works = list(works)
    photos = {_identity(work.photo): work.photo for work in works}
    for work in works:
        for file in files(work.target):
            photo = photos.get(_identity(file))
            if photo == work.photo:
                raise UsageError(f"{file} is the photo itself; choose another name for its cube")
            if photo is not None:
                through = "" if photo == file else f", which is {file}"
                raise UsageError(
                    f"the cube of {work.photo} would replace the photo {photo}{through}; name another folder with -o"
                )


def split_existing(files: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Part files into those that exist and those that do not."""
    listed = [(file, file.exists()) for file in files]
    return [file for file, exists in listed if exists], [file for file, exists in listed if not exists]


def _meant(text: str, passed_over: list[Path]) -> list[Path]:
    """List what a file, a folder or a glob stands for; hidden files, such as those beside photos of a Mac, are none.

    Pictures in a folder that are not read are added to `passed_over`.
    """
    path = Path(text)
    if path.is_dir():
        inside = _seen(path.iterdir())
        found = [file for file in inside if file.suffix.lower() in SUFFIXES and file.is_file()]
        unread = [file for file in inside if file.suffix.lower() in UNREAD and file.is_file()]
        passed_over += unread
        if not found:
            there = f"{_unread(unread)} there {'is' if len(unread) == 1 else 'are'} not read"
            way_out = f"; {there}: convert to JPEG or PNG" if unread else ""
            raise UsageError(
                f"there are no images in the folder {text}; their suffixes are {', '.join(sorted(SUFFIXES))}{way_out}"
            )
    elif glob.has_magic(text) and not path.exists():
        found = _seen(Path(match) for match in _matches(text) if Path(match).is_file())
        if not found:
            raise UsageError(f"no file matches {text}")
    else:
        return [path]
    return sorted(found)


def _matches(text: str) -> Iterator[str]:
    """Give what a pattern matches, going into each folder once: links may lead back to where they lie."""
    parts = Path(text).parts
    if "**" not in parts:
        yield from glob.glob(text)  # noqa: PTH207 - Path.glob takes no absolute pattern
        return
    start = parts.index("**")
    tail = parts[start + 1 :] or ("*",)
    for base in glob.glob(os.path.join(*parts[:start])) if start else [""]:  # noqa: PTH118, PTH207 - likewise
        for folder in _folders(base):
            yield from _matches(os.path.join(glob.escape(folder), *tail))  # noqa: PTH118 - a Path turns "" into "."


def _folders(base: str) -> Iterator[str]:
    """Give a folder and all that lie below it, by links too, those behind links last; none twice."""
    left, seen = deque([base]), set()
    while left:
        place = left.popleft()
        try:
            status = os.stat(place or ".")  # noqa: PTH116 - names stay texts, as glob gives them
            if (status.st_dev, status.st_ino) in seen:
                continue
            with os.scandir(place or ".") as entries:
                inside = [entry for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
        except OSError:  # it is no folder, or may not be read
            continue
        seen.add((status.st_dev, status.st_ino))
        yield place
        behind = [entry.is_symlink() for entry in inside]
        names = [os.path.join(place, entry.name) for entry in inside]  # noqa: PTH118 - likewise
        left.extendleft(name for name, linked in zip(names, behind, strict=True) if not linked)
        left.extend(name for name, linked in zip(names, behind, strict=True) if linked)


def _seen(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if not path.name.startswith(".")]


def name_outputs(
    found: Found, output: Path | None, form: str | None = None, dtype: str = "float32", *, is_folder: bool = False
) -> list[Work]:
    """Name the file that each cube goes to.

    Parameters
    ----------
    found
        As `find_photos` gives it.
    output
        For one photo a file or a folder, for several a folder; a name without a suffix is a folder; None: the current
        folder.
    form, dtype
        As for `specrec.cubes.write_cube`; without a form, cubes in a folder are HDF5.
    is_folder
        Whether `output` was written as a folder, with a slash at its end.

    Returns
    -------
    Every photo and its cube: the name of the photo with the suffix of the form in place of its own, or after it where
    two photos of one name would have one cube, or the cube would replace a photo.

    Raises
    ------
    UsageError
        If two photos would have one cube all the same; if `output` is a file and there are several; for an unknown form
        or suffix.
    """
    if form is not None and form not in CUBE_SUFFIXES:
        raise UsageError(f"unknown format {form!r}; {nearest(form, CUBE_SUFFIXES)}")
    is_folder = is_folder or (output is not None and not output.suffix and not output.is_file())
    if output is not None and not (is_folder or output.is_dir()):
        if found.one:
            check_form(output, form, dtype)
            works = [Work(found.photos[0], output)]
            refuse_replacing(works, partial(written_paths, form=form))
            return works
        if output.exists() or output.suffix.lower() in CUBE_SUFFIXES.values():
            raise UsageError(f"{output} is one file and the cubes of several photos need a folder; name one with -o")
    folder, suffix = output if output is not None else Path(), CUBE_SUFFIXES[form or "hdf5"]
    check_form(folder / f"cube{suffix}", form, dtype)
    works = _named(found.photos, suffix, folder)
    refuse_replacing(works, written_paths)
    return works


def _named(photos: Sequence[Path], suffix: str, folder: Path) -> list[Work]:
    def short(photo: Path) -> Path:
        return folder / f"{photo.stem}{suffix}"

    taken = {_identity(photo) for photo in photos}
    wanted = Counter(short(photo) for photo in photos)

    def free(target: Path) -> bool:
        return wanted[target] == 1 and taken.isdisjoint(_identity(file) for file in written_paths(target))

    works = [Work(photo, short(photo) if free(short(photo)) else folder / f"{photo.name}{suffix}") for photo in photos]
    seen: dict[Path, Path] = {}
    for photo, target in works:
        if target in seen:
            raise UsageError(
                f"the cubes of {seen[target]} and {photo} would both be {target}; reconstruct them into two folders"
            )
        seen[target] = photo
    return works
