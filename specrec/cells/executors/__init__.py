"""Where cells compute: anything with the interface of `concurrent.futures.Executor`.

Modules: `local` (a process for each cell), `in_process` (this one), `slots` (their devices).
"""

from collections.abc import Callable

CellProgress = Callable[[str, float, str], None]
"""Called with the label of a cell, the fraction done and a few words."""
