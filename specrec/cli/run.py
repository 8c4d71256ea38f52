"""`specrec run METHOD INPUT...`: from photos to cubes."""

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from specrec.cli import options

if TYPE_CHECKING:
    from specrec.cli.progress import Line
    from specrec.reconstruction import Choices, Outcome, Work


@click.command(name="run")
@click.argument("method")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("-o", "--output", help="A file, or for several photos a folder [default: PHOTO.h5 in this folder].")
@click.option("--format", "form", help="hdf5, mat, envi, tiff, netcdf or npy [default: by the suffix, else hdf5].")
@click.option("--dtype", default="float32", show_default=True, help="float32, float16 or uint16: the numbers stored.")
@click.option("--linear", is_flag=True, help="The photos hold linear light, not sRGB.")
@click.option("--preview", is_flag=True, help="Draw photo, estimate and difference into a PNG beside the cube.")
@click.option("--weights", type=click.Path(path_type=Path), help="A .safetensors file of that method.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Photos computed at a time [default: 1].")
@options.dask
@options.device
@options.threads
@options.tiles
@click.option("--max-pixels", type=click.IntRange(1), help="Refuse larger images [default: 600 million].")
@options.overwrite
@click.option("--skip-existing", is_flag=True, help="Leave photos out whose cube, and preview with --preview, exist.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no remarks.")
def command(
    method: str,
    inputs: tuple[str, ...],
    output: str | None,
    form: str | None,
    dtype: str,
    linear: bool,
    preview: bool,
    weights: Path | None,
    jobs: int | None,
    dask: str | None,
    device: str,
    threads: int | None,
    tiles: str | None,
    max_pixels: int | None,
    overwrite: bool,
    skip_existing: bool,
    quiet: bool,
) -> None:
    """Reconstruct the 31-band cubes of photos.

    INPUT is a photo, a folder of photos, or a pattern such as "photos/**/*.jpg"; any number of each. Weights are
    --weights, else SPECREC_WEIGHTS/METHOD.safetensors, else those that come with the method. Photos that memory does
    not hold are reconstructed in tiles, to the same numbers.
    """
    from specrec.cli.plugins import working
    from specrec.cli.progress import Line
    from specrec.cli.run_progress import RunProgress
    from specrec.errors import UsageError
    from specrec.images import MAX_PIXELS
    from specrec.reconstruction import Choices, find_photos, name_outputs, reconstruct_files
    from specrec.reconstruction.many_photos import InterruptedAgain

    if overwrite and skip_existing:
        raise UsageError("--overwrite and --skip-existing contradict each other; pass one of them")
    dask = options.cluster_to_use(dask, jobs)
    found = find_photos(inputs)
    is_folder = output is not None and output.endswith(("/", "\\"))
    works = name_outputs(found, None if output is None else Path(output), form, dtype, is_folder=is_folder)
    choices = Choices(
        weights, device, threads, tiles or "auto", max_pixels or MAX_PIXELS, linear, form, dtype, preview, overwrite
    )
    if found.one:
        _refuse_existing(choices, works[0], skip_existing=skip_existing)
    line = Line(quiet=quiet)
    if found.previews:
        count = found.previews
        line.say(
            f"{count} previews of earlier runs are left out" if count > 1 else "1 preview of an earlier run is left out"
        )
    if found.unread:
        line.say(f"{found.unread} passed over: not read by specrec; convert to JPEG or PNG")
    watcher = RunProgress(line, several=not found.one, skip_existing=skip_existing)
    try:
        with working(f"reconstructing with {method}"):
            outcome = reconstruct_files(method, works, choices, jobs=jobs or 1, dask=dask, watcher=watcher)
            if found.one and outcome.failed:
                raise next(iter(outcome.failed.values()))
    except InterruptedAgain:
        _end_at_once(line)
    except KeyboardInterrupt:
        if not (found.one or overwrite or skip_existing):
            line.say("the cubes that are finished stay; --skip-existing leaves them out", always=True)
        raise
    _conclude(outcome, len(works), line, skip_existing=skip_existing)


def _end_at_once(line: "Line") -> NoReturn:
    """End the process whatever its threads compute; what they were writing is removed."""
    import os

    from specrec.cache import drop_unfinished
    from specrec.cli import INTERRUPTED

    drop_unfinished()
    line.say("specrec: interrupted; start it again to go on", always=True)
    os._exit(INTERRUPTED)


def _refuse_existing(choices: "Choices", work: "Work", *, skip_existing: bool) -> None:
    from specrec.images import check_absent
    from specrec.reconstruction.outputs import split_existing

    there, missing = split_existing(choices.files(work.target))
    if skip_existing and not missing:
        return
    for path in there:
        check_absent(path, choices.overwrite)


def _conclude(outcome: "Outcome", total: int, line: "Line", *, skip_existing: bool) -> None:
    """Sum up many photos, and leave with the exit code that they deserve."""
    from specrec.errors import PartialFailureError, SpecrecError

    kept, failed = len(outcome.kept), len(outcome.failed)
    photos = "1 photo" if total == 1 else f"{total} photos"
    whole = kept - len(outcome.partial)
    if whole and skip_existing:
        line.say(f"{whole} of {photos} left out: {'its cube exists' if whole == 1 else 'their cubes exist'}")
    if skip_existing:
        kept -= whole
    if failed and failed == total:
        raise SpecrecError(f"no cube was made: {'the photo' if total == 1 else f'all {photos}'} failed, see above")
    parts = []
    if failed:
        parts.append(f"{failed} of {photos} failed: {', '.join(str(work.photo) for work in outcome.failed)}")
    if kept:
        exists = "its output exists" if kept == 1 else "their outputs exist"
        way_out = (
            " in part (move that away, or --overwrite)"
            if skip_existing
            else " (--overwrite replaces, --skip-existing is content)"
        )
        parts.append(f"{kept} of {photos} left out because {exists}{way_out}")
    if parts:
        raise PartialFailureError("; ".join(parts))
