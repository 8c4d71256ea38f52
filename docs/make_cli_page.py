"""Write docs/cli.md from the commands' own help: python docs/make_cli_page.py."""

from pathlib import Path

import click

from specrec.cli import command

HEAD = "# Command line\n\nMade from the commands' own help by `docs/make_cli_page.py`; a test keeps it so.\n"


def page() -> str:
    """The whole page, Markdown."""
    return (
        "\n".join(
            [
                HEAD,
                *_sections(command, "specrec", click.Context(command, info_name="specrec", **command.context_settings)),
            ]
        )
        + "\n"
    )


def _sections(one: click.Command, name: str, context: click.Context) -> list[str]:
    context.max_content_width = context.terminal_width = 88  # what the site shows without scrolling
    parts = [f"## {name}\n\n```\n{one.get_help(context)}\n```\n"]
    if isinstance(one, click.Group):
        for child in one.list_commands(context):
            found = one.get_command(context, child)
            if found is not None:
                parts += _sections(found, f"{name} {child}", click.Context(found, parent=context, info_name=child))
    return parts


if __name__ == "__main__":
    (Path(__file__).parent / "cli.md").write_text(page(), "utf-8")
