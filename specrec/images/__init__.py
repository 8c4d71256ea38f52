"""A user's photo -> sRGB in [0, 1], whatever its format, depth, orientation and colour space; and 8-bit pixels -> PNG.

`photo` is the way in. `kinds` tells a file by its content; `pillow`, `jpeg`, `png`, `tiff` and `raw` decode it into a
`Stored` picture; `profiles` converts its colours. Nothing is ever stretched to fit.
"""

from specrec.images.kinds import FORMATS, SUFFIXES, UNREAD
from specrec.images.photo import Photo, read_image
from specrec.images.pillow import load_picture
from specrec.images.png import PngHeader, read_png_header
from specrec.images.stored import MAX_PIXELS
from specrec.images.writing import check_absent, write_png

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "SUFFIXES",
    "UNREAD",
    "Photo",
    "PngHeader",
    "check_absent",
    "load_picture",
    "read_image",
    "read_png_header",
    "write_png",
]
