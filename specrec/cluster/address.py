"""What names a Dask cluster: an address of a scheduler, the file it has written, or workers of this machine."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from specrec.errors import UsageError

MOST_WORKERS = 1024
"""Of this machine's own, so that a slip of the finger starts no million processes."""

_OWN = re.compile(r"local:([0-9]{1,9})", re.ASCII)
_SCHEDULER = re.compile(
    r"(?:(?P<protocol>tcp|tls|ws|wss|ucx)://)?"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})/?",
    re.ASCII,
)
_FORMS = "local:N (N workers of this machine), HOST:PORT or tcp://HOST:PORT (a scheduler), or a scheduler file (.json)"


@dataclass(frozen=True)
class Address:
    """A cluster: workers of this machine, or a scheduler.

    Parameters
    ----------
    text
        As the user wrote it.
    own
        Number of workers to start here; 0: there is a scheduler.
    scheduler
        Such as ``tcp://node1:8786``; empty where `own` says more.
    """

    text: str
    own: int = 0
    scheduler: str = ""


def parse_address(text: str) -> Address:
    """Read what ``--dask`` says.

    Raises
    ------
    UsageError
        If it names no cluster, or the scheduler file cannot be read.

    Examples
    --------
    >>> parse_address("local:4").own
    4
    >>> parse_address("node1:8786").scheduler
    'tcp://node1:8786'
    """
    found = _OWN.fullmatch(text)
    if found:
        count = int(found[1])
        if not 1 <= count <= MOST_WORKERS:
            raise UsageError(f"--dask {text}: the number of workers must be from 1 to {MOST_WORKERS}")
        return Address(text, own=count)
    if text.lower().endswith(".json"):
        return Address(text, scheduler=_in_file(Path(text)))
    return Address(text, scheduler=_scheduler(text, f"--dask {text!r} names no cluster; give {_FORMS}"))


def _scheduler(text: str, otherwise: str) -> str:
    found = _SCHEDULER.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536 or found["host"] == "local":
        raise UsageError(otherwise)
    return f"{found['protocol'] or 'tcp'}://{found['host']}:{int(found['port'])}"


def _in_file(path: Path) -> str:
    otherwise = f"--dask {path}: it is no scheduler file, which dask scheduler --scheduler-file {path} writes"
    try:
        with path.open("rb") as file:
            address = json.loads(file.read(1 << 20))["address"]
    except FileNotFoundError:
        raise UsageError(
            f"--dask {path}: there is no such file; dask scheduler --scheduler-file {path} writes it"
        ) from None
    except OSError as error:
        raise UsageError(f"--dask {path}: cannot read it: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(otherwise) from None
    return _scheduler(address, otherwise) if isinstance(address, str) else _scheduler("", otherwise)
