"""Scenes of one content under several names: all but the first are left out, so that none is trained on and tested."""

from collections.abc import Mapping

from specrec.bench.folds import Split
from specrec.datasets.survey import SceneFacts
from specrec.errors import UsageError


def copies_in(facts: Mapping[str, SceneFacts]) -> dict[str, str]:
    """Find scenes whose content another one has too.

    Returns
    -------
    By name the first of that content, in the order of names, which is none of them.
    """
    first: dict[str, str] = {}
    found = {}
    for name in sorted(facts):
        kept = first.setdefault(facts[name].sha256, name)
        if kept != name:
            found[name] = kept
    return found


def without_copies(split: Split, facts: Mapping[str, SceneFacts]) -> tuple[Split, dict[str, str]]:
    """Leave copies out of every fold, without moving the others.

    Returns
    -------
    The split, and for each copy the scene that is kept.

    Raises
    ------
    UsageError
        If too few scenes are left for a fold.
    """
    copies = copies_in(facts)
    try:
        return split.without(list(copies)), copies
    except UsageError as error:
        pairs = ", ".join(f"{name} and {kept}" for name, kept in copies.items())
        raise UsageError(
            f"{error}: the same content is in {pairs}, and is used once only; add scenes, or raise --limit"
        ) from None
