"""The contract that every plugin keeps, as checks that its author runs: ``specrec plugin test`` or pytest.

In a plugin's own tests::

    from specrec.testing import conformance

    @conformance("specrec-grey")
    def test_the_plugin_keeps_the_contract(check):
        check()
"""

from specrec.testing.checks import Check, NotApplicable, NotConforming, checks_of
from specrec.testing.parametrise import conformance

__all__ = ["Check", "NotApplicable", "NotConforming", "checks_of", "conformance"]
