"""Classical methods, a module per paper: the controls and the baselines that every other method must beat."""

from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor

SPECREC_INTERFACE = "1.0"


@hookimpl
def specrec_reconstructors() -> list[type[Reconstructor]]:
    """Offer the methods of this package."""
    from specrec_classical.aplus import APlus
    from specrec_classical.filterbank.method import Filterbank
    from specrec_classical.kernel import Kernel
    from specrec_classical.linear import Linear
    from specrec_classical.mallett import Mallett
    from specrec_classical.matrix_r import MatrixR
    from specrec_classical.mean import Mean
    from specrec_classical.nearest import Nearest
    from specrec_classical.pca import Pca
    from specrec_classical.polynomial import Polynomial
    from specrec_classical.rbf import Rbf
    from specrec_classical.root_polynomial import RootPolynomial

    return [APlus, Filterbank, Kernel, Linear, Mallett, MatrixR, Mean, Nearest, Pca, Polynomial, Rbf, RootPolynomial]
