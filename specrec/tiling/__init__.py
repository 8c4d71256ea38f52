"""Whole-image and tiled inference: the same numbers in less memory, and the separate tiles of the paper as a mode.

A tile is read with the pixels around it that its estimate depends on, so that nothing is lost at its edges. The modes:

================  ====================================================================================================
``auto``          whole where the working memory allows it, else the largest tiles that it allows
``whole``         the whole image at once
``SIZE``          tiles of SIZE x SIZE pixels
``separate:SIZE`` tiles that see nothing of their neighbours (Alvarez-Gila et al. 2017, 3.2): other numbers near seams
================  ====================================================================================================
"""

from specrec.tiling.inference import reconstruct, stream
from specrec.tiling.plan import parse_tiles
from specrec.tiling.seams import SEAM, SeamCost, near_seams

__all__ = ["SEAM", "SeamCost", "near_seams", "parse_tiles", "reconstruct", "stream"]
