"""What separate tiles cost against the truth: each image is also estimated exactly."""

from specrec.interfaces import Reconstructor
from specrec.metrics.spectral import rmse
from specrec.scenes import Image, Mask, Window
from specrec.spectra import Cube
from specrec.tiling import near_seams, reconstruct

Pair = tuple[float, float, float]
"""RMSE of the separate tiles, RMSE of the exact estimate, and the pixels that both are means over."""


def compare(
    method: Reconstructor, rgb: Image, separate: Cube, reference: Cube, mask: Mask, size: int
) -> dict[str, Pair]:
    """Score separate tiles of `size` beside the exact estimate, ``overall`` and ``near`` a seam where one counts."""
    exact = reconstruct(method, rgb)
    height, width = mask.shape
    near = mask & near_seams(Window(0, 0, height, width), (height, width), size)
    pairs = {}
    for part, chosen in {"overall": mask, "near": near}.items():
        if chosen.any():
            scores = [rmse(estimate, reference, chosen) for estimate in (separate, exact)]
            pairs[part] = (scores[0].value, scores[1].value, scores[0].weight)
    return pairs
