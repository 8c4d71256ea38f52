"""The command line: `specrec COMMAND`. Every command is one small file; this one finds them and says errors."""

import io
import os
import sys
import traceback

import click

from specrec.cli.groups import LazyGroup
from specrec.cli.termination import Terminated, told_to_end
from specrec.errors import SpecrecError

WORK = ("bench", "run", "train", "render", "convert", "view", "report")
COMMANDS = (*WORK, "methods", "metrics", "data", "plugin", "doctor")

INTERRUPTED, TERMINATED = 130, 143


@click.group(
    cls=LazyGroup,
    modules="specrec.cli.",
    names=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="specrec", message="%(package)s %(version)s")
@click.option("-v", "--verbose", is_flag=True, help="Show a traceback with an error.")
def command(verbose: bool) -> None:
    """Spectral reconstruction from RGB: 31-band cubes from ordinary images, and a benchmark one can trust."""


def main() -> None:
    """Run the command line and leave with its exit code.

    0 done, 1 failure, 2 usage, 3 partial, 130 interrupted (Ctrl-C), 143 terminated (SIGTERM).
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console that cannot show an arrow shows a question mark
    with told_to_end():
        code = _code_of_command()
    _end_output()
    sys.exit(code)


def _code_of_command() -> int:
    verbose = any(word in ("-v", "--verbose") for word in sys.argv[1:])
    try:
        code: int = command.main(prog_name="specrec", standalone_mode=False)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _drop_output()
        return 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("specrec: interrupted; start it again to go on", err=True)
        return INTERRUPTED
    except Terminated:
        click.echo("specrec: terminated; start it again to go on", err=True)
        return TERMINATED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        return _say(error, verbose)


def _end_output() -> None:
    """Write what is still to be written; what a plugin prints while the process ends goes to the standard error."""
    if sys.__stdout__ is None or sys.stdout is not sys.__stdout__:
        return
    try:
        sys.stdout.flush()
        os.dup2(2, 1)
    except BrokenPipeError:
        _drop_output()
    except OSError:  # a full disk has been said, or there is no standard error
        pass


def _drop_output() -> None:
    """Give up a standard output whose reader has gone, as `head` does."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _say(error: Exception, verbose: bool) -> int:
    if not isinstance(error, SpecrecError):
        if isinstance(error, OSError) and error.strerror:
            words = SpecrecError(f"{error.filename or 'the system'}: {error.strerror}")
            click.echo(f"specrec: error: {words}", err=True)
            return 1
        raise error
    if verbose:
        traceback.print_exc()
    click.echo(f"specrec: error: {error}", err=True)
    return error.exit_code
