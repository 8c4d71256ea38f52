"""Classical methods: the controls that every other method must beat."""

from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor


@hookimpl
def specrec_reconstructors() -> list[type[Reconstructor]]:
    """Offer the controls, and one method per paper."""
    from specrec_classical.kernel import Kernel
    from specrec_classical.linear import Linear
    from specrec_classical.mallett import Mallett
    from specrec_classical.matrix_r import MatrixR
    from specrec_classical.mean import Mean
    from specrec_classical.rbf import Rbf

    return [
        Linear,
        Mean,
        Kernel,
        Mallett,
        MatrixR,
        Rbf,
    ]
