"""`specrec plugin new NAME`: write a complete distribution to begin from."""

import click


@click.command("new")
@click.argument("name")
def command(name: str) -> None:
    """Write the distribution of a plugin called NAME."""
    raise NotImplementedError(name)
