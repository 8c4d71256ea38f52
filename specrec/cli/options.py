"""Options that several commands share."""

import click

device = click.option(
    "--device", default="auto", show_default=True, envvar="SPECREC_DEVICE", help="auto, cpu, cuda[:N] or mps."
)
tiles = click.option(
    "--tiles",
    envvar="SPECREC_TILES",
    help="auto, whole or SIZE in pixels: all the same numbers; separate:SIZE: others near the seams.",
)
threads = click.option("--threads", type=click.IntRange(1), help="CPU threads [default: all cores].")
dask = click.option(
    "--dask",
    metavar="ADDRESS",
    envvar="SPECREC_DASK",
    help="A Dask cluster instead: local:N, HOST:PORT of a scheduler, or its file (.json).",
)
quiet = click.option("-q", "--quiet", is_flag=True, help="No progress.")
overwrite = click.option("--overwrite", is_flag=True, help="Replace the output file.")
skip_damaged = click.option("--skip-damaged", is_flag=True, help="Leave damaged scenes out instead of stopping.")
