"""`specrec bench --reproduce`: compute one cell of a results folder again, and compare."""

from pathlib import Path
from typing import Any

import click

ALLOWED = ("reproduce", "data", "cross_data", "tolerance", "device", "jobs", "quiet")


def reproduce_cell(values: dict[str, Any]) -> None:
    """Print what differs, every metric then and now, and the verdict; an error where it is beyond the tolerance."""
    from specrec.bench.reproduce import reproduce
    from specrec.cli.plugins import working
    from specrec.cli.progress import BenchProgress, Line
    from specrec.errors import SpecrecError, UsageError

    context = click.get_current_context()
    for parameter in context.command.params:
        name = str(parameter.name)
        given = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if given and name not in ALLOWED:
            raise UsageError(f"--reproduce takes all from the record; leave out {parameter.opts[-1]}")
    line = Line(quiet=values["quiet"])
    path: Path = values["reproduce"]
    with working("the cell"):
        found = reproduce(
            path, values["data"], cross_data=values["cross_data"], tolerance=values["tolerance"],
            device=values["device"], jobs=values["jobs"], watcher=BenchProgress(line),
        )  # fmt: skip
    line.clear()
    for words in found.differences:
        click.echo(f"other than then: {words}")
    for name in found.lost:
        click.echo(f"not compared: {name} is in the record, and could not be computed again")
    for name in found.new:
        click.echo(f"not compared: {name} is not in the record")
    click.echo(found.table(), nl=False)
    if not found.reproduced:
        raise SpecrecError(found.verdict)
    click.echo(found.verdict)
