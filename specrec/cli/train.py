"""`specrec train METHODS`: fit methods on all scenes of a data set and store their weights."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specrec.cli import options

if TYPE_CHECKING:
    from specrec.reconstruction.many_trainings import Trained


@click.command(name="train")
@click.argument("methods")
@click.option("-d", "--dataset", default="synthetic", show_default=True, help="Data set, with options in brackets.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the data set.")
@click.option("-o", "--output", required=True, help="The .safetensors file to write; for several methods a folder.")
@click.option("--scaling", type=click.Choice(["minmax", "none"]), default="minmax", show_default=True,
              help="Scale each scene to 0..1 by its range, or take values as they are.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of each training.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Methods trained at a time [default: 1].")
@options.dask
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="CPU threads of each training.")
@options.device
@options.overwrite
@click.option("--skip-existing", is_flag=True, help="Leave methods out whose weights exist.")
@options.skip_damaged
@options.quiet
def command(
    methods: str, output: str, jobs: int | None, dask: str | None, skip_existing: bool, quiet: bool, **rest: Any
) -> None:
    """Train methods on every scene of a data set; the preset is paper unless told.

    METHODS is one, such as gan, or several, such as "gan[preset=quick],linear": then each is trained in a process of
    its own, and its weights are FOLDER/METHOD.safetensors. Exit code 3: some failed, and the others are finished.
    """
    from specrec.errors import UsageError
    from specrec.parameters import split_specs

    specs = split_specs(methods) or [methods]
    if len(specs) > 1 or output.endswith(("/", "\\")) or Path(output).is_dir():
        if output.endswith(".safetensors") and not Path(output).is_dir():
            raise UsageError(f"{output} is one file and the weights of several methods need a folder; name one with -o")
        dask = options.cluster_to_use(dask, jobs)
        _several(specs, Path(output), jobs=jobs or 1, dask=dask, skip_existing=skip_existing, quiet=quiet, **rest)
        return
    given = {"--jobs": jobs is not None, "--dask": options.is_typed("dask"), "--skip-existing": skip_existing}
    for which in [name for name, is_given in given.items() if is_given]:
        raise UsageError(f"{which} is for several methods, or one whose weights go into a folder (-o FOLDER/)")
    from specrec.cli.plugins import working
    from specrec.cli.progress import Line
    from specrec.reconstruction import train

    line = Line(quiet=quiet)
    with working(f"training {methods}"):
        card = train(methods, target=Path(output), progress=line.progress(f"training {methods}"), **rest)
    line.say(f"{output}: {card['method']}, {card['parameter_count']} parameters, {len(card['training_scenes'])} scenes")


def _several(specs: list[str], folder: Path, *, skip_existing: bool, quiet: bool, **rest: Any) -> None:
    from specrec.cli.plugins import working
    from specrec.cli.progress import Line
    from specrec.cli.train_progress import TrainProgress
    from specrec.reconstruction.many_trainings import train_many

    line = Line(quiet=quiet)

    try:
        with working("the training"):
            outcome = train_many(specs, folder=folder, skip_existing=skip_existing, watcher=TrainProgress(line), **rest)
    except KeyboardInterrupt:
        if not rest["overwrite"] and not skip_existing:
            line.say("the weights that are finished stay; --skip-existing leaves them out", always=True)
        raise
    _conclude(outcome, len(specs))


def _conclude(outcome: "Trained", total: int) -> None:
    """Leave with the exit code that the trainings deserve; each failure has been told."""
    from specrec.errors import PartialFailureError, SpecrecError

    if not outcome.failed:
        return
    named = ", ".join(str(target) for target in outcome.failed)
    if len(outcome.failed) == total:
        what = "the training" if total == 1 else f"all {total} trainings"
        raise SpecrecError(f"no weights were made: {what} failed, see above")
    raise PartialFailureError(f"{len(outcome.failed)} of {total} trainings failed, and there is no {named}")
