"""8-bit pixels -> a PNG file, whole or not at all."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from specrec.cache import cannot_write, written_whole
from specrec.errors import UsageError


def write_png(path: Path, pixels: NDArray[np.uint8], *, overwrite: bool = False) -> None:
    """Write (height, width, 3) uint8 sRGB as a PNG, whole or not at all.

    Raises
    ------
    UsageError
        If the file exists and `overwrite` is false.
    SpecrecError
        If the folder cannot be written to.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"a PNG is made of (height, width, 3) uint8, not {pixels.shape} {pixels.dtype}")
    check_absent(path, overwrite)
    import PIL.Image

    with written_whole(path, overwrite=overwrite) as temporary:
        try:
            PIL.Image.fromarray(pixels).save(temporary, format="PNG")
        except OSError as error:  # Pillow says of a full disk that its encoder failed
            raise cannot_write(path, error) from None


def check_absent(path: Path, overwrite: bool) -> None:
    """Refuse to replace a file that nobody asked to replace, or to write over a folder."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file to write")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists; choose another name or pass --overwrite")
