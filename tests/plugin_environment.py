"""An environment of its own for plugins that tests install: what is here is seen there, and nothing of it is changed.

The new environment is empty but for a .pth file, which names this interpreter's site-packages and then the repository:
a specrec that is installed is used as installed, and one that is worked on as it lies here. No network is needed.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]


class PluginEnvironment:
    """A virtual environment beside this one.

    Parameters
    ----------
    folder
        Where to make it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder, symlinks=os.name != "nt", with_pip=False)
        self.python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        (site,) = folder.rglob("site-packages")
        self.around = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
        (site / "around.pth").write_text("\n".join([*self.around, str(ROOT), str(ROOT / "plugins")]), "utf-8")

    def run(self, *words: object, folder: Path, ok: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run ``python WORDS`` there, as a user's shell would; without `ok` any exit code will do."""
        kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
        done = subprocess.run(
            [self.python, *map(str, words)], cwd=folder, env=kept, capture_output=True, text=True, check=False
        )
        assert not ok or done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done

    def install(self, *distributions: Path) -> None:
        """Build and install distributions from their folders, without network."""
        given = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check")
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", *given]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHON"))}
        done = subprocess.run(
            [*command, *map(str, distributions)], cwd=self.folder, env=kept, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
