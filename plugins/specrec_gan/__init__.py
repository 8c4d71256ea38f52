"""The adversarial U-Net of Alvarez-Gila, van de Weijer and Garrote (2017), doi:10.1109/ICCVW.2017.64, as a plugin."""

from specrec.hookspecs import hookimpl
from specrec.interfaces import Reconstructor

SPECREC_INTERFACE = "1.0"


@hookimpl
def specrec_reconstructors() -> list[type[Reconstructor]]:
    """Offer `gan`."""
    from specrec_gan.method import Gan

    return [Gan]
