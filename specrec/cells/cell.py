"""One cell: a method, trained on one fold's scenes and tested on the others, in one run."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from specrec.parameters import slug


@dataclass(frozen=True, slots=True)
class Cell:
    """Everything that one cell needs, in plain values, so that it can travel to any process.

    Parameters
    ----------
    method, settings
        Name and resolved parameters.
    written
        The method as the user wrote it.
    fold, run
        Which one.
    seed
        Of this cell; it comes from the protocol's seed, the fold and the run alone.
    train, test
        Names of scenes.
    dataset, data, options
        The scene source, its folder and its options.
    extents, contents
        Minimum and maximum of each scene, and the hash of its content, from the survey.
    scaling, quantisation, region, tiles, threads
        As in the protocol.
    device
        Where to compute.
    folder
        Of the results.
    save_cubes
        Also write every estimate and every scaled reference.
    scored_training
        Names of training scenes that are scored too.
    influence
        Places of test scenes over which the influence of the surroundings is averaged.
    ceiling
        0: there is none; otherwise test scenes are also scored on its pixels.
    stamps
        Of each scene its files: name, size, and time of change in ns, by which a change is noticed. They decide
        nothing: a file that was only touched, or copied to another machine, is the same.
    robustness
        Conditions under which test scenes are looked at again.
    cross
        Of the other data set that is only tested: ``dataset``, ``data``, ``options``, ``scenes``, ``extents``,
        ``contents`` and ``stamps``, as above; empty: there is none.
    cost
        Also measure what the fitted method costs; it changes no score.
    """

    method: str
    settings: dict[str, Any]
    written: str
    fold: int
    run: int
    seed: int
    train: list[str]
    test: list[str]
    dataset: str
    data: str | None
    options: dict[str, Any]
    extents: dict[str, tuple[float, float]] = field(repr=False)
    contents: dict[str, str] = field(repr=False)
    scaling: Any
    quantisation: Any
    region: str
    tiles: str
    threads: int
    device: str
    folder: str
    save_cubes: bool = False
    scored_training: list[str] = field(default_factory=list)
    influence: int = 0
    ceiling: int = 0
    cost: bool = False
    stamps: dict[str, list[tuple[str, int, int]]] = field(default_factory=dict, repr=False)
    robustness: list[str] = field(default_factory=list)
    cross: dict[str, Any] = field(default_factory=dict, repr=False)

    def values(self) -> dict[str, Any]:
        """What `Cell(**values)` makes the cell of; what is large in it is shared, and not copied."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @property
    def slug(self) -> str:
        """The method's name in paths."""
        return slug(self.method, self.settings)

    @property
    def label(self) -> str:
        """The cell in words."""
        return cell_name(self.written, self.fold, self.run)

    @property
    def path(self) -> Path:
        """The file of its result."""
        return Path(self.folder) / "cells" / self.slug / f"fold{self.fold}-run{self.run}.json"

    @property
    def checkpoint(self) -> Path:
        """The file where a training keeps its state until the result is written."""
        return Path(self.folder) / "checkpoints" / self.slug / f"fold{self.fold}-run{self.run}.safetensors"

    @property
    def cubes(self) -> Path:
        """The folder of its estimates."""
        return Path(self.folder) / "cubes" / self.slug / f"fold{self.fold}-run{self.run}"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder of its method that it may write into."""
        return self.path.parent, self.checkpoint.parent, self.cubes

    @property
    def shared_folders(self) -> tuple[Path, ...]:
        """Further ones, into which the cells of every method write."""
        return self.cubes.parents[1] / "reference", Path(self.folder) / "looks"


def cell_name(written: str, fold: int, run: int) -> str:
    """Name a cell in words.

    Examples
    --------
    >>> cell_name("gan[branches=4]", 0, 1)
    'gan[branches=4] fold 0 run 1'
    """
    return f"{written} fold {fold} run {run}"


def seed_of(seed: int, fold: int, run: int) -> int:
    """Derive the seed of a cell; it does not depend on which methods are listed."""
    return int(np.random.SeedSequence([seed, fold, run]).generate_state(1)[0])
