"""Camera raw -> linear light with the primaries of sRGB, by LibRaw through rawpy: the extra ``specrec[raw]``."""

import contextlib
from pathlib import Path

from specrec.errors import DataError
from specrec.images.stored import Stored, check_size, cut_array, damaged

_BYTES_PER_PIXEL = 16  # counts (2), LibRaw's four colours (8), and what it gives (6)


def open_raw(path: Path, max_pixels: int) -> Stored:
    """Develop a raw file: the camera's white balance, nothing brightened, highlights clipped; already upright.

    Raises
    ------
    DataError
        Without rawpy; for a file that LibRaw cannot develop, or that is too large.
    """
    try:
        import rawpy
    except ImportError:
        raise DataError(f'{path} is camera raw; pip install "specrec[raw]" to read it') from None
    try:
        with contextlib.closing(rawpy.imread(str(path))) as raw:
            check_size(path, (raw.sizes.height, raw.sizes.width), _BYTES_PER_PIXEL, max_pixels)
            values = raw.postprocess(
                use_camera_wb=True,
                no_auto_bright=True,
                gamma=(1, 1),
                output_bps=16,
                output_color=rawpy.ColorSpace.sRGB,
            )
    except DataError:
        raise
    except rawpy.LibRawError as error:
        said = error.args[0] if error.args else "no more is known"
        reason = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise DataError(f"{path} is damaged, or of a camera that LibRaw does not know: {reason}") from None
    except Exception as error:  # what else damaged bytes may raise
        raise damaged(path, error) from None
    return Stored(
        (values.shape[0], values.shape[1]),
        cut_array(values),
        full_scale=65535.0,
        linear=True,
        remarks=("developed from camera raw with the camera's white balance",),
    )
