"""The metrics of specrec itself, offered through the hook that a plugin's metrics come through."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from specrec.hookspecs import hookimpl

if TYPE_CHECKING:
    from specrec.interfaces import Metric


@hookimpl
def specrec_metrics() -> Iterable["Metric"]:
    """Return the ten metrics, in the order in which they are listed."""
    from specrec.metrics import challenges, colour_difference, spectral

    return (
        spectral.RMSE,
        spectral.RRMSE,
        spectral.RRMSE_NORM,
        spectral.GFC,
        spectral.SAM,
        colour_difference.DE2000,
        challenges.RMSE_ARAD2016,
        challenges.MRAE_NTIRE2018,
        challenges.MRAE_NTIRE2020,
        challenges.PSNR,
    )
