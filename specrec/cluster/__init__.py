"""Jobs on a Dask cluster, behind the interface of `concurrent.futures.Executor`; it knows nothing of cells.

Modules: `address` (what ``--dask`` may say), `connecting` and `own` (a client, and workers on this machine), `workers`
and `watch` (who is there, and fits), `given` and `executor` (jobs are given out, and again where a worker is lost),
`job` (inside a worker), `files`, `store` and `sending` (files that a worker does not see).
"""

from specrec.errors import SpecrecError


class ClusterError(SpecrecError):
    """The cluster cannot do the work at all: it cannot be reached, is gone, or has no worker that fits."""
