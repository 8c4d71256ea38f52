"""`specrec render`: a cube as the picture that a camera of the benchmark would take of it."""

from pathlib import Path
from typing import Any

import click


@click.command("render")
@click.argument("cube", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The PNG to write; by default <stem>.rendered.png, in this folder.",
)
@click.option(
    "--scale",
    metavar="none|minmax|FACTOR",
    default="none",
    show_default=True,
    help="What becomes white: 1 (none), the cube's maximum (minmax, with its minimum as black), or 1/FACTOR.",
)
@click.option("--overwrite", is_flag=True, help="Replace the PNG if it exists.")
def command(cube: Path, output: Path | None, scale: str, overwrite: bool) -> None:
    """Render CUBE, a cube file of any form, to an 8-bit sRGB PNG.

    CIE 1964 10-degree observer, illuminant E, sRGB after IEC 61966-2-1. Pixels that the cube's mask leaves out are
    black and count for nothing.
    """
    import numpy as np

    from specrec.cubes import read_cube
    from specrec.errors import DataError, UsageError, printable
    from specrec.images import check_absent, write_png
    from specrec.rendering import render
    from specrec.spectra import describe_grid, is_standard_grid

    target = Path(f"{cube.stem}.rendered.png") if output is None else output  # <stem>.png may be the photo
    if target.suffix.lower() != ".png":
        raise UsageError(f"{target} has the suffix {target.suffix!r}; a picture is written as .png")
    wanted = _read_scale(scale)
    check_absent(target, overwrite)
    contents = read_cube(cube)
    values, mask = contents.cube, contents.mask
    if not is_standard_grid(contents.wavelengths):
        raise DataError(
            f"{cube}: rendering needs the 31 bands 400-700 nm in steps of 10 nm, this cube has"
            f" {describe_grid(contents.wavelengths)}; convert it (specrec convert {cube} NEW.h5 --grid 400:10:700)"
        )
    try:
        if mask is not None and not mask.all():
            if wanted == "minmax":
                values, wanted = _stretch(values, mask), "none"
            values = np.where(mask[..., np.newaxis], values, np.float32(0.0))
        pixels = render(values, contents.wavelengths, scale=wanted)
    except DataError as error:
        raise DataError(f"{cube}: {error}") from None
    write_png(target, pixels, overwrite=overwrite)
    click.echo(printable(f"{target}: {pixels.shape[0]} x {pixels.shape[1]} pixels, scale {scale}"))


def _read_scale(text: str) -> Any:
    from specrec.errors import UsageError

    if text in ("none", "minmax"):
        return text
    try:
        factor = float(text)
    except ValueError:
        factor = float("nan")
    if not 0.0 < factor < float("inf"):
        raise UsageError(f"--scale is none, minmax or a positive factor, not {text!r}")
    return factor


def _stretch(values: Any, mask: Any) -> Any:
    """Scale by the minimum and maximum of the valid pixels alone."""
    from specrec.errors import DataError

    valid = values[mask]
    if valid.size == 0 or not valid.max() > valid.min():
        raise DataError("a cube that is constant, or has no valid pixel, cannot be scaled by minimum and maximum")
    return (values - valid.min()) / (valid.max() - valid.min())
