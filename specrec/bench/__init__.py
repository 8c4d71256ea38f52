"""The harness: protocol -> folds -> cells -> executor -> results -> tables.

The package is also the function: ``specrec.bench(methods=["gan"])`` calls `specrec.bench.run.bench`.
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
