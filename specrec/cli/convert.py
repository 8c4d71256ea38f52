"""`specrec convert A B`: a cube from one file format and wavelength grid to another."""

from pathlib import Path

import click

from specrec.cli import options


@click.command("convert")
@click.argument("source", metavar="A", type=click.Path(path_type=Path))
@click.argument("target", metavar="B", type=click.Path(path_type=Path))
@click.option("--format", "form", metavar="NAME", help="hdf5, mat, envi, tiff, netcdf or npy [default: B's suffix].")
@click.option(
    "--dtype", metavar="TYPE", default="float32", show_default=True, help="float32, float16, or uint16 with a scale."
)
@click.option(
    "--grid",
    metavar="keep|common|GRID",
    default="keep",
    show_default=True,
    help="400:10:700 or a text file of nm; common: the bands of 400:10:700 that A covers.",
)
@click.option(
    "--resampling",
    type=click.Choice(["auto", "mean", "linear"]),
    default="auto",
    show_default=True,
    help="mean of narrow bands, lines between coarse ones; auto: by their spacing.",
)
@click.option(
    "--extrapolate",
    type=click.Choice(["none", "nearest"]),
    default="none",
    show_default=True,
    help="nearest: bands outside A's range repeat its first or last band; B says which.",
)
@click.option("--wavelengths", metavar="GRID", help="Of A's bands in nm, where A does not say them; written as --grid.")
@click.option("--key", metavar="NAME", help="The array to read from a MATLAB file.")
@click.option(
    "--layout", metavar="NAME", help="harvard, foster, arad, icvl, ntire2018 or cassi, where A's keys do not tell."
)
@click.option("--quantity", type=click.Choice(["radiance", "reflectance"]), help="Where A does not say it.")
@click.option("--scale", metavar="FACTOR", default="1", show_default=True, help="Multiply the values, as by 1/4095.")
@options.overwrite
@options.quiet
def command(
    source: Path,
    target: Path,
    form: str | None,
    dtype: str,
    grid: str,
    resampling: str,
    extrapolate: str,
    wavelengths: str | None,
    key: str | None,
    layout: str | None,
    quantity: str | None,
    scale: str,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Convert the cube A to B: another format, type of numbers or wavelength grid.

    A is any file of specrec's formats, an ENVI cube, or a MATLAB file of Harvard, Foster, ARAD, ICVL, NTIRE 2018 or the
    CASSI sets; it is told by its content. Values are kept unless --scale or --grid is given.
    """
    from typing import Any, cast

    from specrec.cli.progress import Line
    from specrec.cubes.conversion import Grid, Source, Target, convert
    from specrec.cubes.grids import read_grid
    from specrec.spectra import describe_grid

    chosen = cast(Grid, grid) if grid in ("keep", "common") else read_grid(grid, "--grid")
    bands = None if wavelengths is None else read_grid(wavelengths, "--wavelengths")
    line = Line(quiet=quiet)
    done = convert(
        Source(source, bands, key, layout, quantity),
        Target(target, form, dtype, chosen, cast(Any, resampling), cast(Any, extrapolate), _factor(scale), overwrite),
        line.progress(f"converting {source.name}"),
    )
    for remark in done.remarks:
        line.say(remark, always=True)
    height, width, _ = done.shape
    way = done.way
    how = "" if way.method == "none" else f" (from {describe_grid(way.source)}, {way.method})"
    line.say(f"{target}: {height} x {width} pixels, {describe_grid(way.target)}{how}")
    if way.extrapolated:
        repeated = ", ".join(f"{band:g}" for band in way.extrapolated)
        line.say(f"{target}: {repeated} nm repeat the nearest band of {source}", always=True)


def _factor(text: str) -> float:
    """Read a positive number, or a fraction such as 1/4095."""
    from specrec.errors import UsageError

    over, _, under = text.partition("/")
    try:
        factor = float(over) / float(under or 1)
    except (ValueError, ZeroDivisionError):
        factor = float("nan")
    if not 0.0 < factor < float("inf"):
        raise UsageError(f"--scale is a positive factor such as 0.5 or 1/4095, not {text!r}")
    return factor
