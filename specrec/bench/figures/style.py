"""How figures look and are saved: sizes of a printed page, colours for everyone, files that repeat to the byte."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from specrec.cache import written_whole

ONE_COLUMN, TWO_COLUMNS = 3.5, 7.2
"""Widths in inches of a figure over one and over both columns of a page."""

PALETTE = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#0072B2", "#D55E00", "#8A8A00")
"""Told apart also by the colour-blind: Okabe and Ito 2008, with a darker yellow that shows on white."""

MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<")
"""One for each colour, so that a grey print tells them apart too."""


@contextmanager
def plain_text(size: float | None = None) -> Iterator[None]:
    """Show names as they are written, whatever signs are in them; `size` in points, for print.

    A figure is made and saved in it: both read matplotlib's settings, which are put back at the end.
    """
    from matplotlib import rc_context

    settings: dict[Any, Any] = {"text.parse_math": False}
    if size is not None:
        settings |= {"font.size": size, "axes.linewidth": 0.6, "lines.linewidth": 0.8}
    with rc_context(settings):
        yield


def save(figure: Any, paths: tuple[Path, ...], dpi: int = 150) -> None:
    """Save a figure into every path, in the format of its suffix, .png or .pdf.

    Neither a date nor a version is in it, so that the same results give the same file; fonts are TrueType.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    unwanted = {"png": {"Software": None}, "pdf": {"CreationDate": None, "Creator": None, "Producer": None}}
    for path in paths:
        form = path.suffix.removeprefix(".")
        drawn = io.BytesIO()  # of a full disk the writers of pictures say no more than that they failed
        with rc_context({"pdf.fonttype": 42}), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # a name in letters that the font lacks
            figure.savefig(drawn, dpi=dpi, format=form, metadata=unwanted[form])
        with written_whole(path) as temporary:
            temporary.write_bytes(drawn.getbuffer())


def broken(name: str, width: int = 22) -> str:
    r"""Break a long name into lines behind its commas and brackets, or after `width` letters.

    Examples
    --------
    >>> broken("gan[branches=4,epochs=50]", 12)
    'gan[\nbranches=4,\nepochs=50]'
    """
    lines = [""]
    for piece in name.replace(",", ",\0").replace("[", "[\0").split("\0"):
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line[start : start + width] for line in lines for start in range(0, max(1, len(line)), width))
