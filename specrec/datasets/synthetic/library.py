"""The measured spectra that every synthetic scene is mixed from; docs/spectral-sources.md names their authors."""

import warnings
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specrec.colour_tables import colour_table
from specrec.spectra import WAVELENGTHS

LOWEST, HIGHEST = 0.004, 0.98  # no surface is a perfect trap or a perfect white; logarithms stay finite
_DAYLIGHT_ROWS = 3
_SPECTRA = 373  # 99 CES, 24 + 30 chart patches, 15 CQS, 15 CIE samples, 190 of ACES
_TABLE_SHAPE = (_DAYLIGHT_ROWS + _SPECTRA, WAVELENGTHS.size)


@dataclass(frozen=True)
class Library:
    """Spectra at 400, 410, .. 700 nm.

    Parameters
    ----------
    reflectances
        (373, 31), clipped to [0.004, 0.98].
    daylight_basis
        (3, 31): S0, S1 and S2 of the CIE daylight series.
    """

    reflectances: NDArray[np.float64]
    daylight_basis: NDArray[np.float64]


@cache  # it is asked for with every scene, and the metadata of a package are read from its file
def spectra_version() -> str:
    """Name the package that the spectra come from: other spectra make other scenes."""
    return f"colour-science {version('colour-science')}"


@cache
def library() -> Library:
    """Return the library, from the cache folder or, once per machine, from colour-science (2 to 3 s)."""
    table = colour_table("library", _TABLE_SHAPE, lambda _colour: _table_from_colour())
    table.setflags(write=False)
    return Library(reflectances=table[_DAYLIGHT_ROWS:], daylight_basis=table[:_DAYLIGHT_ROWS])


def _table_from_colour() -> NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on import, colour warns of optional packages that are not needed here
        import colour
        from colour.characterisation import read_training_data_rawtoaces_v1
        from colour.quality import SDS_TCS, SDS_VS
        from colour.quality.cfi2017 import load_TCS_CIE2017

        basis = colour.colorimetry.SDS_BASIS_FUNCTIONS_CIE_ILLUMINANT_D_SERIES
        daylight = _rows(basis[name] for name in ("S0", "S1", "S2"))
        reflectances = [
            load_TCS_CIE2017(colour.SpectralShape(380, 780, 1))[WAVELENGTHS].T,
            _rows(colour.SDS_COLOURCHECKERS["BabelColor Average"].values()),
            _rows(colour.SDS_COLOURCHECKERS["PMC"].values()),
            _rows(SDS_VS["NIST CQS 9.0"].values()),
            _rows(SDS_TCS["CIE 2024"].values()),
            read_training_data_rawtoaces_v1()[WAVELENGTHS].T,
        ]
    return np.concatenate([daylight, np.clip(np.concatenate(reflectances), LOWEST, HIGHEST)])


def _rows(distributions: Any) -> NDArray[np.float64]:
    """Sample spectral distributions at the 31 bands, which all of them hold: nothing is interpolated."""
    return np.array([distribution[WAVELENGTHS] for distribution in distributions])
