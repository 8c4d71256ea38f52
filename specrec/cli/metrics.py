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

    In definitions e is the estimate and r the reference, both on the scale 0 to 1.
    """
    import json

    from specrec.registry import registry

    rows = [
        {
            "id": offer.name,
            "unit": offer.value.unit,
            "scale": offer.value.scale,
            "direction": "higher is better" if offer.value.higher_is_better else "lower is better",
            "definition": offer.value.definition,
            "reference": offer.value.reference,
            "distribution": f"{offer.distribution} {offer.version}",
        }
        for offer in registry().metrics.values()
    ]
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    columns = ("id", "unit", "scale", "direction", "distribution", "definition")
    lines = [columns, *(tuple(row[column] for column in columns) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
