"""Command lines of specrec, read as the command line reads them, and not run."""

from collections.abc import Sequence

import click

from specrec.cli import command


def parse(words: Sequence[str]) -> click.Context:
    """Read the words behind ``specrec`` down to the last subcommand.

    Raises
    ------
    click.UsageError
        As the command line does: an unknown command or option, a missing argument, a value of the wrong kind.
    """
    return _parse(command, "specrec", list(words), None)


def _parse(what: click.Command, name: str, words: list[str], parent: click.Context | None) -> click.Context:
    if not isinstance(what, click.Group):
        return what.make_context(name, words, parent=parent, help_option_names=["-h", "--help"])
    if "--version" in words or not words:
        return click.Context(what, parent, name)
    options = [word for word in words if word in ("-v", "--verbose")]
    rest = words[len(options) :] if words[: len(options)] == options else words
    context = click.Context(what, parent, name)
    found, inner, left = what.resolve_command(context, rest)
    if inner is None or found is None:
        raise click.UsageError(f"no such command {rest[0]!r}", context)
    return _parse(inner, found, left, context)
