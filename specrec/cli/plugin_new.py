"""`specrec plugin new NAME`: write a complete distribution to begin from."""

from pathlib import Path

import click

_TRY = {
    "method": ("specrec plugin test specrec-{name}", "specrec bench --methods {name},linear"),
    "network": ("specrec plugin test specrec-{name}", "specrec bench --methods {name},linear"),
    "metric": ("specrec plugin test specrec-{name}", "specrec bench --methods linear,mean --metrics rmse,{name}"),
    "scenes": (
        "python tests/make_scenes.py scenes",
        "specrec plugin test specrec-{name} --data {name}=scenes",
        "specrec data verify scenes --dataset {name}",
        "specrec bench --methods linear,mean --dataset {name} --data scenes",
    ),
}


@click.command("new")
@click.argument("name")
@click.option("--kind", default="method", show_default=True,
              help="Of plugin: method, network (a method that is trained), metric or scenes (a data set).")  # fmt: skip
@click.option("-o", "--output", type=click.Path(), help="The folder to write [default: specrec-NAME].")
def command(name: str, kind: str, output: str | None) -> None:
    """Write a complete distribution for a plugin called NAME, which installs and passes its tests as it is.

    NAME is what users will write, as in --methods NAME: lower-case letters, digits and hyphens.
    """
    import shlex

    from specrec.errors import UsageError
    from specrec.scaffold import write_plugin
    from specrec.scaffold.names import PREFIX

    if output == "":
        raise UsageError(f"-o names no folder; leave it out for {PREFIX}{name.removeprefix(PREFIX)}")
    folder = write_plugin(name, kind, None if output is None else Path(output))
    click.echo(f"wrote {folder}; next:")
    for line in (
        f"cd {shlex.quote(str(folder))}",
        'python -m pip install -e ".[test]"',
        "python -m pytest",
        *(words.format(name=name.removeprefix(PREFIX)) for words in _TRY[kind]),
    ):
        click.echo(f"  {line}")
