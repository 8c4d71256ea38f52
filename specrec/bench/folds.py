"""Folds: which scenes are tested together; seeded, or read from published lists."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from specrec.errors import UsageError, plain_line

_LONGEST = 1 << 24  # bytes of a list


@dataclass(frozen=True)
class Fold:
    """The scenes tested in one fold, and those it is trained on."""

    test: tuple[str, ...]
    train: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """All folds, and the scenes that no fold uses."""

    folds: tuple[Fold, ...]
    unused: tuple[str, ...] = ()

    @property
    def used(self) -> list[str]:
        """Every scene that some fold trains on or tests, sorted."""
        return sorted({name for fold in self.folds for name in fold.test + fold.train})

    def without(self, damaged: Sequence[str]) -> "Split":
        """Leave scenes out of every fold without moving the others."""
        gone = set(damaged)
        folds = tuple(
            Fold(
                tuple(name for name in fold.test if name not in gone),
                tuple(name for name in fold.train if name not in gone),
            )
            for fold in self.folds
        )
        _check(folds)
        return Split(folds, tuple(sorted({*self.unused, *gone})))


def seeded(names: Sequence[str], folds: int, per_fold: int, seed: int) -> Split:
    """Split scenes at random into equal folds.

    Parameters
    ----------
    names
        All scenes; their order does not matter.
    folds
        How many.
    per_fold
        Scenes in each; 0: as many as there are for all alike.
    seed
        Decides the split.

    Raises
    ------
    UsageError
        If there are too few scenes.
    """
    ordered = sorted(names)
    size = per_fold or len(ordered) // folds
    if size < 1 or size * folds > len(ordered):
        wanted = f"{folds} folds of {size}" if size else f"{folds} folds"
        raise UsageError(f"{len(ordered)} scenes are too few for {wanted}; lower --folds or --limit, or add scenes")
    shuffled = np.random.default_rng(seed).permutation(len(ordered))
    groups = [tuple(sorted(ordered[i] for i in shuffled[k * size : (k + 1) * size])) for k in range(folds)]
    return _from_groups(groups, [ordered[i] for i in shuffled[folds * size :]])


def from_lists(folder: Path, names: Sequence[str], limit: int | None = None) -> Split:
    """Read folds from ``test0.csv``, ``train0.csv``, ``test1.csv``, .. with one file name a line, as published.

    Parameters
    ----------
    folder
        Holds the lists.
    names
        The scenes there are; compared without case and without ``.mat``.
    limit
        Use the first so many of each list.

    Raises
    ------
    UsageError
        If there are no lists, or they name a scene that is missing.
    """
    known = {name.lower(): name for name in names}
    folds: list[Fold] = []
    while (folder / f"test{len(folds)}.csv").is_file():
        lists = []
        for part in ("test", "train"):
            path = folder / f"{part}{len(folds)}.csv"
            if not path.is_file():
                raise UsageError(f"{path} is missing beside test{len(folds)}.csv")
            lists.append(_read_list(path, known)[:limit])
        folds.append(Fold(*lists))
    if not folds:
        raise UsageError(f"{folder} holds no fold lists; expected test0.csv, train0.csv, test1.csv, train1.csv")
    _check(folds)
    listed = {name for fold in folds for name in fold.test + fold.train}
    return Split(tuple(folds), tuple(sorted(set(names) - listed)))


def limited(split: Split, limit: int) -> Split:
    """Keep the first scenes of each fold; what is trained on shrinks with the folds it comes from."""
    groups = [fold.test[:limit] for fold in split.folds]
    kept = {name for group in groups for name in group}
    return _from_groups(groups, [*split.unused, *(name for name in split.used if name not in kept)])


def sampled(names: Sequence[str], count: int, seed: Sequence[int]) -> list[str]:
    """Choose so many of the scenes at random, in their order; all of them where there are fewer."""
    chosen = np.random.default_rng(seed).permutation(len(names))[:count]
    return [names[index] for index in sorted(chosen)]


def _from_groups(groups: Sequence[tuple[str, ...]], unused: Sequence[str]) -> Split:
    folds = tuple(
        Fold(group, tuple(sorted(name for j, other in enumerate(groups) if j != k for name in other)))
        for k, group in enumerate(groups)
    )
    return Split(folds, tuple(sorted(unused)))


def _read_list(path: Path, known: dict[str, str]) -> tuple[str, ...]:
    try:
        if path.stat().st_size > _LONGEST:
            raise UsageError(f"{path} is too long for a list of scenes: it has more than {_LONGEST:,} bytes")
        lines = path.read_text("utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the fold list {path}: {error}") from None
    found: list[str] = []
    missing: list[str] = []
    for line in lines:
        name = known.get(line.strip().rstrip(",").lower().removesuffix(".mat"))
        if name is None:
            missing.append(line)
        else:
            found.append(name)
    if missing:
        raise UsageError(f"{path} names {len(missing)} scenes that are not there, first {plain_line(missing[0], 80)!r}")
    twice = [name for name, count in Counter(found).items() if count > 1]
    if twice:
        raise UsageError(f"{path} names {min(twice)!r} twice")
    return tuple(found)


def _check(folds: Sequence[Fold]) -> None:
    for index, fold in enumerate(folds):
        if not fold.test or not fold.train:
            raise UsageError(f"fold {index} has no scenes to {'test' if not fold.test else 'train on'}")
        both = set(fold.test) & set(fold.train)
        if both:
            raise UsageError(f"fold {index} trains on and tests {min(both)!r}")
