"""`specrec methods`: what is installed, and what a method can be told."""

import click


@click.command(name="methods")
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the methods, or show the parameters of one. Exit code 3: a plugin is broken; the list says why."""
    from specrec.cli.plugins import leave_if_broken, remarks
    from specrec.registry import registry

    found = registry()
    if name is not None:
        _show(name)
        return
    width = max((len(key) for key in found.reconstructors), default=0)
    for key, offer in sorted(found.reconstructors.items()):
        click.echo(f"{key:<{width}}  {offer.value.summary}  [{offer.distribution} {offer.version}]")
        if offer.value.reference:
            click.echo(f"{'':<{width}}  {offer.value.reference}")
    for line in remarks(found):
        click.echo(line)
    leave_if_broken(found)


def _show(name: str) -> None:
    from specrec.registry import registry

    method = registry().reconstructor(name)
    offer = registry().reconstructors[name]
    click.echo(f"{name}: {method.summary}\n{method.reference}\n{offer.distribution} {offer.version}")
    if not method.parameters:
        click.echo("no parameters")
        return
    click.echo("parameters (name, default, meaning):")
    width = max(len(key) for key in method.parameters)
    for key, parameter in method.parameters.items():
        choices = f" [{', '.join(map(str, parameter.choices))}]" if parameter.choices else ""
        default = str(parameter.default).lower() if isinstance(parameter.default, bool) else parameter.default
        click.echo(f"  {key:<{width}}  {default!s:<8} {parameter.help}{choices}")
    for preset, values in method.presets.items():
        settings = ", ".join(f"{key}={value}" for key, value in values.items()) or "the defaults"
        click.echo(f"preset {preset}: {settings}")
