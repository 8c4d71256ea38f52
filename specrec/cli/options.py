"""Options that several commands share."""

from typing import Any

import click
from click.core import ParameterSource


def flag_over_environment(values: dict[str, Any], *names: str) -> None:
    """Of options that exclude each other, forget those of the environment where another one is a flag."""
    sources = {name: click.get_current_context().get_parameter_source(name) for name in names}
    if ParameterSource.COMMANDLINE in sources.values():
        for name, source in sources.items():
            if source is ParameterSource.ENVIRONMENT:
                values[name] = None


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


def cluster_to_use(dask: str | None, jobs: int | None) -> str | None:
    """Return the cluster that is meant: none where ``--jobs`` was typed and the cluster comes from the environment.

    Raises
    ------
    UsageError
        If both were typed, or `dask` names no cluster.
    """
    from specrec.errors import UsageError

    values: dict[str, Any] = {"dask": dask, "jobs": jobs}
    flag_over_environment(values, "dask", "jobs")
    chosen: str | None = values["dask"]
    if chosen is None:
        return None
    if jobs is not None:
        raise UsageError(
            f"--jobs {jobs} and --dask {chosen} contradict each other: a cluster takes as many at a time as its workers"
            " have slots; leave one of them out"
        )
    from specrec.cluster.address import parse_address

    parse_address(chosen)
    return chosen


def is_typed(name: str) -> bool:
    """Whether an option of the command that runs was typed, and does not come from the environment or its default."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
