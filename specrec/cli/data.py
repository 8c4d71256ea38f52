"""`specrec data`: the data sets one can name, whether those on disk are whole, and what is cached."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from specrec.errors import printable

if TYPE_CHECKING:
    from specrec.datasets.survey import SceneFacts, Survey
    from specrec.interfaces import SceneSource


@click.group("data", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """List data sets, verify one on disk, clear the cache."""


@command.command("list")
def list_sources() -> None:
    """List the data sets on offer."""
    from specrec.cli.plugins import remarks
    from specrec.registry import registry

    rows = [("name", "folder from", "distribution", "summary")]
    for name, offer in sorted(registry().scene_sources.items()):
        needs = offer.value.path_variable or "(none needed)"
        rows.append((name, needs, f"{offer.distribution} {offer.version}", offer.value.summary))
    _print_table(rows)
    for line in remarks(registry()):
        click.echo(line)
    click.echo("\nA folder is given with --data PATH, or by the environment variable named here.")


@command.command("verify")
@click.argument("path", type=click.Path(path_type=Path), required=False)
@click.option("-d", "--dataset", required=True, help="Its name, with options in brackets: synthetic[scenes=4].")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The contact sheet to write; by default <name>-contact-sheet.png, in this folder.",
)
@click.option("--overwrite", is_flag=True, help="Replace the contact sheet if it exists.")
def verify(path: Path | None, dataset: str, output: Path | None, overwrite: bool) -> None:
    """Read every scene of the data set at PATH, say what is there and what is damaged, and draw a contact sheet.

    PATH may be left out where the data set's environment variable names it, and for synthetic scenes.
    """
    from specrec.cli.plugins import working
    from specrec.cli.progress import Line
    from specrec.datasets import open_source, scene_names
    from specrec.datasets.contact_sheet import contact_sheet, thumbnail
    from specrec.datasets.survey import survey
    from specrec.errors import DataError, UsageError
    from specrec.images import check_absent, write_png
    from specrec.interfaces import heeded

    with working(f"opening the data set {dataset}"):
        source = open_source(dataset, path)
    sheet = Path(f"{source.name}-contact-sheet.png") if output is None else output
    if sheet.suffix.lower() != ".png":
        raise UsageError(f"{sheet} has the suffix {sheet.suffix!r}; a contact sheet is written as .png")
    check_absent(sheet, overwrite)
    line, pictures = Line(), []
    with working(f"reading the data set {dataset}"):
        names = scene_names(source)
        source.prepare(names, heeded(line.progress("preparing")))
        found = survey(
            source,
            names,
            line.progress("reading"),
            visit=lambda scene, cube, facts: pictures.append(
                (scene.name, thumbnail(cube, scene.mask, scene.wavelengths, (facts.low, facts.high)))
            ),
        )
    line.say(f"read {len(names)} scenes")
    _report(source, found)
    if pictures:
        write_png(sheet, contact_sheet(pictures), overwrite=overwrite)
        click.echo(printable(f"contact sheet: {sheet}"))
    if found.damaged:
        listed = ", ".join(sorted(found.damaged))
        raise DataError(f"{len(found.damaged)} of {len(names)} scenes of {dataset} cannot be used: {listed}")


@command.command("clear")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
def clear(dry_run: bool) -> None:
    """Remove what specrec keeps in its cache folder and can make again: scenes, surveys, crops, trials of plugins."""
    import shutil

    from specrec.cache import PARTS, cache_folder
    from specrec.errors import SpecrecError

    root = cache_folder()
    there = [root / name for name in PARTS if (root / name).is_dir() and not (root / name).is_symlink()]
    for folder in there:
        sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
        if not dry_run:
            try:
                shutil.rmtree(folder)
            except OSError as error:
                raise SpecrecError(f"cannot remove {error.filename or folder}: {error.strerror}") from None
        verb = "would remove" if dry_run else "removed"
        click.echo(f"{verb} {folder}: {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB")
    if not there:
        click.echo(f"nothing to clear in {root}")


def _report(source: "SceneSource", found: "Survey") -> None:
    rows: list[tuple[str, ...]] = [("scene", "size", "bands", "quantity", "range", "valid pixels")]
    rows.extend(_describe(facts) for facts in found.facts.values())
    if found.facts:
        _print_table(rows)
    for name, sentence in found.damaged.items():
        click.echo(printable(f"damaged: {sentence if name in sentence else f'{name}: {sentence}'}"))
    for names in _alike(found.facts.values()):
        click.echo(printable(f"the same content: {', '.join(names)}"))
    where = f" in {source.path}" if source.path is not None else ""
    total = len(found.facts) + len(found.damaged)
    click.echo(f"{source.name}{where}: {len(found.facts)} of {total} scenes can be used")


def _describe(facts: "SceneFacts") -> tuple[str, ...]:
    from specrec.spectra import describe_grid

    height, width = facts.shape[:2]
    share = facts.valid_pixels / (height * width)
    return (
        facts.name,
        f"{height} x {width}",
        describe_grid(facts.wavelengths),
        facts.quantity,
        f"{facts.low:.4g} .. {facts.high:.4g}",
        f"{facts.valid_pixels} ({share:.1%})",
    )


def _alike(facts: Iterable["SceneFacts"]) -> list[list[str]]:
    by_content: dict[str, list[str]] = {}
    for scene in facts:
        by_content.setdefault(scene.sha256, []).append(scene.name)
    return [names for names in by_content.values() if len(names) > 1]


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo(printable("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()))
