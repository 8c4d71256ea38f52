"""`specrec run METHOD IMAGE`: from a photo to a cube."""

from pathlib import Path

import click

from specrec.cli import options


@click.command(name="run")
@click.argument("method")
@click.argument("image", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A .h5, .npy or .mat file [default: IMAGE.h5].")
@click.option("--weights", type=click.Path(path_type=Path), help="A .safetensors file of that method.")
@options.device
@options.threads
@options.tiles
@click.option("--max-pixels", type=click.IntRange(1), help="Refuse larger images [default: 600 million].")
@options.overwrite
@options.quiet
def command(
    method: str,
    image: Path,
    output: Path | None,
    weights: Path | None,
    device: str,
    threads: int | None,
    tiles: str | None,
    max_pixels: int | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Reconstruct the 31-band cube of a photo.

    Weights are --weights, else SPECREC_WEIGHTS/METHOD.safetensors, else those that come with the method. Photos that
    memory does not hold are reconstructed in tiles, to the same numbers.
    """
    from specrec.cli.progress import Line
    from specrec.cubes import check_form
    from specrec.images import MAX_PIXELS, check_absent
    from specrec.reconstruction import reconstruct_file

    target = output if output is not None else Path(f"{image.stem}.h5")
    check_form(target)
    check_absent(target, overwrite)
    line = Line(quiet=quiet)
    done = reconstruct_file(
        method, image, target, weights=weights, device=device, threads=threads, overwrite=overwrite,
        tiles=tiles or "auto", max_pixels=max_pixels or MAX_PIXELS,
        progress=line.progress(f"reconstructing {image.name}"),
    )  # fmt: skip
    line.say(f"{target}: {done.shape[0]} x {done.shape[1]} pixels, {done.shape[2]} bands, 400-700 nm")
    if done.seams is not None:
        line.say(str(done.seams))
