"""The cells of a bench, in the order in which they are begun."""

from collections.abc import Iterable
from typing import Any

from specrec.bench.data import Data
from specrec.bench.folds import sampled
from specrec.bench.plan import Plan
from specrec.cells.cell import Cell, seed_of
from specrec.datasets.survey import Survey


def planned_cells(plan: Plan, data: Data, *, save_cubes: bool) -> Iterable[Cell]:
    """List every cell of a plan: all methods of a fold before the next fold, all folds before the next run."""
    chosen = plan.protocol
    shared = {index: _shared(plan, data.facts, index) for index in chosen.computed_folds}
    settings = {slug: dict(method.settings) for slug, (_, method) in plan.methods.items()}
    cross = plan.cross.for_cell(data.others) if plan.cross is not None else {}
    path = str(plan.source.path.resolve()) if plan.source.path is not None else None
    options, folder = dict(plan.source.settings), str(plan.folder.resolve())
    for run in range(chosen.runs):
        for index in chosen.computed_folds:
            for slug, (written, method) in plan.methods.items():
                yield Cell(
                    method=method.name,
                    written=written,
                    settings=settings[slug],
                    fold=index,
                    run=run,
                    seed=seed_of(chosen.seed, index, run),
                    dataset=chosen.dataset,
                    data=path,
                    options=options,
                    scaling=chosen.scaling,
                    quantisation=chosen.quantisation,
                    region=chosen.region,
                    tiles=chosen.tiles,
                    threads=chosen.threads,
                    device="cpu",
                    folder=folder,
                    save_cubes=save_cubes,
                    influence=chosen.influence,
                    ceiling=chosen.ceiling,
                    robustness=list(chosen.robustness),
                    cross=cross,
                    cost=run == 0 and index == chosen.computed_folds[0],
                    **shared[index],
                )


def _shared(plan: Plan, facts: Survey, index: int) -> dict[str, Any]:
    """Give what all cells of a fold share, each of them in one place of memory."""
    fold, chosen = plan.split.folds[index], plan.protocol
    known = {name: facts.facts[name] for name in fold.test + fold.train}
    return {
        "train": list(fold.train),
        "test": list(fold.test),
        "extents": {name: (one.low, one.high) for name, one in known.items()},
        "contents": {name: one.sha256 for name, one in known.items()},
        "stamps": {name: [file.stamp for file in one.files] for name, one in known.items()},
        "scored_training": sampled(fold.train, chosen.score_training, (chosen.seed, index)),
    }
