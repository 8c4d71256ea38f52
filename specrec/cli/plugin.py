"""`specrec plugin`: begin a plugin of one's own, and test one."""

from importlib import import_module

import click

COMMANDS = ("new", "test")


class _Commands(click.Group):
    """Imports the module of a command when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"specrec.cli.plugin_{cmd_name}").command
        return command


@click.group("plugin", cls=_Commands)
def command() -> None:
    """Begin a plugin of your own, and test one before its users do."""
