"""A plugin of a third party is first imported in a process of its own: one that kills its process kills only that.

What came of it is kept in the cache folder, so that it costs once for each version of the plugin's files. A plugin that
merely raises is no matter of this module: that is caught where it is loaded.
"""

import atexit
import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.machinery import all_suffixes
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile

from specrec.cache import TRIALS, cache_folder, written_whole
from specrec.errors import STOPS, SpecrecError
from specrec.hookspecs import PROJECT
from specrec.processes import end_group, ending, last_line
from specrec.registry.choice import Found
from specrec.registry.offers import Registry
from specrec.untrusted import read_json

TIME_LIMIT = 60.0
"""Seconds that a plugin may take to be imported for the first time."""
PATIENCE = 3.0
"""Seconds that threads which it has started may take to end."""
KEPT = 3600.0
"""Seconds for which a trial counts that the state of the machine may have decided: too slow, or killed from outside."""
KNOWN = "SPECREC_TRIED_PLUGINS"
"""The environment variable by which a process is told what came of the trials, so that it makes none itself."""

_MOST = 1 << 16  # bytes of what a trial tells
_AGAIN = "it is tried again when its files change, or after specrec data clear"
_SOON = "it is tried again in an hour, when its files change, or after specrec data clear"
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
        kept = read_json(path)
        found = kept["fatal"] if kept["stamp"] == stamp else False
        if kept["until"] is not None and not 0 <= kept["until"] - time.time() <= KEPT:
            found = False
    except (OSError, ValueError, KeyError, TypeError):
        found = False
    if not (found is None or isinstance(found, str)):
        found = _try(plugin)
        until = time.time() + KEPT if found is not None and found.endswith(_SOON) else None
        with suppress(SpecrecError, OSError), written_whole(path) as temporary:  # else it is tried again next time
            temporary.write_text(json.dumps({"stamp": stamp, "fatal": found, "until": until}), "utf-8")
    if found is not None:
        _killing[_id(plugin)] = found
    return found


def environment() -> dict[str, str]:
    """Return the environment of a process that shall make no trials, but knows what came of those of this one."""
    return {**os.environ, KNOWN: json.dumps({**(_told() or {}), **_killing})}


def try_here(name: str, value: str) -> None:
    """Load a plugin as `load_plugins` does and build its methods, in a process made for that.

    Standard input is a file with a word that the plugin cannot know. The file gets a line for each stage, and last,
    where the process lives, that word with what keeps the plugin from being loaded, if anything does.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored in whoever began this
    talk = os.dup(0)
    word = os.read(talk, _MOST).decode()
    os.ftruncate(talk, 0)
    os.lseek(talk, 0, os.SEEK_SET)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)

    def say(words: str) -> None:
        os.write(talk, f"{words}\n".encode())

    def leave(fault: str | None) -> None:
        say(word + (fault or ""))
        os._exit(0)

    fault = _fault(name, value, say)
    if fault or not any(one is not threading.main_thread() and not one.daemon for one in threading.enumerate()):
        leave(fault)
    # Python ends only after its threads, and then does what is registered last
    atexit.register(leave, None)
    late = threading.Timer(PATIENCE, leave, ["it starts a thread that does not end; start it as a daemon"])
    late.daemon = True
    late.start()


def _fault(name: str, value: str, say: Callable[[str], None]) -> str | None:
    """Say what a plugin does to the process that loads it; what it merely raises is said by whoever loads it."""
    registry = Registry()
    when = "on import"
    try:
        with suppress(Exception, SystemExit, GeneratorExit):
            say("importing it")
            loaded = EntryPoint(name, value, PROJECT).load()
            say("asking it what it offers")
            when = "in a hook"
            registry.add(loaded, name=name)
            for method, offer in registry.reconstructors.items():
                say(f"building its method {method!r}")
                when = f"where its method {method!r} is built"
                with suppress(Exception, SystemExit, GeneratorExit):
                    offer.value()
    except STOPS as error:
        return f"it ends the program {when} ({type(error).__name__})"
    except BaseException:  # an exception of its own kind
        pass
    return None


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
    point = plugin.point
    words = [sys.executable, "-P", "-c", _CODE, json.dumps(sys.path), point.name, point.value]
    word = f"{secrets.token_hex()} "
    with TemporaryFile() as talk, TemporaryFile() as errors:  # no pipe: a process of the plugin could hold it open
        talk.write(word.encode())
        talk.seek(0)
        try:
            process = subprocess.Popen(
                words, stdin=talk, stdout=subprocess.DEVNULL, stderr=errors, env=environment(), start_new_session=True
            )
        except OSError:
            return None
        try:
            code = process.wait(TIME_LIMIT)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            end_group(process)
        talk.seek(0)
        lines = talk.read(_MOST).decode("utf-8", "replace").splitlines()
        for line in lines:
            if line.startswith(word):
                return line.removeprefix(word) or None
        stage = lines[-1] if lines else "importing it"
        if code is None:
            return f"{stage} takes over {TIME_LIMIT:g} s; {_SOON}"
        said = last_line(errors)
    again = _SOON if ending(code) == "signal SIGKILL" else _AGAIN  # as the system does where memory is short
    return f"{stage} kills the process ({ending(code)}{f': {said}' if said else ''}); {again}"
