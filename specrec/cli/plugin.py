"""`specrec plugin`: begin a plugin of one's own, and test one."""

import click

from specrec.cli.groups import LazyGroup


@click.group("plugin", cls=LazyGroup, modules="specrec.cli.plugin_", names=("new", "test"))
def command() -> None:
    """Begin a plugin of your own, and test one before its users do."""
