"""`specrec plugin test DIST`: try every promise on what a distribution offers."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from specrec.parameters import Value
    from specrec.registry import Broken, Offer, Registry
    from specrec.testing.results import Result

SHOWN = {"ok": "ok", "failed": "FAILED", "skipped": "skipped"}


@click.command("test")
@click.argument("distribution")
@click.option(
    "-m", "--method", "methods", multiple=True, help="Settings to try a method with: NAME[key=value]. Repeat."
)
@click.option("--data", multiple=True, metavar="NAME=PATH", help="The folder of a data set. Repeat.")
@click.option("-k", "words", metavar="WORDS", default="", help="Only checks whose line has all these words.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.pass_context
def command(
    context: click.Context, distribution: str, methods: Sequence[str], data: Sequence[str], words: str, form: str
) -> None:
    """Test the plugin DISTRIBUTION against the contract, and say what to change.

    DISTRIBUTION is its name as pip knows it, or the name of its entry point or of something it offers. The promises
    are listed in docs/conformance.md.
    """
    import json

    from specrec.cli.progress import Line
    from specrec.errors import PluginError, UsageError
    from specrec.registry import registry
    from specrec.testing.checks import checks_of
    from specrec.testing.results import tried

    found = registry()
    name = _distribution(distribution, found)
    checks = checks_of(name, _folders(data, found), offered=found, trials=_trials(methods, name, found))
    wanted = [check for check in checks if all(word in str(check).lower() for word in words.lower().split())]
    if not wanted:
        raise UsageError(
            f"none of the {len(checks)} checks of {name} has the words {words!r}; leave -k out to see them"
        )
    widths = max(len(check.subject) for check in wanted), max(len(check.promise) for check in wanted)
    line = Line()
    results: list[Result] = []
    for number, check in enumerate(wanted, 1):
        line.status(f"[{number}/{len(wanted)}] {check}")
        try:
            result = tried(check)
        except KeyboardInterrupt:
            line.say(f"interrupted while it tried: {check}", always=True)
            raise
        results.append(result)
        if form == "table":
            line.clear()
            shown = f"{SHOWN[result.outcome]:<7}  {check.subject:<{widths[0]}}  {check.promise:<{widths[1]}}"
            click.echo(f"{shown}  {result.words}".rstrip())
        if result.error is not None and context.find_root().params.get("verbose"):
            _show(result)
    counts = {outcome: sum(result.outcome == outcome for result in results) for outcome in SHOWN}
    if form == "json":
        click.echo(json.dumps({"distribution": name, **counts, "checks": list(map(_plain, results))}, indent=1))
    else:
        seconds = sum(result.seconds for result in results)
        click.echo(f"{name}: {', '.join(f'{n} {outcome}' for outcome, n in counts.items())} ({seconds:.0f} s)")
    if counts["failed"]:
        promises = "1 promise" if counts["failed"] == 1 else f"{counts['failed']} promises"
        raise PluginError(f"{name} breaks {promises}; each line FAILED says what to change")


def _distribution(given: str, found: "Registry") -> str:
    """Find the distribution that is meant by its own name, its entry point's, or that of something it offers."""
    from importlib.metadata import entry_points

    from specrec.errors import UsageError
    from specrec.hookspecs import PROJECT
    from specrec.parameters import nearest
    from specrec.testing.checks import same_name

    offers: list[Offer[Any] | Broken] = [*found.reconstructors.values(), *found.metrics.values(), *found.broken]
    offers += found.scene_sources.values()
    points = {point.name: point.dist.name for point in entry_points(group=PROJECT) if point.dist is not None}
    distributions = {*points.values(), *(offer.distribution for offer in offers)}
    for one in distributions:
        if same_name(one, given):
            return one
    named = {**points, **{offer.name: offer.distribution for offer in offers}}
    if given in named:
        return named[given]
    raise UsageError(
        f"no plugin {given!r} is installed; {nearest(given, {*distributions, *named})} (specrec methods lists methods; "
        "pip install -e FOLDER installs a plugin)"
    )


def _trials(specs: Sequence[str], distribution: str, found: "Registry") -> "dict[str, list[dict[str, Value]]]":
    from specrec.errors import UsageError
    from specrec.parameters import parse_spec, resolve

    trials: dict[str, list[dict[str, Value]]] = {}
    for spec in specs:
        name, given = parse_spec(spec)
        method = found.reconstructor(name)
        home = found.reconstructors[name].distribution
        if home != distribution:
            raise UsageError(f"{name} is offered by {home}, not by {distribution}")
        settings = resolve(name, method.parameters, method.presets, given)
        trials.setdefault(name, []).append({key: settings[key] for key in given})
    return trials


def _folders(pairs: Sequence[str], found: "Registry") -> dict[str, Path]:
    from specrec.errors import UsageError

    folders: dict[str, Path] = {}
    for pair in pairs:
        name, equals, path = pair.partition("=")
        if not (name and equals and path):
            raise UsageError(f"--data takes NAME=PATH, such as cave=folder/of/cave, not {pair!r}")
        found.scene_source(name)
        folders[name] = Path(path)
    return folders


def _plain(result: "Result") -> dict[str, str | float]:
    check = result.check
    return {
        "kind": check.kind,
        "subject": check.subject,
        "promise": check.promise,
        "outcome": result.outcome,
        "words": result.words,
        "seconds": round(result.seconds, 3),
    }


def _show(result: "Result") -> None:
    import traceback

    lines = traceback.format_exception(result.error) if result.error is not None else []
    click.echo(f"{result.check}\n{''.join(lines)}", err=True, nl=False)
