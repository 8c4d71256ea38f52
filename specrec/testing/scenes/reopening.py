"""A scene read in another process, as a cell reads it: ``python -m specrec.testing.scenes.reopening JSON``."""

import importlib
import json
import os
import subprocess
import sys
from functools import reduce
from pathlib import Path

from specrec.interfaces import SceneSource
from specrec.parameters import Settings
from specrec.testing.checks import NotConforming


def content_elsewhere(source: type[SceneSource], folder: Path | None, settings: Settings, name: str) -> str:
    """Hash the cube and the mask of a scene in another process.

    Raises
    ------
    NotConforming
        If that fails; the message ends with the last line the process said.
    """
    place = None if folder is None else str(folder.resolve())
    given = json.dumps([source.__module__, source.__qualname__, place, dict(settings), name])
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    command = [sys.executable, "-m", "specrec.testing.scenes.reopening", given]
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines() or ["nothing"]
    if done.returncode != 0:
        raise NotConforming(
            f"another process cannot read {name!r}; import {source.__module__} without help of this one, and keep in no"
            f" variable what reading needs. It said: {lines[-1]}"
        )
    return lines[-1]


def _main(given: str) -> None:
    from specrec.testing.scenes.contents import content

    module, qualname, folder, settings, name = json.loads(given)
    source = reduce(getattr, qualname.split("."), importlib.import_module(module))
    opened: SceneSource = source(None if folder is None else Path(folder), **settings)  # type: ignore[operator] # a class
    sys.stdout.write(content(opened, name) + "\n")


if __name__ == "__main__":
    _main(sys.argv[1])
