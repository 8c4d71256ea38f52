"""A plugin of a third party is first imported in a process of its own: one that kills its process kills only that.

What came of it is kept in the cache folder, so that it costs once for each version of the plugin's files. A plugin that
merely raises is no matter of this module: that is caught where it is loaded.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
from contextlib import suppress
from importlib.machinery import all_suffixes
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from specrec.cache import TRIALS, cache_folder, written_whole
from specrec.errors import SpecrecError, plain_line
from specrec.hookspecs import PROJECT
from specrec.registry.choice import Found

TIME_LIMIT = 60.0
"""Seconds that a plugin may take to be imported for the first time."""
KNOWN = "SPECREC_TRIED_PLUGINS"
"""The environment variable by which a process is told what came of the trials, so that it makes none itself."""
MOST_OFFERS = 1000
"""More things than a hook could ever give."""

_ALIVE = 87  # the exit code of a process that has lived through the import
_AGAIN = "it is tried again when its files change, or after specrec data clear"
_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    "from specrec.registry.trial import try_here; try_here(*sys.argv[2:])"
)
_killing: dict[str, str] = {}


def fatal(plugin: Found) -> str | None:
    """Say why a plugin must not be imported here: it would take the process with it; None: it would not."""
    known = _told()
    if known is not None:
        return known.get(_id(plugin))
    stamp = _stamp(plugin)
    if stamp is None or not sys.executable:  # there is nothing to run, or nothing to run it with
        return None
    path = cache_folder() / TRIALS / f"{hashlib.sha256(_id(plugin).encode()).hexdigest()[:32]}.json"
    try:
        kept = json.loads(path.read_text("utf-8"))
        found = kept["fatal"] if kept["stamp"] == stamp else False
    except (OSError, ValueError, KeyError, TypeError):
        found = False
    if not (found is None or isinstance(found, str)):
        found = _try(plugin)
        with suppress(SpecrecError, OSError), written_whole(path) as temporary:  # else it is tried again next time
            temporary.write_text(json.dumps({"stamp": stamp, "fatal": found}), "utf-8")
    if found is not None:
        _killing[_id(plugin)] = found
    return found


def environment() -> dict[str, str]:
    """Return the environment of a process that shall make no trials, but knows what came of those of this one."""
    return {**os.environ, KNOWN: json.dumps({**(_told() or {}), **_killing})}


def try_here(name: str, value: str) -> None:
    """Import a plugin and ask it what it offers, in a process made for that, and end the process."""
    try:
        plugin = EntryPoint(name, value, PROJECT).load()
        for hook in dir(plugin):
            if hook.startswith(f"{PROJECT}_") and callable(getattr(plugin, hook)):
                list(islice(getattr(plugin, hook)(), MOST_OFFERS))
    except BaseException:  # whoever loads it catches this and says it
        pass
    finally:
        os._exit(_ALIVE)


def _told() -> dict[str, str] | None:
    try:
        known = json.loads(os.environ[KNOWN])
    except (KeyError, ValueError):
        return None
    return known if isinstance(known, dict) else None


def _id(plugin: Found) -> str:
    return f"{plugin.point.name} of {plugin.distribution}"


def _stamp(plugin: Found) -> str | None:
    """Describe everything that decides what an import does, as far as that can be known without one."""
    try:
        spec = find_spec(plugin.point.module.partition(".")[0])
    except Exception:  # the import will say it better
        return None
    if spec is None:
        return None
    endings = tuple(all_suffixes())
    files = [Path(spec.origin)] if spec.origin else []
    for folder in spec.submodule_search_locations or []:
        files += sorted(path for path in Path(folder).rglob("*") if path.name.endswith(endings))
    # a library that the plugin needs may have come or gone
    places = [Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")]
    stamps = []
    for path in dict.fromkeys([*files, *places]):
        with suppress(OSError):
            found = path.stat()
            stamps.append((str(path), found.st_mtime_ns, found.st_size))
    described = [plugin.point.value, plugin.version, sys.version, sys.executable, stamps]
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()


def _try(plugin: Found) -> str | None:
    words = [sys.executable, "-P", "-c", _CODE, json.dumps(sys.path), plugin.point.name, plugin.point.value]
    with TemporaryFile() as errors:  # no pipe: a process that the plugin starts could hold it open
        try:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, env=environment(),
                start_new_session=True,
            )  # fmt: skip
        except OSError:
            return None
        try:
            code = process.wait(TIME_LIMIT)
        except subprocess.TimeoutExpired:
            return f"importing it takes over {TIME_LIMIT:g} s; {_AGAIN}"
        finally:
            end_group(process)
        if code == _ALIVE:
            return None
        said = last_line(errors)
    return f"importing it kills the process ({ending(code)}{f': {said}' if said else ''}); {_AGAIN}"


def end_group(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    """End a process that began a session, and what it has started."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def ending(code: int) -> str:
    """Say how a process ended.

    Examples
    --------
    >>> ending(3), ending(-9)
    ('exit code 3', 'signal SIGKILL')
    """
    try:
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    except ValueError:
        return f"exit code {code}"


def last_line(errors: IO[bytes]) -> str:
    """Read the last line that a process has left in the file of its standard error."""
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4096))
    lines = [line for line in map(plain_line, errors.read().decode("utf-8", "replace").splitlines()) if line]
    return lines[-1] if lines else ""
