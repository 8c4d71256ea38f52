"""A figure of a bench inside a page: a PNG in an address that holds it."""

import base64
import tempfile
from collections.abc import Callable
from pathlib import Path


def embedded(name: str, draw: Callable[[Path], bool]) -> str:
    """Draw a figure and return it as a data address; empty where there is nothing to draw.

    Parameters
    ----------
    name
        Of the file for a moment.
    draw
        Draws into a path, and tells whether there was something to draw.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        if not draw(path):
            return ""
        return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
