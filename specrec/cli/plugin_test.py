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
    from specrec.testing import apart
    from specrec.testing.checks import Check, checks_of

    found = registry()
    name = _distribution(distribution, found)
    folders, trials = _folders(data, name, found), _trials(methods, name, found)
    checks = checks_of(name, folders, offered=found, trials=trials)
    places = [
        (place, check)
        for place, check in enumerate(checks)
        if all(word in str(check).lower() for word in words.lower().split())
    ]
    wanted = [check for _, check in places]
    if not wanted:
        raise UsageError(
            f"none of the {len(checks)} checks of {name} has the words {words!r}; leave -k out to see them"
        )
    widths = max(len(check.subject) for check in wanted), max(len(check.promise) for check in wanted)
    line = Line()
    results: list[Result] = []
    under_way = wanted[0]

    def begin(check: Check) -> None:
        nonlocal under_way
        under_way = check
        line.status(f"[{len(results) + 1}/{len(wanted)}] {check}")

    try:
        for result in apart.tried_apart(places, name, folders, trials, begin):
            results.append(result)
            line.clear()
            if form == "table":
                shown = f"{SHOWN[result.outcome]:<7}  {result.check.subject:<{widths[0]}}"
                click.echo(f"{shown}  {result.check.promise:<{widths[1]}}  {result.words}".rstrip())
            if result.trace and context.find_root().params.get("verbose"):
                click.echo(f"{result.check}\n{result.trace}", err=True, nl=False)
    except KeyboardInterrupt:
        line.say(f"interrupted while it tried: {under_way}", always=True)
        raise
    counts = {outcome: sum(result.outcome == outcome for result in results) for outcome in SHOWN}
    if form == "json":
        click.echo(json.dumps({"distribution": name, **counts, "checks": list(map(_plain, results))}, indent=1))
    else:
        seconds = sum(result.seconds for result in results)
        counted = ", ".join(f"{n} {outcome}" for outcome, n in counts.items())
        click.echo(f"{name}: {counted} ({seconds:.0f} s){_untried(results)}")
    if counts["failed"]:
        promises = "1 promise" if counts["failed"] == 1 else f"{counts['failed']} promises"
        raise PluginError(f"{name} breaks {promises}; each line FAILED says what to change")


def _distribution(given: str, found: "Registry") -> str:
    """Find the distribution that is meant by its own name, its entry point's, or that of something it offers."""
    import difflib
    import re
    from importlib.metadata import entry_points

    from specrec.errors import UsageError
    from specrec.hookspecs import PROJECT
    from specrec.testing.checks import not_installed, same_name

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
    plain = {re.sub(r"[-_.]+", "-", one).lower().removeprefix(f"{PROJECT}-"): one for one in {*distributions, *named}}
    close = difflib.get_close_matches(given.lower().removeprefix(f"{PROJECT}-"), plain, n=1, cutoff=0.8)
    meant = f"; did you mean {plain[close[0]]!r}?" if close else ""
    raise UsageError(f"{not_installed(given)}{meant}")


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


def _folders(pairs: Sequence[str], distribution: str, found: "Registry") -> dict[str, Path]:
    from specrec.errors import UsageError

    folders: dict[str, Path] = {}
    for pair in pairs:
        name, equals, path = pair.partition("=")
        if not (name and equals and path):
            raise UsageError(f"--data takes NAME=PATH, such as cave=folder/of/cave, not {pair!r}")
        source = found.scene_source(name)
        home = found.scene_sources[name].distribution
        if home != distribution:
            raise UsageError(f"the data set {name} is offered by {home}, not by {distribution}")
        if source.path_variable is None:
            raise UsageError(f"the data set {name} makes its scenes; leave out --data {pair}")
        if not Path(path).is_dir():
            raise UsageError(f"{path} is no folder; --data {name}=FOLDER names the one that holds the data set")
        folders[name] = Path(path)
    return folders


def _untried(results: "Sequence[Result]") -> str:
    """Say how much was skipped for want of a folder, which is easily passed over among the lines."""
    from specrec.testing.checks import NO_FOLDER

    without = [result for result in results if result.outcome == "skipped" and result.words.startswith(NO_FOLDER)]
    names = sorted({result.check.subject.partition("[")[0] for result in without})
    return f"; {len(without)} not tried: name the folder with --data {names[0]}=FOLDER" if without else ""


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
