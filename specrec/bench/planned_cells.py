"""The cells of a bench, in the order in which they are begun."""

from collections.abc import Iterable

from specrec.bench.folds import sampled
from specrec.bench.plan import Plan
from specrec.cells.cell import Cell, seed_of
from specrec.datasets.survey import Survey


def planned_cells(plan: Plan, facts: Survey, *, save_cubes: bool) -> Iterable[Cell]:
    """List every cell of a plan: all methods of a fold before the next fold, all folds before the next run."""
    chosen = plan.protocol
    for run in range(chosen.runs):
        for index in chosen.computed_folds:
            fold = plan.split.folds[index]
            scored = sampled(fold.train, chosen.score_training, (chosen.seed, index))
            known = {name: facts.facts[name] for name in fold.test + fold.train}
            for written, method in plan.methods.values():
                yield Cell(
                    method=method.name,
                    written=written,
                    settings=dict(method.settings),
                    fold=index,
                    run=run,
                    seed=seed_of(chosen.seed, index, run),
                    train=list(fold.train),
                    test=list(fold.test),
                    dataset=chosen.dataset,
                    data=str(plan.source.path.resolve()) if plan.source.path is not None else None,
                    options=dict(plan.source.settings),
                    extents={name: (one.low, one.high) for name, one in known.items()},
                    contents={name: one.sha256 for name, one in known.items()},
                    scaling=chosen.scaling,
                    quantisation=chosen.quantisation,
                    region=chosen.region,
                    tiles=chosen.tiles,
                    threads=chosen.threads,
                    device="cpu",
                    folder=str(plan.folder.resolve()),
                    save_cubes=save_cubes,
                    scored_training=scored,
                    influence=chosen.influence,
                    ceiling=chosen.ceiling,
                    cost=run == 0 and index == chosen.computed_folds[0],
                )
