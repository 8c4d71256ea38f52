"""`specrec view`: a page on which one points at the pixels of cubes and sees their spectra."""

from pathlib import Path

import click

from specrec.cli import options


@click.command("view")
@click.argument("cubes", metavar="CUBE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The page; by default <stem>.html, in this folder."
)
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    help="The cube that the others are compared with [default: one named reference or truth].",
)
@options.overwrite
@click.option("--open", "opened", is_flag=True, help="Open the page in the browser.")
def command(
    cubes: tuple[Path, ...], output: Path | None, reference: Path | None, overwrite: bool, opened: bool
) -> None:
    """Write a page that shows the spectra of CUBE at the pixel one points at, and each band as a picture.

    Cubes of one size lie in one view, with the errors of each against the reference; cubes of another size are a scene
    of their own. The page is one HTML file of at most 25 MB that needs no network; it says which pixels it holds.
    """
    from specrec.errors import UsageError, printable
    from specrec.images import check_absent
    from specrec.report.view_page import write_view_page

    target = Path(f"{cubes[0].stem}.html") if output is None else output
    if target.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{target} has the suffix {target.suffix!r}; a page is written as .html")
    check_absent(target, overwrite)
    write_view_page(cubes, target, reference, overwrite=overwrite)
    click.echo(printable(f"{target}: {target.stat().st_size / 1e6:.1f} MB"))
    if opened:
        click.launch(str(target))
