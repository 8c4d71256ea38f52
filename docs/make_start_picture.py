"""Make docs/first-photo.png, which the start shows: python docs/make_start_picture.py.

The photo is a synthetic scene of a world that no weights were trained on; the picture is the preview that
``specrec run gan image.png --preview`` draws of it, with 256 colours.
"""

import os
import tempfile
from pathlib import Path

from PIL import Image

import specrec
from specrec.cli import command
from specrec.images import write_png
from specrec.registry import registry

TARGET = Path(__file__).parent / "first-photo.png"


def main() -> None:
    """Write the picture."""
    source = registry().scene_source("synthetic")(world=5000, scenes=1, size=320, spectra="broad")
    scene = source.open(source.names()[0])
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_png(Path("image.png"), specrec.render(scene.cube(), scene.wavelengths))
        command(["run", "gan", "image.png", "--preview"], standalone_mode=False)
        preview = Image.open("image.preview.png").convert("RGB")
        preview.quantize(256, dither=Image.Dither.NONE).save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
