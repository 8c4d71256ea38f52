"""Classical methods: the controls that every other method must beat."""

from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor


@hookimpl
def specrec_reconstructors() -> list[type[Reconstructor]]:
    """Offer the methods, a module each."""
    from specrec_classical.linear import Linear
    from specrec_classical.mean import Mean
    from specrec_classical.pca import Pca
    from specrec_classical.polynomial import Polynomial
    from specrec_classical.root_polynomial import RootPolynomial

    return [
        Linear,
        Mean,
        Pca,
        Polynomial,
        RootPolynomial,
    ]
