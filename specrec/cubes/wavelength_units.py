"""Wavelengths as other people's files say them, in nm."""

import numpy as np
from numpy.typing import NDArray

from specrec.errors import DataError
from specrec.spectra import check_wavelengths

_UNITS = {
    1.0: ("nm", "nanometer", "nanometers", "nanometre", "nanometres"),
    1e3: ("um", "µm", "μm", "micrometer", "micrometers", "micrometre", "micrometres", "micron", "microns"),
    1e9: ("m", "meter", "meters", "metre", "metres"),
}
_NANOMETRES = {name: factor for factor, names in _UNITS.items() for name in names}


def in_nanometres(wavelengths: NDArray[np.float64], unit: str, where: str) -> NDArray[np.float64]:
    """Return wavelengths in nm, rounded to a millionth where they were in another unit.

    Parameters
    ----------
    wavelengths
        One per band.
    unit
        Its name in any case; empty or "unknown" for nm where all are 100 or more.
    where
        The file, for the message.

    Raises
    ------
    DataError
        For another unit, or wavelengths that do not increase.

    Examples
    --------
    >>> in_nanometres([0.4, 0.41], "Micrometers", "a file").tolist()
    [400.0, 410.0]
    """
    given = np.asarray(wavelengths, dtype=np.float64)
    factor = _NANOMETRES.get(unit.strip().lower())
    if factor is None and unit.strip().lower() in ("", "unknown") and given.size and given.min() >= 100.0:
        factor = 1.0  # light of 100 micrometres is no camera's
    if factor is None:
        raise DataError(f"{where}: the wavelength units are {unit.strip()[:40]!r}; nanometers were expected")
    return check_wavelengths(given if factor == 1.0 else np.round(given * factor, 6), where)
