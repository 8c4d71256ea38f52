"""Classical methods: the controls that every other method must beat."""

from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor


@hookimpl
def specrec_reconstructors() -> list[type[Reconstructor]]:
    """Offer the classical methods, one module each."""
    from specrec_classical.aplus import APlus
    from specrec_classical.linear import Linear
    from specrec_classical.mean import Mean
    from specrec_classical.nearest import Nearest

    return [
        APlus,
        Linear,
        Mean,
        Nearest,
    ]
