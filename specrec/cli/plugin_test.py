"""`specrec plugin test DIST`: try every promise on what a distribution offers."""

import click


@click.command("test")
@click.argument("distribution")
def command(distribution: str) -> None:
    """Test the plugin DISTRIBUTION against the contract."""
    raise NotImplementedError(distribution)
