"""`specrec train METHOD`: fit a method on all scenes of a data set and store its weights."""

from pathlib import Path
from typing import Literal

import click

from specrec.cli import options


@click.command(name="train")
@click.argument("method")
@click.option("-d", "--dataset", default="synthetic", show_default=True, help="Data set, with options in brackets.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the data set.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The .safetensors file to write.")
@click.option("--scaling", type=click.Choice(["minmax", "none"]), default="minmax", show_default=True,
              help="Scale each scene to 0..1 by its range, or take values as they are.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of the training.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU threads.")
@options.device
@options.overwrite
@options.skip_damaged
@options.quiet
def command(
    method: str,
    dataset: str,
    data: Path | None,
    output: Path,
    scaling: Literal["minmax", "none"],
    seed: int,
    threads: int,
    device: str,
    overwrite: bool,
    skip_damaged: bool,
    quiet: bool,
) -> None:
    """Train a method on every scene of a data set; the preset is paper unless told."""
    from specrec.cli.plugins import working
    from specrec.cli.progress import Line
    from specrec.reconstruction import train

    line = Line(quiet=quiet)
    with working(f"training {method}"):
        card = train(
            method, dataset, data, output, scaling=scaling, seed=seed, threads=threads, device=device,
            overwrite=overwrite, skip_damaged=skip_damaged, progress=line.progress(f"training {method}"),
        )  # fmt: skip
    line.say(f"{output}: {card['method']}, {card['parameter_count']} parameters, {len(card['training_scenes'])} scenes")
