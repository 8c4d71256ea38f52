"""A group of commands that imports the module of each when it is needed."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """Commands in modules of their own, each called `command` there.

    Parameters
    ----------
    modules
        How the names of the modules begin; that of the command follows.
    names
        The commands, in the order of the help.
    given
        What `click.Group` takes.
    """

    def __init__(self, *, modules: str, names: Sequence[str], **given: Any) -> None:
        super().__init__(**given)
        self._modules = modules
        self._names = list(names)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands in the order of the help."""
        return self._names

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the command, where there is one of that name."""
        if cmd_name not in self._names:
            return None
        command: click.Command = import_module(self._modules + cmd_name).command
        return command
