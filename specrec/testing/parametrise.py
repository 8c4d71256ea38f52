"""The contract as pytest parametrisation, for the tests of a plugin."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from specrec.testing.checks import Check, NotApplicable, checks_of


def conformance(distribution: str, data: Mapping[str, Path] | None = None) -> Any:
    """Run a test function once for each check of a distribution; its one argument is called ``check``.

    Parameters
    ----------
    distribution, data
        As for `specrec.testing.checks_of`.

    Examples
    --------
    ::

        @conformance("specrec-grey")
        def test_the_plugin_keeps_the_contract(check):
            check()
    """
    return parametrised(checks_of(distribution, data))


def parametrised(checks: Sequence[Check]) -> Any:
    """Run a test function once for each of these checks; what is not applicable counts as skipped, with its reason."""
    import pytest

    return pytest.mark.parametrize(
        "check", [_skipping(check) for check in checks], ids=[str(check) for check in checks]
    )


def _skipping(check: Check) -> Callable[[], str]:
    import pytest

    def run() -> str:
        try:
            return check()
        except NotApplicable as reason:
            pytest.skip(str(reason))

    return run
