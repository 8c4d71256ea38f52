"""JPEG (ISO/IEC 10918-1) through Pillow: 8-bit sRGB is written, with colours at half the resolution, and read back."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray


def compressed(levels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Write and read a photo, (height, width, 3); `quality` from 1 to 100 is that of libjpeg's scale."""
    from PIL import Image

    file = BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    with Image.open(file) as photo:
        read: NDArray[Any] = np.asarray(photo)
    return read.astype(np.uint8)
