"""Sparse recovery of spectra from RGB over a learnt dictionary, after Arad and Ben-Shahar (2016)."""

from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor

SPECREC_INTERFACE = "1.0"


@hookimpl
def specrec_reconstructors() -> list[type[Reconstructor]]:
    """Offer `arad`."""
    from specrec_arad.method import Arad

    return [Arad]
