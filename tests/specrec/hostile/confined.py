"""Reads hostile files in a process of its own, with little memory and little time: each one is read or refused.

As a script: ``confined.py KIND FOLDER`` reads every file of a folder and prints what came of each.
"""

import json
import resource
import subprocess
import sys
from pathlib import Path

MEMORY = 1 << 30  # bytes beside what the process has when its libraries are loaded
SECONDS = 300  # until a process that waits for something is given up; the machine may be busy
CPU_SECONDS = 60


def readings(kind, folder):
    """Read every file of a folder with the reader of a kind; the sentence of each that is refused, else ``""``."""
    command = [sys.executable, __file__, kind, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    found = dict(map(json.loads, done.stdout.splitlines()))
    unread = [path.name for path in sorted(Path(folder).iterdir()) if path.name not in found]
    assert not unread, f"{unread[0]} ended the process with {done.returncode}: {done.stderr[-300:]}"
    for name, sentence in found.items():
        assert not sentence.startswith("!"), f"{name}: {sentence}"
        assert sentence.isprintable(), f"{name}: {sentence!r}"
    return found


def cube(path):
    from specrec.cubes import open_cube

    with open_cube(path) as stored:
        assert stored.mask is None or stored.mask.shape == stored.shape[:2]
        stored.read()


def photo(path):
    from specrec.images import read_image

    read_image(path, 1 << 20)


def weights(path):
    from specrec.reconstruction.loading import load_with_card

    load_with_card("linear" if "linear" in path.name else "gan", path)


def main(kind, folder):
    """Print one line for each file: its name, and the sentence, or ``!`` and what else was raised."""
    import h5netcdf  # noqa: F401 - all libraries are there before memory is counted
    import imagecodecs  # noqa: F401
    import PIL.ImageCms
    import spectral.io.envi  # noqa: F401
    import tifffile  # noqa: F401

    from specrec.errors import SpecrecError

    PIL.Image.init()
    if kind == "weights":
        import torch  # noqa: F401

        from specrec.registry import registry

        registry()
    held = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    for path in sorted(Path(folder).iterdir()):
        sentence = ""
        try:
            globals()[kind](path)
        except SpecrecError as error:
            sentence = str(error)
        except BaseException as error:
            sentence = f"!{type(error).__name__}: {error}"
        sys.stdout.write(json.dumps([path.name, sentence]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
