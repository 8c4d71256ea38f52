"""The harness: protocol -> folds -> cells -> executor -> results -> tables.

The package is also the function: ``specrec.bench(methods=["gan"])`` calls `specrec.bench.run.bench`.

Modules, in the order of a bench:

- before any computing: `protocol`, `folds`, `copies`, `cross` (the other data set), `plan`, `data`,
  `estimate` and `warm_up` (what it will take);
- the folder: `manifest`, `folder` (whose it is), `overwriting`, `planned_cells`, `stock` (what is there and what is
  missing);
- computing: `places` (where), `ceiling`, `computing`, `watching`, all of it in `run`; `reproduce` (one cell again, held
  against the first by `likeness`);
- reading: `results`, `scores`, `statistics`, `paired`, `rows`, `tables`, `latex`, `cost`, `robustness`, `separate`,
  `origins`, `figures`, `written_tables`.
"""

import sys
from types import ModuleType
from typing import Any


class _CallableModule(ModuleType):
    """Lets ``specrec.bench(...)`` be the call and ``specrec.bench.folds`` the room, in whichever order they come."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from specrec.bench.run import bench

        return bench(*arguments, **options)


sys.modules[__name__].__class__ = _CallableModule
