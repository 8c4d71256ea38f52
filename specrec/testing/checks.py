"""A check: one promise of the contract, tried on one thing that a plugin offers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from specrec.errors import SpecrecError, UsageError
from specrec.registry import Registry, registry

Kind = Literal["method", "metric", "scenes"]


class NotConforming(SpecrecError, AssertionError):  # noqa: N818 - the word a report prints
    """A broken promise; the message says what was found and what to change."""


class NotApplicable(Exception):  # noqa: N818 - it is none
    """A promise that this thing does not make, or that cannot be tried here; the message says why."""


@dataclass(frozen=True)
class Check:
    """One promise, tried on one thing.

    Parameters
    ----------
    kind
        Of thing.
    subject
        Which one: ``grey[steps=4]``, a metric's id, a data set.
    promise
        In a few words: "a refit forgets".
    run
        Tries it and returns a remark, such as a time, or nothing. Raises `NotConforming` or `NotApplicable`; anything
        else that is raised comes from the plugin.
    """

    kind: Kind
    subject: str
    promise: str
    run: Callable[[], str] = field(repr=False)

    def __call__(self) -> str:
        """Try it; see `run`."""
        return self.run()

    def __str__(self) -> str:
        return f"{self.subject}: {self.promise}"


def checks_of(
    distribution: str, data: Mapping[str, Path] | None = None, *, offered: Registry | None = None
) -> list[Check]:
    """List every check of everything that a distribution offers.

    Parameters
    ----------
    distribution
        Its name as pip knows it.
    data
        Folders of data sets that need one, by the name of the data set; otherwise that of their environment variable.
    offered
        Where to look; default: what is installed.

    Raises
    ------
    UsageError
        If it offers nothing.
    """
    from specrec.testing.methods import method_checks
    from specrec.testing.metrics import metric_checks
    from specrec.testing.scenes import scene_checks

    found = registry() if offered is None else offered
    checks: list[Check] = []
    for method in found.reconstructors.values():
        checks += method_checks(method.value) if method.distribution == distribution else []
    for metric in found.metrics.values():
        checks += metric_checks(metric.value) if metric.distribution == distribution else []
    for source in found.scene_sources.values():
        folder = (data or {}).get(source.name)
        checks += scene_checks(source.value, folder) if source.distribution == distribution else []
    if not checks:
        raise UsageError(f"{distribution} offers nothing that could be tested; specrec doctor lists the plugins")
    return checks
