"""Where cells compute: anything with the interface of `concurrent.futures.Executor`.

Modules: `in_process` (this process); `local` (a process for each cell, `one_process`, on devices of this machine,
`slots`); `cluster` (workers elsewhere: what they are asked, `errand`; what one does, `remote`; whether it has what the
cell needs, `fitness`).
"""

from collections.abc import Callable

CellProgress = Callable[[str, float, str], None]
"""Called with the label of a cell, the fraction done and a few words."""
