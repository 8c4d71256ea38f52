"""The per-pixel network: spectra from the colour of each pixel alone, the control for what context brings."""

from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor

SPECREC_INTERFACE = "1.0"


@hookimpl
def specrec_reconstructors() -> list[type[Reconstructor]]:
    """Offer `pixel`."""
    from specrec_pixel.method import Pixel

    return [Pixel]
