"""A plugin of specrec: the method `local-maps`, the metric `rmse@worst-band`, the data set `npz-folder`."""

from specrec import hookimpl

SPECREC_INTERFACE = "1.0"
"""The version of specrec's interface that this was written for."""


@hookimpl
def specrec_reconstructors():
    """Offer the method."""
    from specrec_example.local_maps import LocalMaps

    return [LocalMaps]


@hookimpl
def specrec_metrics():
    """Offer the metric."""
    from specrec_example.worst_band import RMSE_WORST_BAND

    return [RMSE_WORST_BAND]


@hookimpl
def specrec_scene_sources():
    """Offer the data set."""
    from specrec_example.npz_folder import NpzFolder

    return [NpzFolder]
