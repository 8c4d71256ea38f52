"""The scenes of a bench, read once and checked before anything is computed."""

from specrec.bench.plan import Plan
from specrec.bench.watching import Watcher
from specrec.cells.region import region_mask
from specrec.datasets.survey import Survey, check_rendered_grid, survey
from specrec.errors import DataError, explained
from specrec.interfaces import heeded


def read_data(plan: Plan, watch: Watcher, *, skip_damaged: bool) -> Survey:
    """Make the scenes of a plan where they are to be made, and look at each.

    Raises
    ------
    DataError
        If one is damaged, unless `skip_damaged`, or cannot be rendered.
    UsageError
        If one is too small for the protocol's region.
    """
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
