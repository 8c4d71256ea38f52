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
@options.overwrite
@click.option("-q", "--quiet", is_flag=True, help="Do not say what was written.")
def command(
    method: str, image: Path, output: Path | None, weights: Path | None, device: str, overwrite: bool, quiet: bool
) -> None:
    """Reconstruct the 31-band cube of a photo.

    Weights are --weights, else SPECREC_WEIGHTS/METHOD.safetensors, else those that come with the method.
    """
    from specrec.cubes import check_suffix
    from specrec.images import check_absent
    from specrec.reconstruction import reconstruct_file

    target = output if output is not None else Path(f"{image.stem}.h5")
    check_suffix(target)
    check_absent(target, overwrite)
    shape = reconstruct_file(method, image, target, weights=weights, device=device, overwrite=overwrite)
    if not quiet:
        click.echo(f"{target}: {shape[0]} x {shape[1]} pixels, {shape[2]} bands, 400-700 nm", err=True)
