"""Classical methods, a module per paper: the controls and the baselines that every other method must beat."""

from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor


@hookimpl
def specrec_reconstructors() -> list[type[Reconstructor]]:
    """Offer the methods of this package."""
    from specrec_classical.aplus import APlus
    from specrec_classical.filterbank.method import Filterbank
    from specrec_classical.linear import Linear
    from specrec_classical.mean import Mean
    from specrec_classical.nearest import Nearest

    return [APlus, Filterbank, Linear, Mean, Nearest]
