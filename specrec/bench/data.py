"""The scenes of a bench, read once and checked before anything is computed."""

from dataclasses import dataclass, field, replace

from specrec.bench.copies import without_copies
from specrec.bench.cross import read_cross
from specrec.bench.plan import Plan
from specrec.bench.watching import Watcher
from specrec.cells.region import region_mask
from specrec.datasets.survey import Survey, check_rendered_grid, survey
from specrec.errors import DataError, explained
from specrec.interfaces import heeded


@dataclass(frozen=True)
class Data:
    """What was found of the scenes of a plan.

    Parameters
    ----------
    facts
        Of its own scenes.
    copies
        Scenes that are left out, each with the one whose content it has.
    others
        Facts of the scenes of the other data set, which is only tested.
    """

    facts: Survey
    copies: dict[str, str] = field(default_factory=dict)
    others: Survey = field(default_factory=Survey)


def check_data(plan: Plan, watch: Watcher, *, skip_damaged: bool) -> tuple[Plan, Data]:
    """Look at the scenes of a plan, and return the plan without those that are left out, and what was found.

    Raises
    ------
    DataError
        If one is damaged, unless `skip_damaged`, or cannot be rendered.
    UsageError
        If one is too small for the protocol's region, or too few are left.
    """
    facts = _read_data(plan, watch, skip_damaged=skip_damaged)
    split, copies = without_copies(plan.split.without(list(facts.damaged)), facts.facts)
    for name, kept in copies.items():
        watch.note(f"scene {name} is left out: it has the content of {kept}, and no scene is trained on and tested")
    plan = replace(plan, split=split)
    if plan.cross is None:
        return plan, Data(facts, copies)
    cross, others = read_cross(plan.cross, plan.protocol, split, facts, watch, skip_damaged=skip_damaged)
    return replace(plan, cross=cross), Data(facts, copies, others)


def _read_data(plan: Plan, watch: Watcher, *, skip_damaged: bool) -> Survey:
    used = plan.split.used
    with explained(f"the data set {plan.source.name!r} cannot make its scenes", DataError):
        plan.source.prepare(used, heeded(lambda done, words: watch.phase(f"making scenes: {words}", done)))
    facts = survey(plan.source, used, lambda done, words: watch.phase(f"checking scenes: {words}", done))
    if facts.damaged and not skip_damaged:
        name, reason = next(iter(facts.damaged.items()))
        others = f" (and {len(facts.damaged) - 1} more)" if len(facts.damaged) > 1 else ""
        raise DataError(f"scene {name} is damaged{others}: {reason}; repair it, or pass --skip-damaged")
    for name, reason in facts.damaged.items():
        watch.note(f"scene {name} is left out: {reason}")
    check_rendered_grid(facts)
    for found in facts.facts.values():
        region_mask(plan.protocol.region, *found.shape[:2])
    return facts
