"""The page of some cube files: those of one size are compared pixel by pixel, those of another are a scene apart."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from specrec.cubes import open_cube
from specrec.cubes.stored import StoredCube
from specrec.errors import UsageError
from specrec.report.looking import SceneToShow, Shown, pack_scenes
from specrec.report.page import PAGE_BYTES, RESERVE, write_page
from specrec.scenes import Mask
from specrec.spectra import Cube, describe_grid

REFERENCES = ("reference", "truth")
"""A cube of this stem, or of this method, is what the others are compared with."""


@dataclass(frozen=True)
class _Given:
    path: Path
    file: StoredCube
    label: str

    @property
    def is_reference(self) -> bool:
        return self.path.stem.lower() in REFERENCES or self.file.attributes.get("method") in REFERENCES

    def read(self, step: int) -> Cube:
        height, width = self.file.shape[:2]
        values = self.file.fetch(slice(0, height, step), slice(0, width, step))  # NaN may be looked at
        return np.asarray(values, dtype=np.float32)

    def valid(self, step: int) -> Mask:
        height, width = self.file.shape[:2]
        mask = np.ones((height, width), dtype=np.bool_) if self.file.mask is None else self.file.mask
        return mask[::step, ::step]


def write_view_page(
    cubes: Sequence[Path], target: Path, reference: Path | None = None, *, overwrite: bool = True
) -> Path:
    """Write the page of cube files.

    Parameters
    ----------
    cubes
        Their paths, in the order in which they are shown.
    target
        The HTML file.
    reference
        The cube that the others are compared with; it need not be among `cubes`. None: one whose stem or method is
        ``reference`` or ``truth``, where there is one.
    overwrite
        Whether an existing page may be replaced.

    Raises
    ------
    UsageError
        If there is no such file, no cube has the size of `reference`, there are too many for a page, or the page exists
        and must not be replaced.
    DataError
        If a file is damaged.
    """
    found: dict[Path, Path] = {}
    for path in [*([reference] if reference is not None else []), *cubes]:
        found.setdefault(Path(os.path.realpath(path)), path)  # one file may be spelt in two ways
    paths = list(found.values())
    with ExitStack() as opened:
        given = _labels(paths, [opened.enter_context(open_cube(path)) for path in paths])
        groups: dict[tuple[int, int], list[_Given]] = {}
        for one in given:
            groups.setdefault((one.file.shape[0], one.file.shape[1]), []).append(one)
        if reference is not None and len(paths) > 1:
            height, width = given[0].file.shape[:2]
            if len(groups[height, width]) == 1:
                raise UsageError(f"no other cube has the {height} x {width} pixels of --reference {reference}")
        scenes = [_scene(shape, group, reference) for shape, group in groups.items()]
        names = list(dict.fromkeys(path.name for path in paths))
        alone = reference is None and any(
            len(group) > 1 and not any(one.is_reference for one in group) for group in groups.values()
        )
        data = {
            "kind": "view",
            "title": ", ".join(names[:3]) + ", …" * (len(names) > 3),
            "lead": _lead(given) + "; none is the reference: --reference CUBE shows errors" * alone,
            "scenes": pack_scenes(scenes, PAGE_BYTES - RESERVE),
        }
    return write_page(target, f"{data['title']} - specrec", data, overwrite=overwrite)


def _lead(given: Sequence[_Given]) -> str:
    count = f"{len(given)} cubes, " if len(given) > 1 else ""
    sizes = dict.fromkeys(f"{one.file.shape[0]} x {one.file.shape[1]} pixels" for one in given)
    grids = dict.fromkeys(describe_grid(one.file.wavelengths) for one in given)
    return count + "; ".join([" and ".join(sizes), " and ".join(grids)])


def _labels(paths: Sequence[Path], files: Sequence[StoredCube]) -> list[_Given]:
    """Call each cube by its method, or its stem, where that tells it from the others; else by its path."""
    methods = [str(file.attributes.get("method") or "") for file in files]
    for names in (methods, [path.stem for path in paths], [path.name for path in paths]):
        if all(names) and len(set(names)) == len(names) and (len(names) > 1 or names is not methods):
            break
    else:
        names = [str(path) for path in paths]
    return [_Given(*given) for given in zip(paths, files, names, strict=True)]


def _scene(shape: tuple[int, int], group: list[_Given], reference: Path | None) -> SceneToShow:
    chosen = [given for given in group if given.path == reference]
    if reference is None and len(group) > 1:
        chosen = [given for given in group if given.is_reference][:1]
    ordered = chosen + [given for given in group if given not in chosen]
    first = ordered[0].file.attributes
    shown = [
        Shown(
            given.label,
            index - len(chosen),
            given.file.wavelengths,
            given.read,
            given.valid,
            f"{given.path}, {describe_grid(given.file.wavelengths)}",
        )
        for index, given in enumerate(ordered)
    ]
    stems = list(dict.fromkeys(given.path.stem for given in ordered))
    return SceneToShow(
        stems[0] if len(stems) == 1 else ", ".join(given.label for given in ordered[:3]) + ", …" * (len(ordered) > 3),
        shape,
        shown,
        str(first.get("quantity", "")),
        str(first.get("units", "")),
        scale_to_white=True,
    )
