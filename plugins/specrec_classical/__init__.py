"""Classical methods: the controls that every other method must beat."""

from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor


@hookimpl
def specrec_reconstructors() -> list[type[Reconstructor]]:
    """Offer `filterbank`, `linear` and `mean`."""
    from specrec_classical.filterbank.method import Filterbank
    from specrec_classical.linear import Linear
    from specrec_classical.mean import Mean

    return [Filterbank, Linear, Mean]
