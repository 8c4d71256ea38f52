"""A check: one promise of the contract, tried on one thing that a plugin offers."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Literal, TypeVar

from specrec.errors import SpecrecError, UsageError
from specrec.parameters import Settings
from specrec.registry import Offer, Registry, registry

T = TypeVar("T")

Kind = Literal["method", "metric", "scenes", "plugin"]

NO_FOLDER = "it is read from a folder; name it"
"""How the reason begins for which nothing of a data set was tried."""
RAISED = (Exception, SystemExit)
"""What a plugin may raise, and counts as its failure: anything but what ends the program from outside."""


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
    distribution: str,
    data: Mapping[str, Path] | None = None,
    *,
    offered: Registry | None = None,
    trials: Mapping[str, Sequence[Settings]] | None = None,
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
    trials
        By the name of a method the settings to try it with, in place of its own.

    Raises
    ------
    UsageError
        If it offers nothing.
    """
    from specrec.testing.methods import method_checks
    from specrec.testing.metrics import metric_checks
    from specrec.testing.scenes import scene_checks

    found = registry() if offered is None else offered
    checks = [_unusable(one.name, one.reason) for one in found.broken if same_name(one.distribution, distribution)]
    for method in _of(distribution, found.reconstructors):
        checks += method_checks(method.value, (trials or {}).get(method.name))
    for metric in _of(distribution, found.metrics):
        checks += metric_checks(metric.value)
    for source in _of(distribution, found.scene_sources):
        checks += scene_checks(source.value, (data or {}).get(source.name))
    if not checks:
        try:
            metadata.distribution(distribution)
        except metadata.PackageNotFoundError:
            raise UsageError(not_installed(distribution)) from None
        raise UsageError(f"{distribution} offers nothing that could be tested; specrec doctor lists the plugins")
    return checks


def not_installed(distribution: str) -> str:
    """Say that a distribution is not there, and the way out."""
    return f"{distribution} is not installed in this environment: python -m pip install -e . in its folder"


def same_name(one: str, other: str) -> bool:
    """Tell whether two names are of one distribution: pip takes no notice of case, nor of which of - _ . it is."""
    return re.sub(r"[-_.]+", "-", one).lower() == re.sub(r"[-_.]+", "-", other).lower()


def _of(distribution: str, offers: Mapping[str, Offer[T]]) -> list[Offer[T]]:
    return [offer for _, offer in sorted(offers.items()) if same_name(offer.distribution, distribution)]


def _unusable(name: str, reason: str) -> Check:
    def run() -> str:
        raise NotConforming(f"it is listed as broken: {reason}")

    return Check("plugin", name, "it can be loaded and used", run)
