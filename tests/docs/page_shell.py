"""A shell in which the commands of a page are run one after another, in an environment of their own.

`specrec`, `python`, `pip` and `pytest` are those of the environment that runs the tests, seen through a virtual
environment made for the page: what the page installs goes there and is gone with it. pip is told by its own variables
to stay offline and to build with what is installed.
"""

import os
import shlex
import signal
import site
import socket
import subprocess
import sysconfig
import time
import venv
from contextlib import suppress
from pathlib import Path

from shown_commands import ROOT

OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_DEPS": "1",
    "PIP_NO_BUILD_ISOLATION": "false",  # pip's way to say: no isolation
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
SITE = "import sys\nsys.path.insert(0, {folder!r})\nimport small_world\nsys.path.pop(0)\nsmall_world.install()\n"


class PageShell:
    """Runs commands in bash; the folder and the variables that one leaves are those of the next.

    Parameters
    ----------
    folder
        A new folder, for the commands and what they need.
    variables
        Set for them, beside those of this process that are not specrec's own.
    """

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder / "work"
        self.folder.mkdir(parents=True)
        self._state = folder / "state"
        self._going: list[subprocess.Popen[bytes]] = []
        binaries = self._install(folder / "environment")
        (folder / "small").mkdir()
        (folder / "small" / "sitecustomize.py").write_text(SITE.format(folder=str(Path(__file__).parent)), "utf-8")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("SPECREC_", "PYTEST_", "COV_"))}
        self.variables = {
            **kept,
            **OFFLINE,
            **variables,
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "PWD": str(self.folder),
            "PYTHONPATH": os.pathsep.join(map(str, (folder / "small", ROOT, ROOT / "plugins"))),
        }

    def _install(self, environment: Path) -> Path:
        """Make the virtual environment, which sees all that is installed here; give the folder of its programs."""
        venv.EnvBuilder(symlinks=True, with_pip=False).create(environment)
        binaries = environment / "bin"
        python = binaries / "python"
        paths = {*site.getsitepackages(), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        own = Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))
        lines = (f"import site; site.addsitedir({path!r})\n" for path in sorted(paths))  # with their .pth files
        (own / "everything_here.pth").write_text("".join(lines), "utf-8")
        for name in ("dask", "mkdocs", "pip", "pytest", "specrec"):
            (binaries / name).write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} -m {name} "$@"\n', "utf-8")
            (binaries / name).chmod(0o755)
        return binaries

    def run(self, command: str, seconds: float = 400.0) -> subprocess.CompletedProcess[str]:
        """Run a command line; its output and errors are one text, `stdout`."""
        script = f'{command}\nstatus=$?\nenv -0 > {shlex.quote(str(self._state))}\nexit "$status"\n'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.variables["PWD"],
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
        )
        if self._state.exists():
            entries = (entry.partition("=") for entry in self._state.read_text("utf-8").split("\0") if entry)
            self.variables = {key: value for key, _, value in entries if key not in ("_", "SHLVL")}
            self._state.unlink()
        return done

    def begin(self, command: str, ready: str, seconds: float = 60.0) -> str | None:
        """Begin a program that goes on until `end`; wait until it says `ready`, and say if it does not."""
        log = self.folder.parent / f"going{len(self._going)}.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", command],
                cwd=self.variables["PWD"],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._going.append(process)
        until = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < until:
            if ready in log.read_text("utf-8", "replace"):
                return None
            time.sleep(0.05)
        ended = "is not ready" if process.poll() is None else f"ended with {process.returncode}"
        return f"{ended}\n{log.read_text('utf-8', 'replace')[-2000:]}"

    def end(self) -> None:
        """End what goes on, the last first, with all that it has started."""
        for process in reversed(self._going):
            for number in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(10)
        self._going.clear()

    @property
    def here(self) -> Path:
        """The folder that the next command begins in."""
        return Path(self.variables["PWD"])

    @property
    def python(self) -> str:
        """The interpreter of the page."""
        return str(self.folder.parent / "environment" / "bin" / "python")


def free_port() -> int:
    """Find a port of this machine that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
