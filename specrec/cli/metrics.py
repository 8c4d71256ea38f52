"""`specrec metrics`: what every column of a table means."""

import click


@click.command("metrics")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table to read, or everything as JSON.",
)
def command(form: str) -> None:
    """List the metrics: id, unit, scale, direction, definition, distribution.

    In definitions e is the estimate and r the reference, both on the scale 0 to 1. Those on matched pixels and on
    metamers need a protocol with a ceiling, the last ones a protocol with their condition.
    """
    import json
    from importlib.metadata import version
    from math import inf
    from typing import Any

    from specrec.cells.ceiling import COLUMNS
    from specrec.cells.columns import column, columns_of
    from specrec.cli.plugins import remarks
    from specrec.registry import registry
    from specrec.robustness.conditions import STANDARD

    listed = [(offer.value, f"{offer.distribution} {offer.version}") for offer in registry().metrics.values()]
    listed += [(metric, f"specrec {version('specrec')}") for metric in COLUMNS.values()]
    listed += [(column(name), f"specrec {version('specrec')}") for name in columns_of(STANDARD)]
    rows: list[dict[str, Any]] = [
        {
            "id": metric.name,
            "unit": metric.unit,
            "scale": metric.scale,
            "direction": "higher is better" if metric.higher_is_better else "lower is better",
            "best": str(metric.perfect) if metric.perfect == inf else metric.perfect,  # JSON has no infinity
            "symmetric": metric.symmetric,
            "definition": metric.definition,
            "reference": metric.reference,
            "distribution": distribution,
        }
        for metric, distribution in listed
    ]
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
        for remark in remarks(registry()):
            click.echo(remark, err=True)
        return
    columns = ("id", "unit", "scale", "direction", "distribution", "definition")
    lines = [columns, *(tuple(row[column] for column in columns) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    for remark in remarks(registry()):
        click.echo(remark)
